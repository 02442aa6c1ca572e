import { Auton8nError, nativeCallSync } from '../errors.js'
import { Bulkhead } from './breaker-bulkhead.js'
import { BreakerCore } from './breaker-core.js'
import { isEventName, Listeners, type CircuitBreakerEvent, type CircuitBreakerListener } from './breaker-events.js'
import { metricsOf, type CircuitBreakerMetrics, type CircuitState } from './breaker-metrics.js'
import { checkName, checkOptions, invalid, type CircuitBreakerOptions } from './breaker-options.js'
import { checkSnapshot, elapsedSince, type CircuitBreakerSnapshot } from './breaker-snapshot.js'

export { CircuitBreakerFactory } from './breaker-factory.js'
export type { CircuitBreakerMetrics, CircuitState } from './breaker-metrics.js'
export type { CircuitBreakerOptions } from './breaker-options.js'
export type { CircuitBreakerSnapshot } from './breaker-snapshot.js'
export type { CircuitBreakerEvent, CircuitBreakerEvents, CircuitBreakerListener } from './breaker-events.js'

/** A circuit breaker: it stops calling what keeps failing, and tries again after a while. */
export class CircuitBreaker {
  readonly name: string
  readonly #core: BreakerCore
  readonly #bulkhead: Bulkhead | undefined

  /** Throws `AUTON8N_OPTION_INVALID` with the option's name. */
  constructor(name: string, options?: CircuitBreakerOptions) {
    this.name = checkName(name)
    const checked = checkOptions(options)
    this.#core = new BreakerCore(this.name, checked)
    if (checked.bulkhead) this.#bulkhead = new Bulkhead(checked.bulkhead)
    if (options?.initialState !== undefined) {
      const kept = checkSnapshot(options.initialState)
      this.#restore(kept, elapsedSince(kept.at))
    }
  }

  /**
   * Calls `fn` with a signal that aborts when its time is up. Rejects with `AUTON8N_BREAKER_OPEN`,
   * `AUTON8N_TIMEOUT`, or the very error of `fn`; where `maxConcurrent` calls run and no place to wait is free, with
   * `AUTON8N_RATE_LIMITED`. With a fallback, answers with what that makes of the error.
   */
  execute<T>(fn: (signal: AbortSignal) => Promise<T> | T, fallback?: (error: unknown) => Promise<T> | T): Promise<T> {
    if (typeof fn !== 'function') return Promise.reject(invalid('execute(fn) needs a function'))
    if (fallback !== undefined && typeof fallback !== 'function') {
      return Promise.reject(invalid('execute(fn, fallback): the fallback must be a function'))
    }
    if (!this.#bulkhead) return this.#core.execute(fn, fallback)
    return this.#bulkhead.run(
      () => this.#core.execute(fn, fallback),
      (why) => {
        this.#core.countRefused()
        const error = new Auton8nError('AUTON8N_RATE_LIMITED', `Circuit breaker '${this.name}' ${why}`)
        return this.#core.refuse(error, fallback)
      },
    )
  }

  /** The present state. */
  getState(): CircuitState {
    return this.#core.state()
  }

  /** What it counted. */
  getMetrics(): CircuitBreakerMetrics {
    const core = this.#core
    const state = core.state()
    core.flush()
    const now = performance.now()
    return metricsOf(core.handle.metrics(now), state, core.running, core.trials, now)
  }

  /** What another process can go on from, as `initialState`. */
  toJSON(): CircuitBreakerSnapshot {
    this.#core.state()
    const kept = this.#core.handle.snapshot(performance.now()) as Omit<CircuitBreakerSnapshot, 'at'>
    return { ...kept, at: Date.now() }
  }

  /** Goes over to what another process decided `age` milliseconds ago: what its `toJSON()` answered then. */
  takeOver(snapshot: CircuitBreakerSnapshot, age: number): void {
    const kept = checkSnapshot(snapshot)
    if (kept.state !== 'closed') this.#restore(kept, Math.max(0, age))
    else if (this.#core.state() !== 'closed') this.forceClose()
  }

  /** Opens it for `resetTimeout`; then trials decide. */
  forceOpen(): void {
    this.#core.byHand(() => this.#core.handle.forceOpen(performance.now()))
  }

  /** Opens it until `forceClose()` or `reset()`. */
  isolate(): void {
    this.#core.byHand(() => this.#core.handle.isolate())
  }

  /** Closes it and forgets the window. */
  forceClose(): void {
    this.#core.byHand(() => this.#core.handle.forceClose())
  }

  /** Closes it and forgets everything it counted. */
  reset(): void {
    this.#core.byHand(() => this.#core.handle.reset())
  }

  /** Adds a listener. One that throws is warned about and stops nothing. */
  on<E extends CircuitBreakerEvent>(event: E, listener: CircuitBreakerListener<E>): this {
    if (!isEventName(event)) throw invalid(`A circuit breaker has no event '${String(event)}'`)
    if (typeof listener !== 'function') throw invalid('A listener must be a function')
    this.#core.listeners ??= new Listeners()
    this.#core.listeners.add(event, listener as (...args: unknown[]) => unknown)
    return this
  }

  /** Removes a listener. */
  off<E extends CircuitBreakerEvent>(event: E, listener: CircuitBreakerListener<E>): this {
    this.#core.listeners?.remove(event, listener as (...args: unknown[]) => unknown)
    return this
  }

  #restore({ state, openFor, reopenings }: CircuitBreakerSnapshot, elapsed: number): void {
    const kept = { state, openFor, reopenings }
    this.#core.byHand(() => nativeCallSync(() => this.#core.handle.restore(kept, elapsed, performance.now())))
  }
}
