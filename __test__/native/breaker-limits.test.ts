import { describe, expect, it } from 'vitest'
import { cellOf } from '../../plugin/api/breaker-cells.js'
import { Auton8nError, CircuitBreaker, type CircuitBreakerOptions, type CircuitBreakerSnapshot } from '../../plugin/index.js'

const down = (): Promise<never> => Promise.reject(new Error('down'))
const up = (): Promise<string> => Promise.resolve('up')
const quiet = (breaker: CircuitBreaker, fn: () => Promise<unknown>): Promise<unknown> => breaker.execute(fn).catch(() => {})

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not come to that within a minute')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** A call that ends when it is told to. */
function pending(): { call: () => Promise<string>; end: () => void; started: () => boolean } {
  let started = false
  const { promise, resolve } = deferred<string>()
  return { call: () => ((started = true), promise), end: () => resolve('done'), started: () => started }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((yes) => (resolve = yes))
  return { promise, resolve }
}

describe('the cells of durations', () => {
  it('are those of the engine: each duration lies within a sixteenth of what its cell stands for', () => {
    for (let ms = 0.016; ms < 3_000_000; ms *= 1.037) {
      const cell = cellOf(ms) - 1
      const middle = (2 ** Math.floor(cell / 8) / 64) * (1 + ((cell % 8) + 0.5) / 8)
      expect(Math.abs(middle - ms) / ms).toBeLessThanOrEqual(0.0626)
    }
    expect([NaN, -1, 0, 0.001].map(cellOf)).toEqual([0, 0, 0, 0])
    expect([1e9, Infinity].map(cellOf)).toEqual([224, 224])
  })

  it('are told before one of them is full', async () => {
    const breaker = new CircuitBreaker('many')
    for (let i = 0; i < 1_000; i++) await breaker.execute(up)
    const { totalRequests, successfulRequests, averageResponseTime, percentiles } = breaker.getMetrics()
    expect([totalRequests, successfulRequests]).toEqual([1_000, 1_000])
    expect(averageResponseTime).toBeGreaterThan(0)
    expect(percentiles.p99).toBeLessThan(100)
  })
})

describe('a window of calls', () => {
  it('opens by the last calls, whatever the time, and at exactly the percentage', async () => {
    const breaker = new CircuitBreaker('calls', { rollingWindowCalls: 4, volumeThreshold: 4, failureThreshold: 100 })
    for (let i = 0; i < 500; i++) await breaker.execute(up)
    await quiet(breaker, down)
    await breaker.execute(up)
    expect(breaker.getState()).toBe('closed')
    await quiet(breaker, down)
    expect(breaker.getState()).toBe('open')
    expect(breaker.getMetrics()).toMatchObject({ errorPercentage: 50, totalRequests: 503 })
  })

  it('takes its own size as the volume where that is larger', async () => {
    const breaker = new CircuitBreaker('small', { rollingWindowCalls: 2, failureThreshold: 100 })
    await breaker.execute(up)
    await quiet(breaker, down)
    expect(breaker.getState()).toBe('open')
  })
})

describe('the open time', () => {
  it('grows with each trial that fails, to its cap, and is short again after it closed', async () => {
    const options = { failureThreshold: 1, successThreshold: 1, resetTimeout: 300, resetBackoff: 2, resetTimeoutMax: 700 }
    const breaker = new CircuitBreaker('backoff', options)
    for (const expected of [300, 600, 700]) {
      const before = performance.now()
      await quiet(breaker, down)
      const { openFor } = breaker.toJSON()
      expect(openFor).toBeLessThanOrEqual(expected)
      // What is left of it, however long this program was kept from looking.
      expect(openFor).toBeGreaterThan(expected - (performance.now() - before) - 5)
      await until(() => breaker.getState() === 'half-open')
    }
    await quiet(breaker, down)
    await until(() => breaker.getState() === 'half-open')
    await breaker.execute(up)
    expect(breaker.toJSON()).toMatchObject({ state: 'closed', reopenings: 0 })
  })

  it('differs by chance between breakers, and is never longer for it', () => {
    const times = Array.from({ length: 40 }, () => {
      const breaker = new CircuitBreaker('jitter', { resetTimeout: 10_000, resetJitter: 0.5 })
      breaker.forceOpen()
      const { openFor } = breaker.toJSON()
      breaker.reset()
      return openFor ?? 0
    })
    expect(new Set(times).size).toBeGreaterThan(20)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(4_990)
    expect(Math.max(...times)).toBeLessThanOrEqual(10_000)
  })
})

describe('at most so many calls at once', () => {
  it('run; others wait in order, and those without a place are refused', async () => {
    const breaker = new CircuitBreaker('full', { maxConcurrent: 2, maxWaiting: 1 })
    const [one, two, three] = [pending(), pending(), pending()]
    const results = [breaker.execute(one.call), breaker.execute(two.call), breaker.execute(three.call)]
    const refused: unknown[] = []
    breaker.on('rejected', (error) => refused.push(error))
    await expect(breaker.execute(up)).rejects.toMatchObject({
      code: 'AUTON8N_RATE_LIMITED',
      message: "Circuit breaker 'full' runs 2 calls already",
    })
    expect(await breaker.execute(up, async (error) => (error as Auton8nError).code)).toBe('AUTON8N_RATE_LIMITED')
    expect([one.started(), two.started(), three.started()]).toEqual([true, true, false])
    expect(refused).toHaveLength(2)
    one.end()
    await results[0]
    expect(three.started()).toBe(true)
    two.end()
    three.end()
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done'])
    expect(breaker.getMetrics()).toMatchObject({ successfulRequests: 3, rejectedRequests: 2, activeRequests: 0 })
    expect(await breaker.execute(up)).toBe('up')
  })

  it('wait no longer than they may, and one that waits is refused by a breaker that opened meanwhile', async () => {
    const breaker = new CircuitBreaker('patience', { maxConcurrent: 1, maxWaiting: 2, maxWaitTime: 20 })
    const held = pending()
    const first = breaker.execute(held.call)
    await expect(breaker.execute(up)).rejects.toMatchObject({
      code: 'AUTON8N_RATE_LIMITED',
      message: "Circuit breaker 'patience' had no place free within 20 ms",
    })
    const waiting = breaker.execute(up)
    breaker.isolate()
    held.end()
    await first
    await expect(waiting).rejects.toMatchObject({ code: 'AUTON8N_BREAKER_OPEN' })
  })

  it('give their place back however they end', async () => {
    const breaker = new CircuitBreaker('ends', { maxConcurrent: 1, timeout: 5, failureThreshold: 100, volumeThreshold: 100 })
    await quiet(breaker, down)
    await quiet(breaker, () => {
      throw new Error('thrown')
    })
    await quiet(breaker, () => new Promise(() => {}))
    expect(await breaker.execute(up)).toBe('up')
  })
})

describe('the state of an earlier process', () => {
  const kept = (snapshot: CircuitBreakerSnapshot): CircuitBreakerSnapshot =>
    JSON.parse(JSON.stringify(snapshot)) as CircuitBreakerSnapshot

  it('goes on: open for the rest of its time, isolated until a hand closes it', async () => {
    const first = new CircuitBreaker('kept', { failureThreshold: 1, resetTimeout: 60_000 })
    await quiet(first, down)
    const text = kept(JSON.parse(JSON.stringify({ first })).first as CircuitBreakerSnapshot)
    expect(text).toMatchObject({ state: 'open', reopenings: 0 })
    const second = new CircuitBreaker('kept', { initialState: { ...text, at: text.at - 59_950 } })
    expect(second.getState()).toBe('open')
    await expect(second.execute(up)).rejects.toMatchObject({ code: 'AUTON8N_BREAKER_OPEN' })
    await until(() => second.getState() === 'half-open')
    first.isolate()
    const third = new CircuitBreaker('kept', { initialState: { ...kept(first.toJSON()), at: 0 } })
    expect(third.getState()).toBe('open')
    third.reset()
    first.reset()
    expect(await third.execute(up)).toBe('up')
  })

  it('does not stay open for longer where the clock was set back', () => {
    const breaker = new CircuitBreaker('back', {
      initialState: { state: 'open', openFor: 60_000, reopenings: 0, at: Date.now() + 3_600_000 },
    })
    expect(breaker.getState()).toBe('half-open')
  })
})

describe('options that cannot be', () => {
  it.each<[string, unknown]>([
    ['rollingWindowCalls', { rollingWindowCalls: 0 }],
    ['rollingWindowCalls', { rollingWindowCalls: 1.5 }],
    ['resetBackoff', { resetBackoff: 0.5 }],
    ['resetBackoff', { resetBackoff: '2' }],
    ['resetJitter', { resetJitter: 1.1 }],
    ['resetTimeoutMax', { resetTimeoutMax: 1 }],
    ['maxConcurrent', { maxConcurrent: 0 }],
    ['maxConcurrent', { maxConcurrent: null }],
    ['maxWaiting', { maxWaiting: 1 }],
    ['maxWaiting', { maxConcurrent: 1, maxWaiting: -1 }],
    ['maxWaitTime', { maxConcurrent: 1, maxWaitTime: 0 }],
    ['initialState', { initialState: null }],
    ['initialState', { initialState: { state: 'ajar', openFor: null, reopenings: 0, at: 0 } }],
    ['initialState', { initialState: { state: 'open', openFor: -1, reopenings: 0, at: 0 } }],
    ['initialState', { initialState: { state: 'open', openFor: 1e300, reopenings: 0, at: 0 } }],
  ])('%s is refused by name (%#)', (name, options) => {
    expect(() => new CircuitBreaker('wrong', options as CircuitBreakerOptions)).toThrow(
      expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID', message: expect.stringContaining(name) }),
    )
  })
})
