import { createOpenAI } from '@ai-sdk/openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatReply } from '../../plugin/api/reply.js'
import type { CreatePluginOptions } from '../../plugin/api/options.js'
import { startModelServer, type ModelServer, type Script } from '../support/modelServer.js'
import {
  changed,
  containersOf,
  docker,
  example,
  filesHolding,
  openWorkplace,
  rejection,
  reportOf,
  scripted,
  statuses,
  templateFiles,
  until,
  type Files,
  type Workplace,
} from '../support/workplace.js'

const weather = example('weather')
const index = 'src/index.ts'
const key = ['sk', 'ant', 'api03', 'k3yForTests'.repeat(4)].join('-')

let place: Workplace
let server: ModelServer
let good: Files
let reply: string
let broken: Files

beforeAll(async () => {
  server = await startModelServer()
  place = await openWorkplace({ concurrency: 4, breaker: false })
  good = await templateFiles(place.engine, weather)
  reply = formatReply(good)
  broken = { ...good, [index]: `${good[index] ?? ''}\nexport const broken: string = 1\n` }
})
afterAll(async () => {
  await place.remove()
  await server.close()
})
beforeEach(() => server.script([]))

const text = (answer: string, finish?: 'length' | 'refusal'): Script => ({
  kind: 'text',
  text: answer,
  ...(finish ? { finish } : {}),
})

const anthropic = (): CreatePluginOptions => ({ apiKey: key, baseURL: server.url, modelName: 'claude-test' })
const openai = (): CreatePluginOptions => ({
  model: createOpenAI({ apiKey: key, baseURL: `${server.url}/v1` }).chat('gpt-test'),
})

/** The job failed, and the key is nowhere. */
async function failure(options: CreatePluginOptions): Promise<Awaited<ReturnType<typeof rejection>>> {
  const creation = await place.engine.createPlugin(weather, options)
  const error = await rejection(creation.result())
  const job = await creation.status()
  expect(job.status).toBe('failed')
  expect(job.error?.code).toBe(error.code)
  expect(JSON.stringify([error.message, error.details, job])).not.toContain(key)
  return error
}

describe.each([
  ['Anthropic’s protocol', anthropic],
  ['OpenAI’s protocol', openai],
])('%s', (_name, options) => {
  it('makes a plugin of the first answer and counts its tokens', async () => {
    server.script([text(reply)])
    const creation = await place.engine.createPlugin(weather, options())
    const { report } = await creation.result()
    expect(report.verdict).toBe('passed')
    expect(report.iterations).toBe(1)
    expect(report.tokens?.input).toBeGreaterThan(1000)
    expect(report.tokens?.output).toBe(Math.ceil(reply.length / 4))
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]?.prompt).toContain('GET_WEATHER')
  })

  it('ends for good at a wrong key, after one request, and keeps the key to itself', async () => {
    server.script([{ kind: 'status', status: 401, message: `no such key: ${key}` }])
    const error = await failure(options())
    expect(error.code).toBe('AUTON8N_MODEL_UNAUTHORIZED')
    expect(server.requests).toHaveLength(1)
    expect(reportOf(error).verdict).toBe('inconclusive')
    expect(statuses(reportOf(error))['generate']).toBe('inconclusive')
    expect(filesHolding(place.dataDir, key)).toEqual([])
  })

  it('waits as long as the provider asks, and goes on', async () => {
    const asked: number[] = []
    server.script((_request, index) => {
      asked.push(Date.now())
      return index === 0 ? { kind: 'status', status: 429, headers: { 'retry-after': '2' } } : text(reply)
    })
    const creation = await place.engine.createPlugin(weather, options())
    const waiting = await until(place.engine, creation.id, (job) => job.status === 'retrying')
    expect(waiting.error?.code).toBe('AUTON8N_MODEL_RATE_LIMITED')
    const { report } = await creation.result()
    expect(report).toMatchObject({ verdict: 'passed', iterations: 1 })
    expect(asked).toHaveLength(2)
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(1950)
  })

  it('tries again when the provider is overloaded', async () => {
    server.script([{ kind: 'status', status: 529 }, text(reply)])
    const creation = await place.engine.createPlugin(weather, options())
    expect((await creation.result()).report.verdict).toBe('passed')
    expect(server.requests).toHaveLength(2)
  })

  it('asks again after an answer that was cut off, and says so', async () => {
    server.script([text(reply.slice(0, reply.length / 2), 'length'), text(reply)])
    const creation = await place.engine.createPlugin(weather, options())
    expect((await creation.result()).report).toMatchObject({ verdict: 'passed', iterations: 2 })
    expect(server.requests[1]?.prompt).toMatch(/cut off/i)
  })

  it('takes no for an answer', async () => {
    server.script([text('I will not do that.', 'refusal')])
    const error = await failure(options())
    expect(error.code).toBe('AUTON8N_MODEL_REFUSED')
    expect(reportOf(error).verdict).toBe('failed')
    expect(server.requests).toHaveLength(1)
  })

  it('does not survive garbage in the place of the protocol', async () => {
    server.script([{ kind: 'garbage' }])
    const error = await failure(options())
    expect(error.code).toMatch(/^AUTON8N_MODEL_(FAILED|UNAVAILABLE)$/)
    expect(statuses(reportOf(error))['generate']).toBe('inconclusive')
  })
})

it('takes the key as its second argument', async () => {
  server.script([{ kind: 'status', status: 401 }])
  const creation = await place.engine.createPlugin(weather, key, { baseURL: server.url })
  expect((await rejection(creation.result())).code).toBe('AUTON8N_MODEL_UNAUTHORIZED')
  expect(server.requests[0]?.headers['x-api-key']).toBe(key)
})

it('gives up after three retries of a provider that stays down, and says so in the report', async () => {
  server.script([{ kind: 'status', status: 503 }])
  const error = await failure(anthropic())
  expect(error.code).toBe('AUTON8N_MODEL_UNAVAILABLE')
  expect(reportOf(error)).toMatchObject({ verdict: 'inconclusive' })
  expect(server.requests).toHaveLength(4)
})

describe('a repair', () => {
  it('is asked with the actual file and the exact diagnostic, and ends in a plugin', async () => {
    const { model, prompts } = scripted(broken, good)
    const creation = await place.engine.createPlugin(weather, { model })
    const { report } = await creation.result()
    expect(report).toMatchObject({ verdict: 'passed', iterations: 2 })
    expect(prompts).toHaveLength(2)
    const line = (broken[index] ?? '').split('\n').indexOf('export const broken: string = 1') + 1
    expect(prompts[1]).toContain(`${index}:${line}:14 TS2322: Type 'number' is not assignable to type 'string'.`)
    expect(prompts[1]).toContain(broken[index])
  })

  it('sees the findings of compiler and linter in one round', async () => {
    const both = { ...broken, [index]: `${broken[index] ?? ''}export const alike = (a: string): boolean => a == 'x'\n` }
    const { model, prompts } = scripted(both, good)
    await (await place.engine.createPlugin(weather, { model })).result()
    expect(prompts[1]).toContain('TS2322')
    expect(prompts[1]).toContain('eqeqeq')
  })

  it('follows garbage and a path outside of the package, each with what was wrong', async () => {
    const outside = reply.replaceAll('__tests__/index.test.ts', '../../outside.test.ts')
    const { model, prompts } = scripted('{{{ garbage', outside, good)
    const { report } = await (await place.engine.createPlugin(weather, { model })).result()
    expect(report).toMatchObject({ verdict: 'passed', iterations: 3 })
    expect(prompts[1]).toContain('=== MANIFEST')
    expect(prompts[1]).toContain('could not be used')
    expect(prompts[2]).toContain('../../outside.test.ts')
  })

  it('of a secret in the code is asked without the secret', async () => {
    const secret = ['sk', 'live', 'Qm7Rt2Yx9Lp4Vn8Kc3Wz6Hd1'].join('_')
    const leaking = { ...good, [index]: `${good[index] ?? ''}\nexport const token = '${secret}'\n` }
    const { model, prompts } = scripted(leaking, good)
    const creation = await place.engine.createPlugin(weather, { model })
    expect((await creation.result()).report).toMatchObject({ verdict: 'passed', iterations: 2 })
    expect(prompts[1]).toContain('secret/')
    expect(prompts[1]).not.toContain(secret)
  })

  it('stops early when the same files come again', async () => {
    const { model, prompts } = scripted(broken)
    const error = await failure({ model, maxIterations: 20 })
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expect(error.message).toContain('same files')
    expect(prompts).toHaveLength(2)
  })

  it('stops early when nothing improves', async () => {
    const variants = [1, 2, 3, 4, 5].map((n) => changed(broken, index, 'broken: string', `broken${n}: string`))
    const { model, prompts } = scripted(...variants)
    const error = await failure({ model, maxIterations: 20 })
    expect(error.message).toContain('no progress')
    expect(prompts).toHaveLength(3)
    expect(reportOf(error).iterations).toBe(3)
  })

  it('is made as often as `maxIterations` says, and no more', async () => {
    const two = { ...broken, [index]: `${broken[index] ?? ''}export const second: string = 2\n` }
    const { model, prompts } = scripted(two, broken, good)
    const error = await failure({ model, maxIterations: 2 })
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expect(reportOf(error)).toMatchObject({ verdict: 'failed', iterations: 2 })
    expect(prompts).toHaveLength(2)
  })
})

it('keeps what a model’s own error gives away out of the job and the store', async () => {
  const secret = ['sk', 'live', 'Hd1Qm7Rt2Yx9Lp4Vn8Kc3Wz6'].join('_')
  const error = await failure({ model: () => Promise.reject(new Error(`POST https://user:${secret}@host failed`)) })
  expect(error.code).toBe('AUTON8N_MODEL_FAILED')
  expect(JSON.stringify([error.message, error.details])).not.toContain(secret)
  expect(filesHolding(place.dataDir, secret)).toEqual([])
})

describe('cancel', () => {
  it.skipIf(!docker)('takes away the box that runs', async () => {
    const creation = await place.engine.createPlugin(weather, { model: scripted(good).model })
    for await (const event of creation.events()) if (event.type === 'stage' && event.stage === 'type-check') break
    await expect.poll(() => containersOf(process.pid).length).toBeGreaterThan(0)
    expect(await creation.cancel()).toBe(true)
    expect((await rejection(creation.result())).code).toBe('AUTON8N_CANCELLED')
    await expect.poll(() => containersOf(process.pid)).toEqual([])
  })

  it('aborts the signal of the model call that is under way', async () => {
    let signal: AbortSignal | undefined
    const model: CreatePluginOptions['model'] = (request) => {
      signal = request.signal
      return new Promise((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true })
      })
    }
    const creation = await place.engine.createPlugin(weather, { model })
    await expect.poll(() => signal).toBeDefined()
    expect(signal?.aborted).toBe(false)
    expect(await creation.cancel()).toBe(true)
    await expect.poll(() => signal?.aborted).toBe(true)
    expect((await rejection(creation.result())).code).toBe('AUTON8N_CANCELLED')
    expect((await creation.status()).status).toBe('cancelled')
    expect(await creation.cancel()).toBe(false)
  })
})

describe('the breaker', () => {
  it('opens after failures in a row, so that the provider is left alone', async () => {
    const own = await openWorkplace({ breaker: { failureThreshold: 2, resetTimeout: 3_000 }, concurrency: 1 })
    try {
      server.script([{ kind: 'status', status: 503 }])
      const creation = await own.engine.createPlugin(weather, anthropic())
      const refused = await until(own.engine, creation.id, (job) => job.error?.code === 'AUTON8N_BREAKER_OPEN')
      expect(refused.error?.message).toContain("Circuit breaker 'model' is open")
      expect(server.requests).toHaveLength(2)
      expect(await own.engine.metrics()).toMatchObject({ breaker: { state: 'open', failedRequests: 2 } })
      server.script([text(reply)])
      const { report } = await creation.result()
      expect(report.verdict).toBe('passed')
      expect(server.requests).toHaveLength(1)
    } finally {
      await own.remove()
    }
  })

  it('does not open at wrong keys', async () => {
    const own = await openWorkplace({ breaker: { failureThreshold: 1 } })
    try {
      server.script([{ kind: 'status', status: 401 }])
      await rejection((await own.engine.createPlugin(weather, anthropic())).result())
      expect(await own.engine.metrics()).toMatchObject({ breaker: { state: 'closed' } })
    } finally {
      await own.remove()
    }
  })
})
