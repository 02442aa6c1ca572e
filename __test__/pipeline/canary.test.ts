import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CreatePluginOptions } from '../../plugin/api/options.js'
import type { ModelFunction } from '../../plugin/api/model.js'
import { SecretsScanner } from '../../plugin/api/scanner.js'
import { validateSpecification, type PluginSpecification } from '../../plugin/api/specification.js'
import { receiver } from '../native/tracer-receiver.js'
import { canaries, leaked, leakedFiles, type Canary } from '../support/canaries.js'
import { startPostgres, withoutPostgres, type PostgresDatabase } from '../support/database.js'
import { docker, example, openWorkplace, scripted, templateFiles, type Files, type Workplace } from '../support/workplace.js'

/** A secret of every kind is planted in every input of a job; then they are searched for wherever a job leaves a trace. */

const weather = example('weather')
const planted = await canaries()
const all = planted.map(({ text }) => text).join('\n')

let otlp: Awaited<ReturnType<typeof receiver>>
let printed = ''

beforeAll(async () => {
  otlp = await receiver()
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    vi.spyOn(stream, 'write').mockImplementation((chunk, ...rest) => {
      printed += String(chunk)
      return write(chunk, ...(rest as []))
    })
  }
})
afterAll(async () => {
  vi.restoreAllMocks()
  await otlp.close()
})

function everything(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { details } = error as { details?: unknown }
  return [error.message, error.stack, JSON.stringify(details), error.cause ? everything(error.cause) : ''].join('\n')
}

/** Jobs of one engine, and all that they say. */
class Jobs {
  readonly seen: string[] = []
  constructor(readonly place: Workplace) {}

  /** Runs a job to its end, whatever it is. */
  async run(
    specification: PluginSpecification | string,
    options: CreatePluginOptions,
    prompts: string[] = [],
  ): Promise<void> {
    try {
      const creation = await this.place.engine.createPlugin(specification as PluginSpecification, {
        maxIterations: 2,
        ...options,
      })
      const events = (async () => {
        for await (const event of creation.events()) this.seen.push(JSON.stringify(event))
      })()
      const result = await creation.result().catch((error: unknown) => everything(error))
      this.seen.push(JSON.stringify(result), JSON.stringify(await creation.status()))
      await events
    } catch (error) {
      this.seen.push(everything(error))
    }
    this.seen.push(...prompts)
  }

  /** What was found of the planted secrets, by where it was found. */
  leaks(): Record<string, unknown> {
    const spans = JSON.stringify(otlp.spans(), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
    return {
      directory: leakedFiles(planted, this.place.dataDir),
      spans: leaked(planted, spans),
      log: leaked(planted, printed),
      // Events, reports, errors and prompts.
      told: this.seen.flatMap((text) => leaked(planted, text)),
    }
  }
}

const NOTHING = { directory: [], spans: [], log: [], told: [] }

/** A text as no scanner reads it: in hex, with the first bit of each byte turned. */
const hidden = (text: string): string => `'${Buffer.from(Buffer.from(text).map((byte) => byte ^ 128)).toString('hex')}'`

/** A test that puts the secrets together when it runs, and says them in every way that a runner reports. */
function sayingTest(texts: string[]): string {
  const tests = texts.map((_text, index) => `  it(\`is named \${texts[${index}]}\`, () => {
    expect(texts[${index}]).toBe('')
  })
  it('throws ${index}', () => {
    expect(() => {
      throw new Error(texts[${index}])
    }).not.toThrow()
  })`)
  return `import { logger } from '@elizaos/core'
import { describe, expect, it } from 'vitest'

const texts = [
${texts.map((text) => `  ${hidden(text)},`).join('\n')}
].map((hex) => String.fromCharCode(...Buffer.from(hex, 'hex').map((byte) => byte ^ 128)))

describe('what it says', () => {
  it('prints', () => {
    for (const text of texts) logger.info(text)
    for (const text of texts) logger.error(text)
    expect(texts).toHaveLength(0)
  })
${tests.join('\n')}
})
`
}

/** A specification that has every field, with a text that people write in each. */
const full: PluginSpecification = {
  name: '@acme/plugin-full',
  description: 'Has every field',
  version: '1.0.0',
  actions: [
    {
      name: 'GET_ALL',
      description: 'Gets all',
      parameters: { one: { type: 'string', description: 'One', enum: ['a', 'b'], default: 'a' } },
      http: {
        method: 'POST',
        url: 'https://acme.io/all/{one}',
        query: { q: 'x' },
        headers: { Accept: 'text/plain' },
        body: { inner: ['y'] },
        result: 'items[0]',
        phrase: 'It is {result}',
      },
    },
    { name: 'LIST_ALL', description: 'Lists all', parameters: [{ name: 'two', type: 'string', description: 'Two' }] },
  ],
  providers: [
    {
      name: 'ALL',
      description: 'Knows all',
      dataStructure: { field: 'z' },
      http: { url: 'https://acme.io/all', headers: { Accept: 'text/plain' } },
    },
  ],
  services: [{ name: 'all', description: 'Holds all', methods: ['run', { name: 'halt', description: 'Halts' }] }],
  evaluators: [{ name: 'SEE_ALL', description: 'Sees all', triggers: ['all'] }],
  dependencies: { zod: '^4.0.0' },
  environmentVariables: [{ name: 'ALL_KEY', description: 'Opens all', required: false, sensitive: true }],
}

/** The value with a text in place of one string, for each string in it, and of each key that people choose. */
function planting(value: unknown, text: string): unknown[] {
  if (typeof value === 'string') return [text, `${value} ${text}`]
  if (Array.isArray(value)) {
    return value.flatMap((item, at) =>
      planting(item, text).map((planted) => value.map((other: unknown, place) => (place === at ? planted : other))),
    )
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const rest = Object.entries(value).filter(([other]) => other !== key)
    const inside = planting(inner, text).map((planted) => Object.fromEntries([...rest, [key, planted]]))
    return inside.concat(Object.fromEntries(rest.concat([[text, inner]])))
  })
}

/** A type whose text the compiler puts together in its complaint. */
function complaint(one: Canary): string {
  const pieces = one.secret.match(/.{1,5}/g) ?? []
  return `export const complaint: \`${pieces.map((piece) => `\${'${piece}'}`).join('')}\` = 1`
}

it('knows every secret that it plants', () => {
  const scanner = new SecretsScanner({ reveal: true })
  const missed = planted.filter(({ secret, text }) => scanner.redactSecretsInText(text).includes(secret))
  expect(missed.map(({ kind }) => kind)).toEqual([])
  expect(leaked(planted, scanner.redactSecretsInText(all))).toEqual([])
  expect(planted.length).toBeGreaterThan(130)
})

describe('a secret leaves no trace, though it stands in', () => {
  let jobs: Jobs
  let good: Files
  beforeAll(async () => {
    const place = await openWorkplace({ concurrency: 1, tracing: { url: otlp.url } })
    jobs = new Jobs(place)
    good = await templateFiles(place.engine, weather)
  }, 300_000)
  afterAll(() => jobs.place.remove())

  it('the answer of the model', async () => {
    const index = `${good['src/index.ts'] ?? ''}\nexport const planted = ${JSON.stringify(all)}\n`
    const { model, prompts } = scripted({ ...good, 'src/index.ts': index })
    await jobs.run(weather, { model }, prompts)
    const words = scripted(`I cannot do that: ${all}`)
    await jobs.run(weather, { model: words.model }, words.prompts)
    expect(jobs.seen.length).toBeGreaterThan(4)
    expect(jobs.leaks()).toEqual(NOTHING)
  })

  it('the error that the model throws', async () => {
    const cause = new Error(all)
    const model: ModelFunction = () => Promise.reject(new Error(`no access with ${all}`, { cause }))
    await jobs.run(weather, { model, maxIterations: 1 })
    expect(jobs.leaks()).toEqual(NOTHING)
  })

  it('any field of the specification, and words that describe it', async () => {
    const { model, prompts } = scripted('nothing')
    const [action] = weather.actions ?? []
    for (const { text } of planted) {
      const note = `Tells the weather with ${text}`
      for (const specification of [
        { ...weather, description: note },
        { ...weather, actions: [{ ...action, description: note }] },
        { ...weather, environmentVariables: [{ name: 'A_KEY', description: note, required: true, sensitive: true }] },
        { ...weather, services: [{ name: 'aService', description: note, methods: [text] }] },
        `a plugin that tells the weather with ${text}`,
      ]) {
        await jobs.run(specification as PluginSpecification, { model }, prompts)
      }
    }
    expect(jobs.leaks()).toEqual(NOTHING)
  })

  it('any text and any key of a specification that has every field', async () => {
    const { model, prompts } = scripted('nothing')
    expect(validateSpecification(full).problems).toEqual([])
    const places = planting(full, 'x').length
    expect(places).toBeGreaterThan(100)
    // All of them in each place, and each of them in some of the places by itself.
    const alone = planted.map(({ text }, at) => planting(full, text)[(at * 7) % places])
    for (const specification of [...planting(full, all), ...alone]) {
      await jobs.run(specification as PluginSpecification, { model, maxIterations: 1 }, prompts)
    }
    expect(jobs.leaks()).toEqual(NOTHING)
  })

  it('the name of the user, the place for the plugin and the name of the model', async () => {
    const { model, prompts } = scripted('nothing')
    for (const { text } of planted) {
      await jobs.run(weather, { model, maxIterations: 1, userId: text }, prompts)
    }
    await jobs.run(weather, { model, userId: all }, prompts)
    await jobs.run(weather, { model, outDir: jobs.place.fresh(all.slice(0, 200)) }, prompts)
    await jobs.run(weather, { apiKey: all, modelName: all, baseURL: 'http://127.0.0.1:9' }, prompts)
    await jobs.run(weather, { model, [all]: 1 } as CreatePluginOptions, prompts)
    expect(jobs.leaks()).toEqual(NOTHING)
  })

  it('the metadata of the job', async () => {
    const { model, prompts } = scripted('nothing')
    await jobs.run(weather, { model, metadata: { note: all, nested: { list: [all] } } }, prompts)
    expect(jobs.leaks()).toEqual(NOTHING)
  })

  it.skipIf(!docker)('what the tools print', async () => {
    const saying = { ...good, '__tests__/saying.test.ts': sayingTest(planted.map(({ text }) => text)) }
    const { model, prompts } = scripted(saying)
    await jobs.run(weather, { model }, prompts)
    // The tests did run, and their words came back.
    expect(prompts).toHaveLength(2)
    expect(prompts[1]).toContain('saying.test.ts')
    expect(prompts[1]).toContain('AssertionError')
    expect(prompts[1]).toContain('********')
    const token = planted.find(({ kind }) => kind === 'github-pat')
    const typed = { ...good, 'src/index.ts': `${good['src/index.ts'] ?? ''}\n${complaint(token!)}\n` }
    const compiled = scripted(typed)
    await jobs.run(weather, { model: compiled.model }, compiled.prompts)
    expect(compiled.prompts[1]).toContain('TS2322')
    expect(jobs.leaks()).toEqual(NOTHING)
  })
}, 600_000)

const without = withoutPostgres()

describe.skipIf(without !== undefined)('a secret leaves no trace in PostgreSQL, though it stands in', () => {
  let database: PostgresDatabase
  let jobs: Jobs
  beforeAll(async () => {
    database = await startPostgres()
    jobs = new Jobs(await openWorkplace({ store: database.url, concurrency: 1, tracing: { url: otlp.url } }))
  }, 120_000)

  /** What the database holds of the secrets; bytes are dumped in hex. */
  async function stored(): Promise<string[]> {
    const dump = await database.dump()
    expect(dump).toContain('create_plugin')
    const inHex = planted.map(({ secret, ...rest }) => Object.assign(rest, { secret: Buffer.from(secret).toString('hex') }))
    return [...leaked(planted, dump), ...leaked(inHex, dump)]
  }

  afterAll(async () => {
    await jobs.place.remove()
    await database.close()
  })

  it('the answer and the error of the model', async () => {
    const words = scripted(`I cannot do that: ${all}`)
    await jobs.run(weather, { model: words.model }, words.prompts)
    await jobs.run(weather, { model: () => Promise.reject(new Error(`no access with ${all}`)), maxIterations: 1 })
    expect(jobs.leaks()).toEqual(NOTHING)
    expect(await stored()).toEqual([])
  })

  it('any field of the specification, the name of the user and the metadata', async () => {
    const { model, prompts } = scripted('nothing')
    for (const specification of planting(full, all)) {
      await jobs.run(specification as PluginSpecification, { model, maxIterations: 1 }, prompts)
    }
    for (const { text } of planted) {
      await jobs.run(weather, { model, maxIterations: 1, userId: text.slice(0, 200), metadata: { note: text } }, prompts)
    }
    expect(jobs.leaks()).toEqual(NOTHING)
    expect(await stored()).toEqual([])
  })

  it.skipIf(!docker)('what the tools print', async () => {
    const good = await templateFiles(jobs.place.engine, weather)
    const { model, prompts } = scripted({ ...good, '__tests__/saying.test.ts': sayingTest(planted.map(({ text }) => text)) })
    await jobs.run(weather, { model }, prompts)
    expect(prompts[1]).toContain('saying.test.ts')
    expect(prompts[1]).toContain('AssertionError')
    expect(prompts[1]).toContain('********')
    expect(jobs.leaks()).toEqual(NOTHING)
    expect(await stored()).toEqual([])
  })
}, 300_000)
