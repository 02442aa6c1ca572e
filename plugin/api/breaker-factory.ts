import { CircuitBreaker, type CircuitBreakerMetrics } from './breaker.js'
import { checkOptions, type CircuitBreakerOptions } from './breaker-options.js'

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
