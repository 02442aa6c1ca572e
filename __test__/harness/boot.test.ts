import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Bench, failed, type Judgement } from './pair.js'
import { changed, good, specification } from './plugins.js'

let bench: Bench
let turn = 0
beforeAll(async () => { bench = await Bench.make() })
afterAll(() => bench.remove())

function judge(source: string, changes: Record<string, unknown> = {}): Promise<Judgement> {
  turn += 1
  const seed = `${Date.now()}-${turn}`
  return bench.judge(`plugin-${turn}`, source, { specification, seed, deadlineMs: 60_000, requestMs: 3000, ...changes })
}

/** It was refused by just this check, with this detail. */
function expectRefusal(judgement: Judgement, name: RegExp, detail: RegExp): void {
  const found = failed(judgement).find((check) => name.test(check.name))
  expect(found, JSON.stringify(judgement.checks, undefined, 1)).toBeDefined()
  expect(found?.detail).toMatch(detail)
  expect(judgement.exitCode).toBe(1)
}

test('passes a plugin that does what its specification says', async () => {
  const judgement = await judge(good)
  expect(failed(judgement)).toEqual([])
  expect(judgement.exitCode).toBe(0)
  expect(judgement.counts.passed).toBeGreaterThan(30)
  expect(judgement.requests.http).toBeGreaterThan(6)
  expect(judgement.checks.filter((check) => check.status === 'skipped')).toEqual([
    expect.objectContaining({
      name: 'behaviour of WRITE_POEM',
      detail: "behaviour: not verified (carried out by the agent's model)",
    }),
  ])
})

test('says which request and which value it saw, where the value is another one', async () => {
  const judgement = await judge(changed('readings[1].temperature', 'readings[0].temperature'))
  expectRefusal(judgement, /GET_WEATHER: returns the served value, draw 1/, /data\.result is .*, but the server gave/)
})

test('refuses a value that was made up without asking', async () => {
  const judgement = await judge(changed('const key = runtime',
    "return { success: true, text: 'x', data: { actionName: 'GET_WEATHER', result: 21 } }; const key = runtime"))
  expectRefusal(judgement, /GET_WEATHER: returns the served value, draw 1/, /sent no request to https:\/\/api\.example/)
})

test('refuses an action that ignores a parameter', async () => {
  const judgement = await judge(changed('encodeURIComponent(city)', "'Berlin'"))
  expectRefusal(judgement, /returns the served value/, /asked for the path "\/v1\/Berlin\/now", not/)
})

test('refuses an action that does not escape what it puts into an address', async () => {
  const judgement = await judge(changed('encodeURIComponent(city)', 'city'))
  expectRefusal(judgement, /returns the served value, draw 2/, /asked for the path/)
})

test('refuses a wrong query, body, header or host, and one call sent twice', async () => {
  const body = await judge(changed("({ days, note: 'for ' + city })", '({ days })'))
  expectRefusal(body, /returns the served value/, /its body was/)
  const twice = await judge(changed('if (!response.ok) return fail', 'await fetch(url, { method: \'POST\', headers: ' +
    "{ authorization: 'Bearer ' + key }, body: JSON.stringify({ days, note: 'for ' + city }) })\n" +
    'if (!response.ok) return fail'))
  expectRefusal(twice, /returns the served value/, /sent the POST request 2 times/)
  expectRefusal(await judge(changed('{ units })', '{ units, extra: 1 })')), /returns the served value/, /its query was/)
  const headless = await judge(changed("authorization: 'Bearer ' + key,", ''))
  expectRefusal(headless, /returns/, /header authorization was not sent/)
  expectRefusal(await judge(changed("'Bearer ' + key", "'Bearer'")), /returns/, /authorization did not hold the value/)
  const elsewhere = await judge(changed('https://api.example.com', 'https://evil.example.com'))
  expectRefusal(elsewhere, /returns/, /asked "https:\/\/evil\.example\.com", not https:\/\/api\.example\.com/)
})

test('refuses a handler that throws, and says what and where', async () => {
  const judgement = await judge(
    changed("if (typeof city !== 'string') return", "throw new TypeError('no such thing'); return"))
  expectRefusal(judgement, /GET_WEATHER: returns/, /the handler threw .*TypeError: no such thing.*plugin-\d+\.mjs:\d+/)
})

test('refuses a handler that only throws when its parameter is missing', async () => {
  const judgement = await judge(
    changed("if (typeof city !== 'string') return fail('GET_WEATHER', 'Which city?')", 'city.trim()'))
  expectRefusal(judgement, /refuses a call without the required parameter city/, /the handler threw/)
  expect(failed(judgement)).toHaveLength(1)
})

test('refuses a wrong name and a missing action, naming what there is', async () => {
  const wrong = await judge(changed("name: 'plugin-weather'", "name: 'plugin-wether'"))
  expectRefusal(wrong, /is named plugin-weather/, /its name is "plugin-wether"/)
  const missing = await judge(changed('actions: [weather, poem]', 'actions: [poem]'))
  expectRefusal(missing, /action GET_WEATHER exists/, /there is no action getWeather; the plugin has \["WRITE_POEM"\]/)
  const misspelt = await judge(changed("name: 'GET_WEATHER'", "name: 'getWeather'"))
  expectRefusal(misspelt, /action GET_WEATHER exists/, /is named "getWeather"; it must be GET_WEATHER/)
})

test('refuses success on HTTP 500 and a result without text', async () => {
  const ok = await judge(changed(
    "if (!response.ok) return fail('GET_WEATHER', 'The service answered ' + response.status)",
    "if (!response.ok) return { success: true, text: 'fine', data: { actionName: 'GET_WEATHER', result: 1 } }"))
  expectRefusal(ok, /answers success: false to HTTP 500/, /must answer success: false/)
  const mute = await judge(changed('return { success: true, text, data: { actionName: \'GET_WEATHER\', result } }',
    "return { success: true, data: { actionName: 'GET_WEATHER', result } }"))
  expectRefusal(mute, /returns the served value/, /the result has no text/)
})

test('refuses what ends the process while it loads or runs', async () => {
  const early = await judge(changed('const fail =', 'process.exit(0)\nconst fail ='))
  expectRefusal(early, /loads by its default export/, /ended by itself/)
  const late = await judge(changed('const key = runtime', 'process.exit(0); const key = runtime'))
  expectRefusal(late, /GET_WEATHER: returns/, /ended by itself/)
})

test('refuses endless loops, where it loads and where it runs', async () => {
  const late = await judge(changed('const key = runtime', 'for (;;) ; const key = runtime'), { requestMs: 500 })
  expectRefusal(late, /GET_WEATHER: returns/, /blocks the process/)
  const early = await judge(changed('const fail =', 'for (;;) ;\nconst fail ='), { deadlineMs: 1500 })
  expectRefusal(early, /in time/, /not over within 1500 ms; it stood at: loads by its default export/)
})

test('refuses a handler that never answers, and goes on with the rest', async () => {
  const never = changed('const key = runtime', 'await new Promise(() => {}); const key = runtime')
  const judgement = await judge(never, { requestMs: 300 })
  expectRefusal(judgement, /GET_WEATHER: returns/, /no answer within 300 ms/)
  expect(judgement.checks.find((check) => check.name === 'the process ends')?.status).toBe('passed')
})

test('refuses a flood, long lines or many, at once', async () => {
  const flood = (text: string) => changed('const fail =', `import { writeSync } from 'node:fs'
    const write = (text) => {
      for (;;) try { return writeSync(3, text) } catch (error) { if (error.code !== 'EAGAIN') throw error }
    }
    ${text}
    const fail =`)
  const long = await judge(flood("for (;;) write('x'.repeat(65536))"))
  expectRefusal(long, /loads by/, /flooded the harness's channel: one message was longer/)
  const many = await judge(flood("for (;;) write('{\"id\":\"1\",\"ok\":true}\\n')"))
  expectRefusal(many, /loads by/, /flooded the harness's channel: more than 500 messages/)
})

test('is not taken in by answers to questions that were not asked, nor by __proto__', async () => {
  const judgement = await judge(changed('const fail =', `import { writeSync } from 'node:fs'
    for (const line of ['[]', 'null', '{"__proto__":{"ok":true}}', '{"id":"x","ok":true}', 'not json', '',
      '{"event":"model","call":{}}', '{"id":"__proto__","ok":true}']) writeSync(3, line + '\\n')
    const fail =`))
  expect(judgement.exitCode).toBe(0)
})

test('refuses a subject that answers whatever it is asked for', async () => {
  const judgement = await judge(changed('const fail =', `const find = Array.prototype.find
    Array.prototype.find = function (test) { return find.call(this, test) ?? this[0] }
    const fail =`))
  expectRefusal(judgement, /that does not exist is not answered for/, /the subject answers what it is asked for/)
})

test('refuses models, declared or slipped in later', async () => {
  const declared = await judge(
    changed('evaluators: [mood],', "evaluators: [mood], models: { TEXT_LARGE: async () => 'mine' },"))
  expectRefusal(declared, /brings no models/, /TEXT_LARGE/)
  const slipped = await judge(changed("if (typeof topic !== 'string')",
    "runtime.registerModel('TEXT_SMALL', async () => 'mine', 'x', 9); if (typeof topic !== 'string')"))
  expectRefusal(slipped, /still brings no models after it ran/, /TEXT_SMALL/)
})

test('refuses services that do not start, stop or have their methods', async () => {
  const unstarted = await judge(changed('static async start(runtime) { return new WeatherService(runtime) }', ''))
  expectRefusal(unstarted, /service WeatherService starts/, /its status after initialize\(\) is "failed"/)
  const endless = await judge(changed('async stop() {}', 'stop() { return new Promise(() => {}) }'), { requestMs: 300 })
  expectRefusal(endless, /^stops$/, /did not resolve within 300 ms/)
  const bare = await judge(changed('async refresh() {}', ''))
  expectRefusal(bare, /has refresh\(\)/, /no method refresh/)
})

test('refuses providers and evaluators that throw', async () => {
  const provider = await judge(changed(
    "if (!response.ok) return { text: '', values: {}, data: {} }\n      const { name }",
    "if (!response.ok) process.nextTick(() => { throw new Error('later') })\n      const { name }"))
  expectRefusal(provider, /leaves no error unhandled/, /later/)
  const evaluator = await judge(
    changed('handler: async () => undefined', "handler: async () => { throw new Error('bad mood') }"))
  expectRefusal(evaluator, /evaluator MOOD runs/, /threw .*bad mood/)
})

test('refuses a provider that keeps its first answer', async () => {
  const judgement = await judge(changed("return { text: 'Station ' + name, values: {}, data: { result: name } }",
    "globalThis.kept ??= name; return { text: globalThis.kept, values: {}, data: { result: globalThis.kept } }"))
  expectRefusal(judgement, /STATION gives the served value, draw 2/, /data\.result is/)
})

test('refuses an export that is no plugin, an init that throws and one that cannot be parsed', async () => {
  const named = await judge(changed('export default plugin', 'export { plugin }'))
  expectRefusal(named, /loads by/, /default export is undefined/)
  const init = await judge(changed('services: [W', "init: () => { throw new Error('no key') }, services: [W"))
  expectRefusal(init, /loads by/, /no key/)
  expectRefusal(await judge('export default {'), /loads by/, /SyntaxError/)
})

test('works as well through node:https', async () => {
  const judgement = await judge(good.replace('import { Service', `import { request } from 'node:https'
    const ask = (url) => new Promise((settle, refuse) => {
      request(new URL(url), { method: 'GET' }, (response) => {
        let text = ''
        response.on('data', (chunk) => { text += chunk })
        response.on('end', () => settle({ ok: response.statusCode === 200, json: async () => JSON.parse(text) }))
      }).on('error', refuse).end()
    })
    import { Service`).replace("await fetch('https://status", "await ask('https://status"))
  expect(failed(judgement)).toEqual([])
})

test('decides nothing, and at once, where @elizaos/core is missing', async () => {
  const bare = await mkdtemp(join(tmpdir(), 'auton8n-bare-'))
  try {
    await cp(join(bench.directory, 'harness'), join(bare, 'harness'), { recursive: true })
    const request = JSON.stringify({ specification, seed: 'a', deadlineMs: 60_000 })
    const judgement = await bench.judgeWith([join(bare, 'harness/subject.mjs'), 'none.mjs'], request)
    expect(judgement.exitCode).toBe(3)
    expect(judgement.checks).toEqual([expect.objectContaining({ status: 'inconclusive' })])
    expect(judgement.checks[0]?.detail).toMatch(/could not start; .*Cannot find package '@elizaos\/core'/)
    expect(judgement.wallMs).toBeLessThan(20_000)
  } finally {
    await rm(bare, { recursive: true })
  }
})

test('decides nothing where the harness could not do its work', async () => {
  const request = JSON.stringify({ specification, seed: 'a', deadlineMs: 500 })
  for (const [subject, input] of [
    [['-e', 'process.exit(3)'], request],
    [['-e', 'setTimeout(() => {}, 60000)'], request],
    [['-e', ''], '{'],
    [['-e', ''], '{}'],
    [['-e', ''], JSON.stringify({ specification: { name: 'x' }, seed: 1, deadlineMs: 'soon' })],
    [['-e', ''], JSON.stringify({ specification: { name: 'x', actions: 7 }, seed: 1 })],
  ] as [string[], string][]) {
    const judgement = await bench.judgeWith(subject, input)
    expect(judgement.exitCode).toBe(3)
    expect(judgement.checks).toEqual([expect.objectContaining({ name: 'harness', status: 'inconclusive' })])
  }
})

test('gives a plugin a runtime that keeps what it stores', async () => {
  const judgement = await judge(changed("if (typeof topic !== 'string')", `const roomId = runtime.agentId
    const worldId = runtime.agentId
    const entityId = runtime.agentId
    const memory = { entityId, agentId: entityId, roomId, worldId, content: { text: 'kept' } }
    const id = await runtime.createMemory(memory, 'facts')
    await runtime.setCache('k', { n: 1 })
    const task = await runtime.createTask({ name: 'T', description: 'd', tags: ['queue'], worldId, roomId })
    await runtime.createRelationship({ sourceEntityId: entityId, targetEntityId: entityId, tags: ['self'] })
    await runtime.updateMemory({ id, content: { text: 'changed' } })
    const composed = await runtime.composeState(message)
    const seen = [
      (await runtime.getMemories({ roomId, tableName: 'facts', count: 100 })).some((one) => one.id === id),
      (await runtime.getMemoryById(id)).content.text === 'changed',
      (await runtime.getCache('k')).n === 1,
      (await runtime.getTask(task)).name === 'T',
      (await runtime.getTasks({ tags: ['queue'] })).length > 0,
      (await runtime.getRelationships({ entityId, tags: ['self'] })).length > 0,
      (await runtime.getRoom(roomId)).id === roomId,
      (await runtime.getWorld(worldId)).id === worldId,
      (await runtime.getParticipantsForRoom(roomId)).includes(entityId),
      (await runtime.getEntityById(entityId)).names.length === 1,
      (await runtime.getRoomsForParticipant(entityId)).includes(roomId),
      composed.text.includes('Take a coat'),
      runtime.getService('weather') !== null,
    ]
    if (seen.includes(false)) throw new Error('lost: ' + seen)
    if (typeof topic !== 'string')`))
  expect(failed(judgement)).toEqual([])
})

test('offers another kind of value where a plugin insists on one', async () => {
  const judgement = await judge(changed('const text = \'It is \'',
    "if (typeof result !== 'string') return fail('GET_WEATHER', 'That is no text')\n      const text = 'It is '"))
  expect(failed(judgement)).toEqual([])
})

test('puts a parameter into the host, and knows the host that is meant', async () => {
  const [weather, ...rest] = specification.actions
  const http = { ...weather?.http, url: 'https://{city}.example.com/now' }
  const moved = { ...specification, actions: [{ ...weather, http }, ...rest] }
  const right = changed("'https://api.example.com/v1/' + encodeURIComponent(city) + '/now?'",
    "'https://' + city + '.example.com/now?'")
  expect(failed(await judge(right, { specification: moved }))).toEqual([])
  const unmoved = await judge(good, { specification: moved })
  expectRefusal(unmoved, /returns the served value/, /asked "https:\/\/api\.example\.com"/)
})

test('refuses an action that asks first and checks its parameters then', async () => {
  const judgement = await judge(changed("if (typeof city !== 'string') return",
    "await fetch('https://api.example.com/v1/ping')\n    if (typeof city !== 'string') return"))
  expectRefusal(judgement, /refuses a call without the required parameter city/, /sent 1 requests/)
})
