import { describe, expect, it, vi } from 'vitest'
import { CircuitBreaker, CircuitBreakerFactory, type CircuitBreakerEvent } from '../../plugin/api/breaker.js'
import { eventually } from '../support/eventually.js'

const EVENTS: CircuitBreakerEvent[] = ['success', 'failure', 'timeout', 'rejected', 'open', 'half-open', 'close']
const fail = () => Promise.reject(new Error('down'))
const hang = () => new Promise<never>(() => {})

function heard(breaker: CircuitBreaker): string[] {
  const events: string[] = []
  for (const event of EVENTS) breaker.on(event, () => void events.push(event))
  return events
}

async function times(count: number, call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await call().catch(() => {})
}

describe('a circuit breaker', () => {
  it('hands the result and the very error of the function over', async () => {
    const breaker = new CircuitBreaker('a')
    const error = Object.assign(new TypeError('mine'), { extra: 1 })
    expect(await breaker.execute(async () => 7)).toBe(7)
    expect(await breaker.execute((() => 8) as never)).toBe(8)
    await expect(breaker.execute(() => Promise.reject(error))).rejects.toBe(error)
    await expect(
      breaker.execute(() => {
        throw error
      }),
    ).rejects.toBe(error)
    await expect(breaker.execute(() => Promise.reject(undefined))).rejects.toBe(undefined)
  })

  it('opens at five failures in a row and refuses with its name', async () => {
    const breaker = new CircuitBreaker('payments')
    const events = heard(breaker)
    await times(4, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('closed')
    await times(1, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('open')
    const call = vi.fn(async () => 1)
    await expect(breaker.execute(call)).rejects.toMatchObject({
      name: 'Auton8nError',
      code: 'AUTON8N_BREAKER_OPEN',
      message: "Circuit breaker 'payments' is open",
    })
    expect(call).not.toHaveBeenCalled()
    expect(events).toEqual([...Array(5).fill('failure'), 'open', 'rejected'])
  })

  it('opens at the percentage once there is volume, also when a success completes it', async () => {
    const breaker = new CircuitBreaker('a')
    for (let i = 0; i < 4; i++) {
      await times(1, () => breaker.execute(fail))
      await breaker.execute(async () => 1)
    }
    await times(1, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('closed')
    await breaker.execute(async () => 1)
    expect(breaker.getState()).toBe('open')
    expect(breaker.getMetrics()).toMatchObject({
      totalRequests: 10,
      successfulRequests: 5,
      failedRequests: 5,
      errorPercentage: 50,
    })
  })

  it('forgets failures that left the window', async () => {
    const breaker = new CircuitBreaker('a', { rollingWindowSize: 50, volumeThreshold: 4, failureThreshold: 100 })
    await times(3, () => breaker.execute(fail))
    await eventually(() => expect(breaker.getMetrics().errorPercentage).toBe(0))
    await times(3, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('closed')
  })

  it('becomes half-open by itself, lets one trial through, and closes after two', async () => {
    const breaker = new CircuitBreaker('a', { failureThreshold: 1, resetTimeout: 40 })
    const events = heard(breaker)
    await times(1, () => breaker.execute(fail))
    await eventually(() => expect(events).toContain('half-open'))
    let finish: (value: number) => void = () => {}
    const trial = breaker.execute(() => new Promise<number>((resolve) => (finish = resolve)))
    await expect(breaker.execute(async () => 2)).rejects.toMatchObject({ code: 'AUTON8N_BREAKER_OPEN' })
    finish(1)
    expect(await trial).toBe(1)
    expect(breaker.getState()).toBe('half-open')
    await breaker.execute(async () => 3)
    expect(breaker.getState()).toBe('closed')
    expect(events).toEqual(['failure', 'open', 'half-open', 'rejected', 'success', 'success', 'close'])
  })

  it('opens again when a trial fails, and honours what the service asks to wait', async () => {
    const breaker = new CircuitBreaker('a', { failureThreshold: 1, resetTimeout: 20, retryAfter: () => 60_000 })
    breaker.forceOpen()
    await eventually(() => expect(breaker.getState()).toBe('half-open'))
    await times(1, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('open')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(breaker.getState()).toBe('open')
    breaker.reset()
  })

  it('is not frozen by a trial that hangs', async () => {
    const breaker = new CircuitBreaker('a', { resetTimeout: 10, timeout: 0, trialLease: 30, successThreshold: 1 })
    breaker.forceOpen()
    await eventually(() => expect(breaker.getState()).toBe('half-open'))
    void breaker.execute(hang)
    await eventually(() => breaker.execute(async () => 1))
    expect(breaker.getState()).toBe('closed')
  })

  it('aborts the call that takes too long, with its message', async () => {
    const breaker = new CircuitBreaker('a', { timeout: 30 })
    const events = heard(breaker)
    let signal: AbortSignal | undefined
    const call = breaker.execute((given) => ((signal = given), hang()))
    await expect(call).rejects.toMatchObject({ code: 'AUTON8N_TIMEOUT', message: 'Operation timed out after 30 ms' })
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toMatchObject({ code: 'AUTON8N_TIMEOUT' })
    expect(events).toEqual(['timeout', 'failure'])
    expect(breaker.getMetrics()).toMatchObject({ timeouts: 1, failedRequests: 1, totalRequests: 1 })
  })

  it.each([
    [
      'named',
      function named(...args: unknown[]) {
        return args[0]
      },
    ],
    ['rest', (...args: unknown[]) => args[0]],
    ['default', (signal: unknown = 'none') => signal],
    [
      'bound',
      function (this: unknown, _: unknown, signal: unknown) {
        return signal
      }.bind(undefined, 1),
    ],
    ['mock', vi.fn((signal: unknown) => signal)],
  ])('gives a signal to a function whose parameters are %s', async (_, fn) => {
    const got = await new CircuitBreaker('a').execute(async (signal) => (fn as (s: AbortSignal) => unknown)(signal))
    expect(got).toBeInstanceOf(AbortSignal)
    expect(await new CircuitBreaker('b').execute(fn as never)).toBeInstanceOf(AbortSignal)
  })

  it('times several calls out in their order, each at its time', async () => {
    const breaker = new CircuitBreaker('a', { timeout: 40, failureThreshold: 100 })
    const ended: number[] = []
    const calls = [0, 1, 2, 3].map((i) =>
      breaker.execute(i === 1 ? async () => ended.push(i) : hang).catch(() => ended.push(i)),
    )
    await Promise.all(calls)
    expect(ended).toEqual([1, 0, 2, 3])
  })

  it('answers by the fallback when refused, failed or late', async () => {
    const breaker = new CircuitBreaker('a', { timeout: 20 })
    const code = async (error: unknown) => (error as { code?: string }).code ?? (error as Error).message
    expect(await breaker.execute<string>(fail, code)).toBe('down')
    expect(await breaker.execute<string>(hang, code)).toBe('AUTON8N_TIMEOUT')
    breaker.forceOpen()
    expect(await breaker.execute<string>(fail, code)).toBe('AUTON8N_BREAKER_OPEN')
    await expect(
      breaker.execute(fail, () => {
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
  })

  it('is not broken by listeners that throw, and removes them', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const breaker = new CircuitBreaker('a', { failureThreshold: 1 })
    const bad = () => {
      throw new Error('listener')
    }
    const later = vi.fn()
    for (const event of EVENTS) breaker.on(event, bad)
    breaker.on('success', async () => bad()).on('success', later)
    expect(await breaker.execute(async () => 5)).toBe(5)
    expect(later).toHaveBeenCalledWith(5, expect.any(Number))
    breaker.off('success', later).off('success', bad)
    await breaker.execute(async () => 6)
    expect(later).toHaveBeenCalledTimes(1)
    await times(1, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('open')
    expect(warnings).toHaveBeenCalled()
    warnings.mockRestore()
  })

  it('does not count errors that are none of the service', async () => {
    const breaker = new CircuitBreaker('a', {
      failureThreshold: 2,
      isFailure: (error) => (error as { status?: number }).status !== 400,
    })
    const wrong = Object.assign(new Error('bad request'), { status: 400 })
    await times(20, () => breaker.execute(() => Promise.reject(wrong)))
    expect(breaker.getState()).toBe('closed')
    expect(breaker.getMetrics()).toMatchObject({ failedRequests: 0, totalRequests: 20 })
    await times(2, () => breaker.execute(fail))
    expect(breaker.getState()).toBe('open')
  })

  it('opens on slow calls where asked', async () => {
    const breaker = new CircuitBreaker('a', { slowCallDuration: 15, slowCallPercentage: 60, volumeThreshold: 2 })
    await Promise.all([0, 1].map(() => breaker.execute(() => new Promise((resolve) => setTimeout(resolve, 30)))))
    expect(breaker.getState()).toBe('open')
    expect(breaker.getMetrics().slowCallPercentage).toBe(100)
  })

  it('counts and measures', async () => {
    const breaker = new CircuitBreaker('a', { failureThreshold: 1 })
    const before = Date.now() - 2
    await times(200, () => breaker.execute(async () => 1))
    await breaker.execute(() => new Promise((resolve) => setTimeout(resolve, 20)))
    const first = breaker.getMetrics()
    expect(first).toMatchObject({
      totalRequests: 201,
      successfulRequests: 201,
      failedRequests: 0,
      state: 'closed',
      activeRequests: 0,
    })
    expect(first.lastFailureTime).toBeUndefined()
    expect(first.percentiles.p50).toBeLessThan(5)
    expect(first.averageResponseTime).toBeGreaterThan(0.05)
    await times(3, () => breaker.execute(fail))
    const metrics = breaker.getMetrics()
    expect(metrics).toMatchObject({ totalRequests: 204, failedRequests: 1, rejectedRequests: 2, state: 'open' })
    expect(metrics.lastFailureTime).toBeGreaterThanOrEqual(before)
    expect(metrics.lastSuccessTime).toBeLessThanOrEqual(Date.now() + 2)
    breaker.reset()
    expect(breaker.getMetrics()).toMatchObject({
      totalRequests: 0,
      failedRequests: 0,
      rejectedRequests: 0,
      state: 'closed',
    })
  })

  it('obeys a hand, and tells each change once', async () => {
    const breaker = new CircuitBreaker('a', { resetTimeout: 20 })
    const events = heard(breaker)
    breaker.forceClose()
    breaker.isolate()
    breaker.isolate()
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(breaker.getState()).toBe('open')
    breaker.forceClose()
    breaker.forceOpen()
    await eventually(() => expect(breaker.getState()).toBe('half-open'))
    breaker.reset()
    expect(events).toEqual(['open', 'close', 'open', 'half-open', 'close'])
  })

  it('shows the new state to listeners and lets them change it', async () => {
    const breaker = new CircuitBreaker('a', { failureThreshold: 1 })
    const events = heard(breaker)
    const seen: string[] = []
    breaker.on('failure', () => {
      seen.push(breaker.getState())
      breaker.forceClose()
    })
    await times(2, () => breaker.execute(fail))
    expect(seen).toEqual(['open', 'open'])
    expect(events).toEqual(['failure', 'close', 'failure', 'close'])
    expect(breaker.getState()).toBe('closed')
    expect(await breaker.execute(async () => 1)).toBe(1)
    breaker.on('success', () => breaker.forceOpen())
    expect(await breaker.execute(async () => 2)).toBe(2)
    await expect(breaker.execute(async () => 3)).rejects.toMatchObject({ code: 'AUTON8N_BREAKER_OPEN' })
  })

  it('does not let a call that began before a change decide after it', async () => {
    const breaker = new CircuitBreaker('a', { failureThreshold: 1 })
    let late: (error: Error) => void = () => {}
    const call = breaker.execute(() => new Promise((_, reject) => (late = reject)))
    breaker.forceOpen()
    breaker.forceClose()
    late(new Error('old'))
    await expect(call).rejects.toThrow('old')
    expect(breaker.getState()).toBe('closed')
    expect(breaker.getMetrics()).toMatchObject({ failedRequests: 1, totalRequests: 1 })
  })

  it.each([
    [{ failureThreshold: 0 }, 'failureThreshold'],
    [{ failureThreshold: 1.5 }, 'failureThreshold'],
    [{ timeout: -1 }, 'timeout'],
    [{ timeout: Number.NaN }, 'timeout'],
    [{ resetTimeout: Infinity }, 'resetTimeout'],
    [{ timeout: '5' }, 'timeout'],
    [{ timeout: null }, 'timeout'],
    [{ slowCallDuration: null }, 'slowCallDuration'],
    [{ errorThresholdPercentage: 0 }, 'errorThresholdPercentage'],
    [{ failureTreshold: 5 }, 'failureTreshold'],
    [{ isFailure: 1 }, 'isFailure'],
    [{ slowCallPercentage: 5 }, 'slowCallDuration'],
    [[], 'object'],
    [null, 'object'],
    ['x', 'object'],
  ])('refuses %j', (options, word) => {
    const make = () => new CircuitBreaker('a', options as never)
    expect(make).toThrow(
      expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID', message: expect.stringContaining(word) }),
    )
    expect(() => new CircuitBreakerFactory(options as never)).toThrow(
      expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' }),
    )
  })

  it('refuses wrong names, functions, events and listeners', async () => {
    for (const name of [undefined, '', 5, 'x'.repeat(1_001)]) {
      expect(() => new CircuitBreaker(name as never)).toThrow(
        expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' }),
      )
    }
    const breaker = new CircuitBreaker('a')
    const code = { code: 'AUTON8N_OPTION_INVALID' }
    await expect(breaker.execute(undefined as never)).rejects.toMatchObject(code)
    await expect(breaker.execute(fail, 5 as never)).rejects.toMatchObject(code)
    expect(() => breaker.on('opened' as never, () => {})).toThrow(expect.objectContaining(code))
    expect(() => breaker.on('open', 5 as never)).toThrow(expect.objectContaining(code))
  })
})

describe('a factory', () => {
  it('keeps one breaker a name, with its defaults', async () => {
    const factory = new CircuitBreakerFactory({ failureThreshold: 1 })
    const first = factory.getBreaker('a')
    expect(factory.getBreaker('a', { failureThreshold: 9 })).toBe(first)
    await times(1, () => first.execute(fail))
    const second = factory.getBreaker('b', { failureThreshold: 2 })
    await times(1, () => second.execute(fail))
    expect([...factory.getAllMetrics()].map(([name, { state }]) => [name, state])).toEqual([
      ['a', 'open'],
      ['b', 'closed'],
    ])
    expect([...factory.getAllBreakers().keys()]).toEqual(['a', 'b'])
    factory.resetAll()
    expect(first.getState()).toBe('closed')
    expect(factory.removeBreaker('a')).toBe(true)
    expect(factory.removeBreaker('a')).toBe(false)
    expect(factory.getBreaker('a')).not.toBe(first)
  })
})
