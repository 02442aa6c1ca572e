import { createRequire } from 'node:module'
import { createOpenAI } from '@ai-sdk/openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toNativeModel, type ModelSource, type PendingCalls } from '../../plugin/api/model.js'
import type { ModelAnswer } from '../../plugin/api/nativeEngine.js'
import { startModelServer, type ModelServer } from '../support/modelServer.js'

const key = ['sk', 'ant', 'test', 'k3y'.repeat(8)].join('-')
const request = {
  system: 'You write plugins.',
  prompt: 'Write one.',
  maxTokens: 4096,
  temperature: 0.1,
  iteration: 1,
  callId: 'call-1',
}

let server: ModelServer

beforeAll(async () => {
  server = await startModelServer()
})
afterAll(() => server.close())
beforeEach(() => server.script([]))

function ask(source: ModelSource, pending: PendingCalls = new Map()): Promise<ModelAnswer> {
  const model = toNativeModel(source, pending)
  if (!model) throw new Error('there is no model')
  return model(request)
}

function openai(create = createOpenAI): ReturnType<typeof createOpenAI> {
  return create({ apiKey: key, baseURL: `${server.url}/v1` })
}

/** plugin-openai brings the provider that belongs to `ai` 5. */
const { createOpenAI: createOpenAI5 } = createRequire(
  createRequire(import.meta.url).resolve('@elizaos/plugin-openai'),
)('@ai-sdk/openai') as { createOpenAI: typeof createOpenAI }

describe.each([
  ['an Anthropic key', (): ModelSource => ({ apiKey: key, baseURL: server.url, modelName: 'claude-test' })],
  ['a chat model of `ai` 6', (): ModelSource => ({ model: openai().chat('gpt-test') })],
  ['a responses model of `ai` 6', (): ModelSource => ({ model: openai().responses('gpt-test') })],
  ['a chat model of `ai` 5', (): ModelSource => ({ model: openai(createOpenAI5).chat('gpt-test') })],
])('%s', (_name, source) => {
  it('answers text, tokens and one word for the end', async () => {
    server.script([{ kind: 'text', text: 'hello' }])
    expect(await ask(source())).toEqual({
      text: 'hello',
      usage: { inputTokens: expect.any(Number), outputTokens: 2 },
      finishReason: 'stop',
      model: expect.any(String),
      provider: expect.any(String),
    })
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]?.prompt).toContain('You write plugins.')
    expect(server.requests[0]?.prompt).toContain('Write one.')
  })

  it('says that an answer was cut off', async () => {
    server.script([{ kind: 'text', text: 'half', finish: 'length' }])
    expect(await ask(source())).toMatchObject({ text: 'half', finishReason: 'length' })
  })

  it('says that the model declined', async () => {
    server.script([{ kind: 'text', text: 'I cannot do that.', finish: 'refusal' }])
    expect(await ask(source())).toMatchObject({ error: { code: 'AUTON8N_MODEL_REFUSED' } })
  })

  it.each([
    [401, 'AUTON8N_MODEL_UNAUTHORIZED'],
    [403, 'AUTON8N_MODEL_UNAUTHORIZED'],
    [429, 'AUTON8N_MODEL_RATE_LIMITED'],
    [500, 'AUTON8N_MODEL_UNAVAILABLE'],
    [529, 'AUTON8N_MODEL_UNAVAILABLE'],
    [400, 'AUTON8N_MODEL_FAILED'],
  ])('classifies %i as %s, in one request and without the key', async (status, code) => {
    server.script([{ kind: 'status', status, message: `refused for ${key}` }])
    const answer = await ask(source())
    expect(answer).toMatchObject({ error: { code } })
    expect(JSON.stringify(answer)).not.toContain(key)
    expect(JSON.stringify(answer)).not.toContain('Write one.')
    expect(server.requests).toHaveLength(1)
  })

  it('passes on how long to wait', async () => {
    server.script([{ kind: 'status', status: 429, headers: { 'retry-after': '7' } }])
    expect(await ask(source())).toMatchObject({ error: { retryAfterMs: 7000 } })
  })

  it('says that an answer is not what the protocol asks for', async () => {
    server.script([{ kind: 'garbage' }])
    expect(await ask(source())).toMatchObject({ error: { code: expect.stringMatching(/MODEL_(FAILED|UNAVAILABLE)/) } })
  })

  it('says that a connection broke', async () => {
    server.script([{ kind: 'drop' }])
    expect(await ask(source())).toMatchObject({ error: { code: 'AUTON8N_MODEL_UNAVAILABLE' } })
  })

  it('ends a call that is no longer wanted', async () => {
    server.script([{ kind: 'delay', milliseconds: 20_000, next: { kind: 'text', text: 'late' } }])
    const pending = new Map() as PendingCalls
    const answer = ask(source(), pending)
    await expect.poll(() => server.requests.length).toBe(1)
    pending.get('call-1')?.abort()
    expect(await answer).toMatchObject({ error: { code: 'AUTON8N_TIMEOUT' } })
    expect(pending.size).toBe(0)
  })
})

function anthropic(): ModelSource {
  return { apiKey: key, baseURL: `${server.url}/v1/`, modelName: 'claude-test' }
}

describe('the protocol of Anthropic', () => {

  it('sends what the protocol asks for', async () => {
    server.script([{ kind: 'text', text: 'hello' }])
    await ask(anthropic())
    const [sent] = server.requests
    expect(sent?.path).toBe('/v1/messages')
    expect(sent?.headers['x-api-key']).toBe(key)
    expect(sent?.headers['anthropic-version']).toBe('2023-06-01')
    expect(sent?.body).toMatchObject({ model: 'claude-test', max_tokens: 4096, temperature: 0.1 })
  })

  it('asks again without what this model does not take', async () => {
    server.script([
      { kind: 'status', status: 400, message: 'max_tokens: 4096 > 2048, which is the maximum for claude-test' },
      { kind: 'status', status: 400, message: '`temperature` is not supported by this model' },
      { kind: 'text', text: 'hello' },
    ])
    expect(await ask(anthropic())).toMatchObject({ text: 'hello' })
    expect(server.requests[2]?.body).toMatchObject({ max_tokens: 2048 })
    expect(server.requests[2]?.body).not.toHaveProperty('temperature')
  })

  it('sees that a stream broke off in the middle', async () => {
    server.script([{ kind: 'drop', after: 20 }])
    expect(await ask(anthropic())).toMatchObject({ error: { code: 'AUTON8N_MODEL_UNAVAILABLE' } })
  })

  it('takes address and model from the environment', async () => {
    const before = { url: process.env.ANTHROPIC_BASE_URL, model: process.env.CLAUDE_MODEL }
    process.env.ANTHROPIC_BASE_URL = server.url
    process.env.CLAUDE_MODEL = 'claude-from-environment'
    try {
      server.script([{ kind: 'text', text: 'hello' }])
      await ask({ apiKey: key })
      expect(server.requests[0]?.body.model).toBe('claude-from-environment')
    } finally {
      restore('ANTHROPIC_BASE_URL', before.url)
      restore('CLAUDE_MODEL', before.model)
    }
  })
})

describe('a model function', () => {
  it.each([
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    [-1, 0],
    ['12', 0],
    [null, 0],
    [2.6, 3],
    [1e300, 1_000_000_000],
  ])('may count %s tokens; that is taken as %d', async (inputTokens, taken) => {
    const usage = { inputTokens: inputTokens as number, outputTokens: 7 }
    const model = async (): Promise<{ text: string; usage: typeof usage }> => ({ text: 'hello', usage })
    expect(await ask({ model })).toEqual({ text: 'hello', usage: { inputTokens: taken, outputTokens: 7 } })
  })

  it('gets the request and a signal, and may answer plain text', async () => {
    let seen: object = {}
    const answer = await ask({
      model: async (given) => {
        seen = given
        return 'plain'
      },
    })
    expect(answer).toEqual({ text: 'plain' })
    expect(seen).toMatchObject({ system: 'You write plugins.', iteration: 1, signal: expect.any(AbortSignal) })
    expect(seen).not.toHaveProperty('callId')
  })

  it.each([
    ['an error with a status', Object.assign(new Error('slow'), { statusCode: 429 }), 'AUTON8N_MODEL_RATE_LIMITED'],
    ['a code of ours', Object.assign(new Error('no'), { code: 'AUTON8N_MODEL_REFUSED' }), 'AUTON8N_MODEL_REFUSED'],
    ['a time-out', new DOMException('too slow', 'TimeoutError'), 'AUTON8N_TIMEOUT'],
    ['an error of another kind', new Error('broken'), 'AUTON8N_MODEL_FAILED'],
    ['something that is no error', 42, 'AUTON8N_MODEL_FAILED'],
    [
      'the last error of a retry',
      Object.assign(new Error('gave up'), { lastError: Object.assign(new Error('busy'), { statusCode: 503 }) }),
      'AUTON8N_MODEL_UNAVAILABLE',
    ],
  ])('classifies %s', async (_name, thrown, code) => {
    const answer = await ask({
      model: () => Promise.reject(thrown),
    })
    expect(answer).toMatchObject({ error: { code } })
  })

  it('that ignores its signal is left behind when the answer is no longer wanted', async () => {
    const pending = new Map<string, AbortController>()
    const answer = ask({ model: () => new Promise(() => undefined) }, pending)
    pending.get('call-1')?.abort()
    expect(await answer).toMatchObject({ error: { code: 'AUTON8N_TIMEOUT' } })
  })

  it.each([[undefined], [null], [7], [{ text: 7 }], [{}]])('refuses the answer %j', async (value) => {
    const answer = await ask({ model: () => Promise.resolve(value as unknown as string) })
    expect(answer).toMatchObject({ error: { code: 'AUTON8N_MODEL_FAILED' } })
  })
})

it('knows the models of `ai` 5 and 6 by their versions', () => {
  expect(openai(createOpenAI5).chat('gpt-test').specificationVersion).toBe('v2')
  expect(openai().chat('gpt-test').specificationVersion).toBe('v3')
})

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
