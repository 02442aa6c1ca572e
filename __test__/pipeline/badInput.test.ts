import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEngine, type Engine } from '../../plugin/api/engine.js'
import { createPlugin, createPluginFromDescription } from '../../plugin/api/sharedEngine.js'
import type { ModelFunction } from '../../plugin/api/model.js'
import type { CreatePluginOptions, EngineOptions } from '../../plugin/api/options.js'
import { cpuTime } from '../support/cpuTime.js'
import { example, openWorkplace, rejection, reportOf, statuses, type Workplace } from '../support/workplace.js'

const weather = example('weather')
let place: Workplace
let engine: Engine

beforeAll(async () => {
  place = await openWorkplace({ sandbox: false })
  engine = place.engine
})
afterAll(() => place.remove())

/** Never answers. */
const silent: ModelFunction = () => new Promise(() => {})
const endless: ModelFunction = () => Promise.resolve('=== MANIFEST\n'.padEnd(50_000_000, 'x'))

/** Whatever it is, as TypeScript would never let it through. */
const any = <T>(value: unknown): T => value as T

function nested(depth: number): Record<string, unknown> {
  const top: Record<string, unknown> = {}
  let at = top
  for (let level = 0; level < depth; level += 1) at = at.a = {}
  return top
}

function cyclic(): Record<string, unknown> {
  const value: Record<string, unknown> = { name: 'plugin-a', description: 'x' }
  value.self = value
  return value
}

describe('a specification', () => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a text', 'plugin-weather'],
    ['a number', 7],
    ['an array', [weather]],
    ['a function', () => weather],
    ['an empty object', {}],
    ['a name that climbs', { ...weather, name: '../plugin-weather' }],
    ['a name that climbs in its scope', { ...weather, name: '@../../etc/plugin-passwd' }],
    ['a bigint in it', { ...weather, version: 1n }],
    ['a misspelt key', { ...weather, acitons: [] }],
    ['a key that reaches the prototype', JSON.parse('{"__proto__":{"a":1},"name":"plugin-a","description":"x"}')],
    ['one that refers to itself', cyclic()],
    ['one that is 1,000 levels deep', { ...weather, actions: nested(1_000) }],
    ['one that is 100,000 levels deep', { ...weather, actions: nested(100_000) }],
    ['10 MB', { ...weather, description: 'x'.repeat(10_000_000) }],
    ['10 MB of actions', { ...weather, actions: Array.from({ length: 100_000 }, () => ({ name: 'A', description: 'x'.repeat(80) })) }],
    ['a getter that throws', { ...weather, get version(): string { throw new Error('no') } }],
  ])('that is %s is refused with its problems', async (_what, value) => {
    const spent = cpuTime()
    const error = await rejection(engine.createPlugin(any(value)))
    expect(error.code).toBe('AUTON8N_SPECIFICATION_INVALID')
    const { problems } = error.details as { problems: { path: string; message: string; fix: string }[] }
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect([problem.path[0], problem.message, problem.fix]).toEqual(['$', expect.stringMatching(/./), expect.stringMatching(/./)])
    expect(error.message.length).toBeLessThan(10_000)
    expect(spent()).toBeLessThan(5_000)
    expect(await engine.jobs()).toEqual([])
  })
})

describe('an option', () => {
  it.each<[string, unknown, RegExp]>([
    ['null', null, /options/],
    ['a number', 7, /options/],
    ['an array', [], /options/],
    ['one that is misspelt', { maxIteration: 3 }, /maxIteration.*maxIterations/],
    ['rounds of another type', { maxIterations: '3' }, /maxIterations/],
    ['no rounds', { maxIterations: 0 }, /maxIterations/],
    ['endless rounds', { maxIterations: Infinity }, /maxIterations/],
    ['NaN for a time', { timeout: NaN }, /timeout/],
    ['a negative time', { timeout: -1 }, /timeout/],
    ['a priority that is none', { priority: 9 }, /priority/],
    ['an unknown generator', { generator: 'magic' }, /generator/],
    ['a model that is none', { model: 'gpt' }, /model/],
    ['a model that cannot be asked', { model: { specificationVersion: 'v1' } }, /model/],
    ['an empty key', { apiKey: '' }, /apiKey/],
    ['an address that is none', { apiKey: 'x', baseURL: 'ftp://x' }, /baseURL/],
    ['an empty user', { userId: '' }, /userId/],
    ['metadata of another type', { metadata: 'x' }, /metadata/],
    ['metadata that refers to itself', { metadata: cyclic() }, /metadata/],
    ['metadata that is 100,000 levels deep', { metadata: nested(100_000) }, /metadata/],
    ['metadata that is 1,000 levels deep', { metadata: nested(1_000) }, /./],
    ['metadata with a bigint', { metadata: { n: 1n } }, /metadata/],
    ['metadata of 1 MB', { metadata: { text: 'x'.repeat(1_000_000) } }, /metadata/],
    ['a folder that is none', { outDir: 7 }, /outDir/],
    ['a path that is none', { outDir: 'a\0b' }, /./],
    ['a model generator without a model', { generator: 'model' }, /model/],
  ])('that is %s is refused by its name', async (_what, options, named) => {
    const error = await rejection(engine.createPlugin(weather, any<CreatePluginOptions>(options)))
    expect(error.code).toMatch(/^AUTON8N_(OPTION_INVALID|FILE_UNREADABLE)$/)
    expect(error.message).toMatch(named)
    expect(await engine.jobs()).toEqual([])
  })

  it('that is a key of another type is refused, and a key is never repeated', async () => {
    const key = ['sk', 'ant', 'secret'.repeat(4)].join('-')
    const error = await rejection(engine.createPlugin(weather, any<string>(7), {}))
    expect(error.code).toBe('AUTON8N_OPTION_INVALID')
    const other = await rejection(engine.createPlugin(weather, key, any({ apikey: key })))
    expect(other.code).toBe('AUTON8N_OPTION_INVALID')
    expect(other.message).not.toContain(key)
  })

  it('of the free functions is checked before any engine is opened', async () => {
    expect((await rejection(createPlugin(weather, any({ model: 1 })))).code).toBe('AUTON8N_OPTION_INVALID')
    expect((await rejection(createPluginFromDescription('x', any(null)))).code).toBe('AUTON8N_OPTION_INVALID')
  })

  it.each<[string, unknown, RegExp]>([
    ['null', null, /options/],
    ['one that is misspelt', { datadir: 'x' }, /datadir.*dataDir/],
    ['an empty folder', { dataDir: '' }, /dataDir/],
    ['no concurrency', { concurrency: 0 }, /concurrency/],
    ['a sandbox that is true', { sandbox: true }, /sandbox/],
    ['a sandbox of another engine', { sandbox: { engine: 'chroot' } }, /chroot|engine/],
    ['a sandbox with little memory', { sandbox: { memory: '1m' } }, /memory/],
    ['a misspelt limit', { sandbox: { cpu: 1 } }, /cpu/],
    ['a breaker that never opens', { breaker: { failureThreshold: 0 } }, /failureThreshold/],
    ['a misspelt breaker', { breaker: { failures: 1 } }, /failures/],
    ['a store of another kind', { store: 'mysql://x' }, /store|mysql/],
    ['tracing to what is no address', { tracing: { url: 5 } }, /tracing/],
    ['a scanner with a misspelt option', { scanner: { rulez: [] } }, /rulez/],
    ['a deep sandbox', { sandbox: nested(100_000) }, /./],
  ])('of an engine that is %s is refused by its name', async (_what, options, named) => {
    const given = options === null ? null : { dataDir: place.fresh('unused'), ...(options as object) }
    const error = await rejection(openEngine(any<EngineOptions>(given)))
    expect(error.code).toMatch(/^AUTON8N_(OPTION_INVALID|STORE_UNAVAILABLE)$/)
    expect(error.message).toMatch(named)
  })

  it.each(['job', 'cancel', 'retry'] as const)('of %s() that is no id is refused', async (method) => {
    for (const id of [undefined, null, 7, '', {}]) {
      expect((await rejection(engine[method](any(id)))).code).toBe('AUTON8N_OPTION_INVALID')
    }
  })

  it('that is the id of no job is answered so', async () => {
    expect(await engine.job('nothing')).toBeNull()
    expect(await engine.cancel("' OR 1=1 --")).toBe(false)
    expect(await engine.retry('nothing')).toBe(false)
    const { code } = await rejection(engine.creation('nothing').result())
    expect(code).toBe('AUTON8N_JOB_NOT_FOUND')
  })

  it('of a description that is none is refused', async () => {
    for (const text of [undefined, null, 7, '', '  ', 'x'.repeat(1_000_000)]) {
      const error = await rejection(engine.createPluginFromDescription(any(text), { model: silent }))
      expect(error.code).toBe('AUTON8N_OPTION_INVALID')
    }
    expect((await rejection(engine.createPluginFromDescription('Tell jokes.'))).code).toBe('AUTON8N_MODEL_NEEDED')
  })
})

describe('a model function', () => {
  it.each<[string, ModelFunction]>([
    ['throws', () => { throw new Error('out of order') }],
    ['rejects with nothing', () => Promise.reject(any(undefined))],
    ['answers null', () => Promise.resolve(any(null))],
    ['answers a number', () => Promise.resolve(any(7))],
    ['answers no promise', () => any(undefined)],
    ['answers an object without text', () => Promise.resolve(any({ answer: 'x' }))],
  ])('that %s ends the job with AUTON8N_MODEL_FAILED and a report', async (_what, model) => {
    const error = await rejection((await engine.createPlugin(weather, { model })).result())
    expect(error.code).toBe('AUTON8N_MODEL_FAILED')
    expect(statuses(reportOf(error))['generate']).toBe('inconclusive')
  })

  it('that answers 50 MB is told that this is too much', async () => {
    const error = await rejection((await engine.createPlugin(weather, { model: endless, maxIterations: 1 })).result())
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expect(error.message.length).toBeLessThan(5_000)
  })

  it('that never answers is given up when the attempt’s time is over', async () => {
    const signals: AbortSignal[] = []
    const model: ModelFunction = ({ signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const creation = await engine.createPlugin(weather, { model, timeout: 200 })
    await expect.poll(async () => (await creation.status()).error?.code).toBe('AUTON8N_TIMEOUT')
    await expect.poll(() => signals[0]?.aborted).toBe(true)
    expect(await creation.cancel()).toBe(true)
  })
})

it('leaves the process alive through all of it', () => {
  expect(engine.metrics()).toBeInstanceOf(Promise)
})
