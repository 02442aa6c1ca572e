import { Auton8nError, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import { Deadline, deadlines, type DeadlineList } from './breaker-deadlines.js'
import { isEventName, Listeners, type CircuitBreakerEvent, type CircuitBreakerListener } from './breaker-events.js'
import { checkName, checkOptions, invalid, type CheckedOptions, type CircuitBreakerOptions } from './breaker-options.js'

export type { CircuitBreakerOptions } from './breaker-options.js'
export type { CircuitBreakerEvent, CircuitBreakerEvents, CircuitBreakerListener } from './breaker-events.js'

export type CircuitState = 'closed' | 'open' | 'half-open'

/** Counts since the start or the last reset; percentages, average and percentiles of the rolling window. */
export interface CircuitBreakerMetrics {
  /** Every call, refused ones and those under way too. */
  totalRequests: number
  successfulRequests: number
  /** Failed calls, with those that took too long. */
  failedRequests: number
  rejectedRequests: number
  timeouts: number
  /** Calls under way now. */
  activeRequests: number
  /** Milliseconds since 1970. */
  lastFailureTime?: number
  /** Milliseconds since 1970. */
  lastSuccessTime?: number
  state: CircuitState
  errorPercentage: number
  slowCallPercentage: number
  /** Milliseconds. */
  averageResponseTime: number
  /** Milliseconds, at most a sixteenth off. */
  percentiles: { p50: number; p90: number; p95: number; p99: number }
}

type Handle = InstanceType<ReturnType<typeof native>['BreakerHandle']>

const CLOSED = 0
const OPEN = 1
const STATES = ['closed', 'open', 'half-open'] as const
const EVENTS = ['close', 'open', 'half-open'] as const
const SUCCESS = 0
const FAILURE = 1
const TIMEOUT = 2
const IGNORED = 3
/** The permit of a call that began closed: none is taken until it ends. */
const NO_PERMIT = -2
/** Successes that are told together. */
const GATHERED = 64

/** A circuit breaker: it stops calling what keeps failing, and tries again after a while. */
export class CircuitBreaker {
  readonly name: string
  readonly #handle: Handle
  readonly #options: CheckedOptions
  readonly #bucket: number
  readonly #deadlines: DeadlineList | undefined
  #state = CLOSED
  /** Counts changes of state: a call that began before one has no say after it. */
  #era = 0
  /** Calls of a closed state that are under way. */
  #running = 0
  /** Trials that are under way. */
  #trials = 0
  #gathered: Float64Array | undefined
  #count = 0
  #room = GATHERED
  #gatheredAt = 0
  #epoch = -1
  #listeners: Listeners | undefined
  #timer: NodeJS.Timeout | undefined

  /** Throws `AUTON8N_OPTION_INVALID` with the option's name. */
  constructor(name: string, options?: CircuitBreakerOptions) {
    this.name = checkName(name)
    this.#options = checkOptions(options)
    this.#handle = nativeCallSync(() => new (native().BreakerHandle)(this.name, this.#options.plain))
    this.#bucket = this.#handle.bucketMs()
    this.#deadlines = this.#options.timeout > 0 ? deadlines(this.#options.timeout) : undefined
  }

  /**
   * Calls `fn` with a signal that aborts when its time is up. Rejects with `AUTON8N_BREAKER_OPEN`,
   * `AUTON8N_TIMEOUT`, or the very error of `fn`; with a fallback, answers with what that makes of the error.
   */
  execute<T>(fn: (signal: AbortSignal) => Promise<T> | T, fallback?: (error: unknown) => Promise<T> | T): Promise<T> {
    if (typeof fn !== 'function') return Promise.reject(invalid('execute(fn) needs a function'))
    if (fallback !== undefined && typeof fallback !== 'function') {
      return Promise.reject(invalid('execute(fn, fallback): the fallback must be a function'))
    }
    const now = performance.now()
    let permit = NO_PERMIT
    if (this.#state !== CLOSED) {
      this.#enter(this.#handle.poll(now))
      if (this.#state !== CLOSED) {
        permit = this.#handle.acquire(now)
        if (permit < 0) return this.#refuse(fallback)
      }
    }
    return new Promise<T>((resolve, reject) => {
      const call = new Call<T>(this.#sink, permit, this.#era, now, resolve, reject, fallback)
      if (permit === NO_PERMIT) this.#running++
      else this.#trials++
      if (this.#deadlines) {
        call.list = this.#deadlines
        this.#deadlines.add(call, now)
      }
      call.run(fn)
    })
  }

  /** The present state. */
  getState(): CircuitState {
    this.#refresh()
    return STATES[this.#state] ?? 'closed'
  }

  /** What it counted. */
  getMetrics(): CircuitBreakerMetrics {
    this.#refresh()
    this.#flush()
    const now = performance.now()
    const counts = this.#handle.metrics(now)
    const wall = (at: number) => Math.round(Date.now() - (now - at))
    return {
      totalRequests: counts.totalRequests + this.#running,
      successfulRequests: counts.successfulRequests,
      failedRequests: counts.failedRequests,
      rejectedRequests: counts.rejectedRequests,
      timeouts: counts.timeouts,
      activeRequests: this.#running + this.#trials,
      ...(counts.lastFailureAt != null && { lastFailureTime: wall(counts.lastFailureAt) }),
      ...(counts.lastSuccessAt != null && { lastSuccessTime: wall(counts.lastSuccessAt) }),
      state: STATES[this.#state] ?? 'closed',
      errorPercentage: counts.errorPercentage,
      slowCallPercentage: counts.slowCallPercentage,
      averageResponseTime: counts.averageResponseTime,
      percentiles: { p50: counts.p50, p90: counts.p90, p95: counts.p95, p99: counts.p99 },
    }
  }

  /** Opens it for `resetTimeout`; then trials decide. */
  forceOpen(): void {
    this.#byHand(() => this.#handle.forceOpen(performance.now()))
  }

  /** Opens it until `forceClose()` or `reset()`. */
  isolate(): void {
    this.#byHand(() => this.#handle.isolate())
  }

  /** Closes it and forgets the window. */
  forceClose(): void {
    this.#byHand(() => this.#handle.forceClose())
  }

  /** Closes it and forgets everything it counted. */
  reset(): void {
    this.#byHand(() => this.#handle.reset())
  }

  /** Adds a listener. One that throws is warned about and stops nothing. */
  on<E extends CircuitBreakerEvent>(event: E, listener: CircuitBreakerListener<E>): this {
    if (!isEventName(event)) throw invalid(`A circuit breaker has no event '${String(event)}'`)
    if (typeof listener !== 'function') throw invalid('A listener must be a function')
    this.#listeners ??= new Listeners()
    this.#listeners.add(event, listener as (...args: unknown[]) => unknown)
    return this
  }

  /** Removes a listener. */
  off<E extends CircuitBreakerEvent>(event: E, listener: CircuitBreakerListener<E>): this {
    this.#listeners?.remove(event, listener as (...args: unknown[]) => unknown)
    return this
  }

  readonly #sink: Sink = {
    succeeded: (call, value, now) => {
      const duration = now - call.started
      if (
        call.permit === NO_PERMIT && call.era === this.#era && duration < this.#options.slowCallDuration &&
        this.#gather(duration, now)
      ) {
        this.#running--
        this.#listeners?.emit('success', value, duration)
        return
      }
      const state = this.#record(call, SUCCESS, duration, 0, now)
      this.#listeners?.emit('success', value, duration)
      this.#enter(state)
    },
    failed: (call, error, now) => {
      const counts = this.#isFailure(error)
      const duration = now - call.started
      const state = this.#record(call, counts ? FAILURE : IGNORED, duration, counts ? this.#retryAfter(error) : 0, now)
      if (counts) this.#listeners?.emit('failure', error, duration)
      this.#enter(state)
    },
    expired: (call) => {
      const now = performance.now()
      const duration = now - call.started
      const error = new Auton8nError('AUTON8N_TIMEOUT', `Operation timed out after ${this.#options.timeout} ms`)
      const state = this.#record(call, TIMEOUT, duration, 0, now)
      this.#listeners?.emit('timeout', error, duration)
      this.#listeners?.emit('failure', error, duration)
      this.#enter(state)
      return error
    },
  }

  /** Keeps a success for later, where it cannot decide anything. */
  #gather(duration: number, now: number): boolean {
    const epoch = Math.floor(Math.floor(now) / this.#bucket)
    if (epoch !== this.#epoch) {
      // The window moved on: what was harmless before may not be now.
      this.#flush()
      this.#epoch = epoch
      this.#room = this.#handle.standing(now) >> 2
    }
    if (this.#room <= 0) return false
    if (this.#count === 0) {
      this.#gatheredAt = now
      this.#gathered ??= new Float64Array(GATHERED)
    }
    ;(this.#gathered as Float64Array)[this.#count++] = duration
    this.#room--
    if (this.#count === GATHERED) this.#flush()
    return true
  }

  /** Tells the gathered successes. */
  #flush(): void {
    if (this.#count === 0 || !this.#gathered) return
    const count = this.#count
    this.#count = 0
    this.#room = this.#handle.recordSuccesses(this.#gathered, count, this.#gatheredAt, performance.now()) >> 2
  }

  #record(call: Call<never>, outcome: number, duration: number, retryAfter: number, now: number): number {
    this.#flush()
    let standing: number
    if (call.permit !== NO_PERMIT) {
      this.#trials--
      standing = this.#handle.record(call.permit, outcome, duration, retryAfter, now)
    } else {
      this.#running--
      if (call.era !== this.#era) {
        this.#handle.recordLate(outcome, now)
        return this.#state
      }
      standing = this.#handle.recordClosed(outcome, duration, retryAfter, now)
    }
    this.#room = standing >> 2
    return standing & 3
  }

  #refuse<T>(fallback: ((error: unknown) => Promise<T> | T) | undefined): Promise<T> {
    const error = refusal(this.name)
    this.#listeners?.emit('rejected', error)
    if (!fallback) return Promise.reject(error)
    return new Promise<T>((resolve) => resolve(fallback(error)))
  }

  #refresh(): void {
    if (this.#state === OPEN) this.#enter(this.#handle.poll(performance.now()))
  }

  #byHand(change: () => void): void {
    this.#flush()
    change()
    const standing = this.#handle.standing(performance.now())
    this.#room = standing >> 2
    // Even where the state stays, calls under way lost their say in the engine.
    this.#era++
    if (this.#timer) this.#disarm()
    this.#enter(standing & 3)
    if (this.#state === OPEN && !this.#timer) this.#arm()
  }

  #enter(state: number): void {
    if (state === this.#state) return
    this.#state = state
    this.#era++
    if (this.#timer) this.#disarm()
    if (state === OPEN) this.#arm()
    else if (state === CLOSED) this.#room = this.#handle.standing(performance.now()) >> 2
    this.#listeners?.emit(EVENTS[state] ?? 'close')
  }

  /** Only an open breaker has a timer, and it keeps no process alive. */
  #arm(): void {
    const due = this.#handle.dueIn(performance.now())
    if (due < 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#enter(this.#handle.poll(performance.now()))
      if (this.#state === OPEN) this.#arm()
    }, Math.min(Math.max(1, due), 2 ** 31 - 1))
    this.#timer.unref?.()
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #isFailure(error: unknown): boolean {
    try {
      return this.#options.isFailure?.(error) ?? true
    } catch {
      return true
    }
  }

  #retryAfter(error: unknown): number {
    try {
      const ms = this.#options.retryAfter?.(error)
      return typeof ms === 'number' && ms > 0 ? Math.min(ms, 86_400_000) : 0
    } catch {
      return 0
    }
  }
}

/** Where a call reports. */
interface Sink {
  succeeded(call: Call<never>, value: unknown, now: number): void
  failed(call: Call<never>, error: unknown, now: number): void
  expired(call: Call<never>): Auton8nError
}

/** One call under way. */
class Call<T> extends Deadline {
  list: DeadlineList | undefined
  #controller: AbortController | undefined
  #done = false

  constructor(
    readonly sink: Sink,
    readonly permit: number,
    readonly era: number,
    readonly started: number,
    readonly resolve: (value: T | PromiseLike<T>) => void,
    readonly reject: (error: unknown) => void,
    readonly fallback: ((error: unknown) => Promise<T> | T) | undefined,
  ) {
    super()
  }

  run(fn: (signal: AbortSignal) => Promise<T> | T): void {
    let result: Promise<T> | T
    try {
      result = takesNothing(fn) ? (fn as () => Promise<T> | T)() : fn((this.#controller = new AbortController()).signal)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (result instanceof Promise) result.then(this.#succeed, this.#fail)
    else Promise.resolve(result).then(this.#succeed, this.#fail)
  }

  readonly #succeed = (value: T): void => {
    if (this.#done) return
    this.#done = true
    this.list?.remove(this)
    this.sink.succeeded(this as unknown as Call<never>, value, performance.now())
    this.resolve(value)
  }

  readonly #fail = (error: unknown): void => {
    if (this.#done) return
    this.#done = true
    this.list?.remove(this)
    this.sink.failed(this as unknown as Call<never>, error, performance.now())
    this.#answer(error)
  }

  expire(): void {
    if (this.#done) return
    this.#done = true
    const error = this.sink.expired(this as unknown as Call<never>)
    // The promise is settled first, so that what the abort sets free does not overtake it.
    this.#answer(error)
    this.#controller?.abort(error)
  }

  #answer(error: unknown): void {
    if (!this.fallback) {
      this.reject(error)
      return
    }
    try {
      this.resolve(this.fallback(error))
    } catch (thrown) {
      this.reject(thrown)
    }
  }
}

const NO_PARAMETERS = /^(?:async\s*)?\(\s*\)\s*=>/

/** An arrow function without parameters cannot see a signal, so making one is saved: it costs more than the call. */
function takesNothing(fn: { length: number }): boolean {
  return fn.length === 0 && NO_PARAMETERS.test(Function.prototype.toString.call(fn))
}

/** A refused call is cheap: its stack would only show this file, so none is taken. */
function refusal(name: string): Auton8nError {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new Auton8nError('AUTON8N_BREAKER_OPEN', `Circuit breaker '${name}' is open`)
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** Many breakers by name. */
export class CircuitBreakerFactory {
  readonly #defaults: CircuitBreakerOptions
  readonly #breakers = new Map<string, CircuitBreaker>()

  /** `defaults` are options for every breaker; throws `AUTON8N_OPTION_INVALID`. */
  constructor(defaults?: CircuitBreakerOptions) {
    checkOptions(defaults)
    this.#defaults = { ...defaults }
  }

  /** The breaker of that name. `options` count only when it is made, over the defaults. */
  getBreaker(name: string, options?: CircuitBreakerOptions): CircuitBreaker {
    let breaker = this.#breakers.get(name)
    if (!breaker) {
      if (options !== undefined) checkOptions(options)
      breaker = new CircuitBreaker(name, { ...this.#defaults, ...options })
      this.#breakers.set(name, breaker)
    }
    return breaker
  }

  /** All of them, by name. */
  getAllBreakers(): Map<string, CircuitBreaker> {
    return new Map(this.#breakers)
  }

  /** What each counted, by name. */
  getAllMetrics(): Map<string, CircuitBreakerMetrics> {
    return new Map([...this.#breakers].map(([name, breaker]) => [name, breaker.getMetrics()]))
  }

  /** Resets all of them. */
  resetAll(): void {
    for (const breaker of this.#breakers.values()) breaker.reset()
  }

  /** Forgets one; whoever holds it keeps it. */
  removeBreaker(name: string): boolean {
    return this.#breakers.delete(name)
  }
}
