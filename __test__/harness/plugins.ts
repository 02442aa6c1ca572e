// A good plugin as plain source text, and small changes that make it bad.

export const specification = {
  name: 'plugin-weather',
  description: 'Weather of a city',
  actions: [
    {
      name: 'getWeather',
      description: 'Tells the temperature of a city',
      parameters: {
        city: { type: 'string', required: true },
        days: { type: 'integer' },
        units: { type: 'string', enum: ['metric', 'imperial'], default: 'metric' },
      },
      http: {
        method: 'POST',
        url: 'https://api.example.com/v1/{city}/now',
        query: { units: '{units}' },
        headers: { authorization: 'Bearer ${WEATHER_KEY}' },
        body: { days: '{days}', note: 'for {city}' },
        result: 'current.readings[1].temperature',
        phrase: 'It is {result} degrees',
      },
    },
    { name: 'WRITE_POEM', description: 'Writes a poem', parameters: { topic: { type: 'string', required: true } } },
  ],
  providers: [
    {
      name: 'STATION',
      description: 'Name of the station',
      http: { url: 'https://status.example.com/station?full=1', result: 'name' },
    },
    { name: 'ADVICE', description: 'Static advice' },
  ],
  services: [{ name: 'WeatherService', description: 'Keeps things', methods: [{ name: 'refresh' }] }],
  evaluators: [{ name: 'MOOD', description: 'Looks at the mood' }],
  environmentVariables: [{ name: 'WEATHER_KEY', description: 'Key', required: true, sensitive: true }],
}

export const good = `
import { Service, ModelType } from '@elizaos/core'

const fail = (actionName, text) => ({ success: false, text, data: { actionName } })

const weather = {
  name: 'GET_WEATHER',
  description: 'Tells the temperature of a city',
  similes: ['WEATHER'],
  validate: async () => true,
  handler: async (runtime, message, state, options, callback) => {
    const { city, days, units = 'metric' } = options.parameters ?? state.data.actionParams
    if (typeof city !== 'string') return fail('GET_WEATHER', 'Which city?')
    if (days !== undefined && !Number.isInteger(days)) return fail('GET_WEATHER', 'How many days?')
    if (!['metric', 'imperial'].includes(units)) return fail('GET_WEATHER', 'Which units?')
    const key = runtime.getSetting('WEATHER_KEY') ?? process.env.WEATHER_KEY
    try {
      const url = 'https://api.example.com/v1/' + encodeURIComponent(city) + '/now?' + new URLSearchParams({ units })
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: 'Bearer ' + key, 'content-type': 'application/json' },
        body: JSON.stringify({ days, note: 'for ' + city }),
      })
      if (!response.ok) return fail('GET_WEATHER', 'The service answered ' + response.status)
      const answer = await response.json()
      const result = answer.current.readings[1].temperature
      const text = 'It is ' + result + ' degrees'
      await callback?.({ text })
      return { success: true, text, data: { actionName: 'GET_WEATHER', result } }
    } catch (error) {
      return fail('GET_WEATHER', 'It did not work: ' + error.message)
    }
  },
}

const poem = {
  name: 'WRITE_POEM',
  description: 'Writes a poem',
  validate: async () => true,
  handler: async (runtime, message, state, options) => {
    const { topic } = options.parameters
    if (typeof topic !== 'string') return fail('WRITE_POEM', 'About what?')
    const text = await runtime.useModel(ModelType.TEXT_LARGE, { prompt: topic, stream: false })
    return { success: true, text, data: { actionName: 'WRITE_POEM', result: text } }
  },
}

const station = {
  name: 'STATION',
  get: async () => {
    try {
      const response = await fetch('https://status.example.com/station?full=1')
      if (!response.ok) return { text: '', values: {}, data: {} }
      const { name } = await response.json()
      return { text: 'Station ' + name, values: {}, data: { result: name } }
    } catch {
      return { text: '', values: {}, data: {} }
    }
  },
}

class WeatherService extends Service {
  static serviceType = 'weather'
  capabilityDescription = 'Keeps things'
  static async start(runtime) { return new WeatherService(runtime) }
  async stop() {}
  async refresh() {}
}

const mood = {
  name: 'MOOD', description: 'Looks at the mood', examples: [],
  validate: async () => false,
  handler: async () => undefined,
}

const plugin = {
  name: 'plugin-weather',
  description: 'Weather of a city',
  actions: [weather, poem],
  providers: [station, { name: 'ADVICE', get: async () => ({ text: 'Take a coat', values: {}, data: {} }) }],
  services: [WeatherService],
  evaluators: [mood],
}
export default plugin
`

/** The good plugin with one place changed. */
export function changed(from: string, to: string): string {
  if (!good.includes(from)) throw new Error(`the good plugin has no ${from}`)
  return good.replace(from, () => to)
}
