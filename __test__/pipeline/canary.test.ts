import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CreatePluginOptions } from '../../plugin/api/options.js'
import type { ModelFunction } from '../../plugin/api/model.js'
import type { PluginSpecification } from '../../plugin/api/specification.js'
import { checksum } from '../native/scan-tokens.js'
import { receiver } from '../native/tracer-receiver.js'
import {
  example,
  filesHolding,
  openWorkplace,
  scripted,
  templateFiles,
  type Files,
  type Workplace,
} from '../support/workplace.js'

/** Secrets of several kinds are planted in every input of a job; then they are searched for wherever a job leaves a trace. */

const body = 'Zk3Xq8Rn5Wd1Yv7Tb4Jm9Ls6Pc2Hf0Ga'
const lines = ['MIIEpAIBAAKCAQEAv3kQ9xW2Rt7Lm5Vb8NpHd4Jc6Fg1YsT0wZq2Xe5Rv8Bn3Kd7', 'Yw4Ts9Ph6Mj1Lc8Fb2Gx5Nq0Vz7Ra3We6Ud9Ik4Ho1Jt8Sy5Cm2Pb7Dl0Xg3Ev6']
const canaries: Record<string, string> = {
  'a GitHub token': checksum('c4n4ryLw5PdH3sN6yJ1cG0fT8uEaR2'),
  'a Stripe key': ['sk', 'live', body.slice(0, 24)].join('_'),
  'an Anthropic key': `${['sk', 'ant', 'api03', ''].join('-')}${body.repeat(3).slice(0, 93)}AA`,
  'a password in an address': 'c4n4ryPass9xW2Rt7Lm',
  'a private key': lines[0] ?? '',
}
/** The text in which each canary stands. */
const texts: Record<string, string> = {
  ...canaries,
  'a password in an address': `postgres://admin:${canaries['a password in an address'] ?? ''}@db.internal.net:5432/app`,
  'a private key': [['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' '), ...lines, ['-----END RSA', 'PRIVATE KEY-----'].join(' ')].join('\n'),
}
const all = Object.values(texts).join('\n')
const weather = example('weather')

let place: Workplace
let otlp: Awaited<ReturnType<typeof receiver>>
let good: Files
let printed = ''
const seen: string[] = []

beforeAll(async () => {
  otlp = await receiver()
  place = await openWorkplace({ concurrency: 1, tracing: { url: otlp.url } })
  good = await templateFiles(place.engine, weather)
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    vi.spyOn(stream, 'write').mockImplementation((chunk, ...rest) => {
      printed += String(chunk)
      return write(chunk, ...(rest as []))
    })
  }
}, 300_000)
afterAll(async () => {
  vi.restoreAllMocks()
  await place.remove()
  await otlp.close()
})

function everything(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { details } = error as { details?: unknown }
  return [error.message, error.stack, JSON.stringify(details), error.cause ? everything(error.cause) : ''].join('\n')
}

/** Runs a job to its end, whatever it is, and keeps all it says. */
async function run(
  specification: PluginSpecification | string,
  options: CreatePluginOptions,
  prompts: string[] = [],
): Promise<void> {
  try {
    const creation = await place.engine.createPlugin(specification as PluginSpecification, { maxIterations: 2, ...options })
    const events = (async () => {
      for await (const event of creation.events()) seen.push(JSON.stringify(event))
    })()
    const result = await creation.result().catch((error: unknown) => everything(error))
    seen.push(JSON.stringify(result), JSON.stringify(await creation.status()))
    await events
  } catch (error) {
    seen.push(everything(error))
  }
  seen.push(...prompts)
}

function expectNothing(): void {
  const spans = JSON.stringify(otlp.spans(), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  for (const [kind, canary] of Object.entries(canaries)) {
    expect(filesHolding(place.dataDir, canary), `${kind} in the data directory`).toEqual([])
    expect(spans.includes(canary), `${kind} in a span`).toBe(false)
    expect(printed.includes(canary), `${kind} in the log`).toBe(false)
    const leak = seen.find((text) => text.includes(canary))
    const at = leak?.indexOf(canary) ?? 0
    expect(leak?.slice(Math.max(0, at - 200), at), `${kind} in an event, a report, an error or a prompt`).toBeUndefined()
  }
}

describe('a secret leaves no trace, though it stands in', () => {
  it('the answer of the model', async () => {
    const index = `${good['src/index.ts'] ?? ''}\nexport const planted = ${JSON.stringify(all)}\n`
    const { model, prompts } = scripted({ ...good, 'src/index.ts': index })
    await run(weather, { model }, prompts)
    const words = scripted(`I cannot do that: ${all}`)
    await run(weather, { model: words.model }, words.prompts)
    expect(seen.length).toBeGreaterThan(4)
    expectNothing()
  })

  it('the error that the model throws', async () => {
    const model: ModelFunction = () => Promise.reject(new Error(`no access with ${all}`))
    await run(weather, { model, maxIterations: 1 })
    expectNothing()
  })

  it('the specification, and words that describe it', async () => {
    await run({ ...weather, description: `Tells the weather with ${texts['a Stripe key'] ?? ''}` }, { generator: 'template' })
    const { model, prompts } = scripted('nothing')
    for (const text of Object.values(texts)) await run(`a plugin that tells the weather with ${text}`, { model }, prompts)
    expectNothing()
  })

  it('the metadata of the job', async () => {
    const { model, prompts } = scripted('nothing')
    await run(weather, { model, metadata: { note: all, nested: { list: [all] } } }, prompts)
    expectNothing()
  })
}, 600_000)
