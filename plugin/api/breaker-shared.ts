import { Auton8nError } from '../errors.js'
import { CircuitBreaker } from './breaker.js'
import { CircuitBreakerFactory } from './breaker-factory.js'
import { invalid } from './breaker-options.js'
import { checkSnapshot } from './breaker-snapshot.js'
import { JobQueue } from './queue.js'
import { setState, statesOf, type SharedState } from './shared-state.js'

export interface SharedBreakersOptions {
  /** How often to look for what other processes decided, in milliseconds. Default 1000, at least 10. */
  interval?: number
  /** Hears why the store could not be reached; breakers go on by themselves meanwhile. Default: nobody. */
  onError?: (error: unknown) => void
}

/** What is known of one breaker's place in the store. */
interface Place {
  /** The version that was taken over, or written. */
  version: number
  /** Something was decided here that the others do not know. */
  decided: boolean
  isolated: boolean
  forget(): void
}

const PREFIX = 'breaker/'

/**
 * Breakers of one name in several processes that open and close together, through the store of a queue. Each process
 * counts its own calls and sends its own trials; what one of them decides counts for all, also for those that start
 * later. The open time goes by the store's clock.
 */
export class SharedBreakers {
  readonly #queue: JobQueue
  readonly #breakers: () => Iterable<CircuitBreaker>
  readonly #onError: ((error: unknown) => void) | undefined
  readonly #places = new Map<CircuitBreaker, Place>()
  readonly #timer: NodeJS.Timeout
  #syncing: Promise<void> | undefined
  #again = false
  /** What was there at the first look takes the store's state over. */
  #begun = false
  #takingOver = false
  #stopped = false

  private constructor(queue: JobQueue, breakers: () => Iterable<CircuitBreaker>, options: SharedBreakersOptions) {
    this.#queue = queue
    this.#breakers = breakers
    this.#onError = options.onError
    this.#timer = setInterval(() => this.#look(), options.interval ?? 1_000)
    this.#timer.unref()
  }

  /**
   * Shares one breaker, several, or all of a factory, also those that it makes later. Resolves when the state of the
   * store is taken over; rejects with `AUTON8N_STORE_…` where it cannot be reached.
   */
  static async share(
    queue: JobQueue,
    breakers: CircuitBreaker | readonly CircuitBreaker[] | CircuitBreakerFactory,
    options: SharedBreakersOptions = {},
  ): Promise<SharedBreakers> {
    if (!(queue instanceof JobQueue)) throw invalid('SharedBreakers.share(queue, breakers): the queue must be a JobQueue')
    const given = breakers instanceof CircuitBreaker ? [breakers] : breakers
    const all = (): Iterable<CircuitBreaker> =>
      given instanceof CircuitBreakerFactory ? given.getAllBreakers().values() : given
    if (!(given instanceof CircuitBreakerFactory)) {
      if (!Array.isArray(given) || given.some((breaker) => !(breaker instanceof CircuitBreaker))) {
        throw invalid('SharedBreakers.share(queue, breakers) needs circuit breakers or a factory')
      }
      if (new Set(given.map(({ name }) => name)).size < given.length) {
        throw invalid('SharedBreakers.share(queue, breakers): two breakers have one name')
      }
    }
    const { interval = 1_000, onError } = options
    if (!Number.isInteger(interval) || interval < 10 || interval > 86_400_000) {
      throw invalid('SharedBreakers option interval must be a whole number from 10 to 86400000')
    }
    if (onError !== undefined && typeof onError !== 'function') {
      throw invalid('SharedBreakers option onError must be a function')
    }
    const shared = new SharedBreakers(queue, all, { interval, ...(onError && { onError }) })
    try {
      await shared.sync()
    } catch (error) {
      shared.stop()
      throw error
    }
    return shared
  }

  /** Takes over what others decided and tells what was decided here, now. */
  sync(): Promise<void> {
    this.#again = this.#syncing !== undefined
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = undefined
      if (this.#again) this.#look()
    })
    return this.#syncing
  }

  /** Ends the sharing; the breakers go on by themselves. */
  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const place of this.#places.values()) place.forget()
    this.#places.clear()
  }

  #look(): void {
    if (!this.#stopped) void this.sync().catch((error: unknown) => this.#onError?.(error))
  }

  async #syncAll(): Promise<void> {
    this.#again = false
    const breakers = new Set(this.#breakers())
    for (const [breaker, place] of this.#places) {
      if (breakers.has(breaker)) continue
      place.forget()
      this.#places.delete(breaker)
    }
    const states = new Map((await statesOf(this.#queue, PREFIX)).map((state) => [state.key, state]))
    for (const breaker of breakers) {
      if (this.#stopped) return
      const place = this.#placeOf(breaker)
      const isolated = breaker.toJSON().openFor === null && breaker.getState() === 'open'
      // One that is open already is isolated without an event.
      if (isolated && !place.isolated) place.decided = true
      place.isolated = isolated
      const theirs = states.get(PREFIX + breaker.name)
      if (place.decided) await this.#tell(breaker, place, theirs?.version ?? 0)
      else if (theirs && theirs.version > place.version) {
        this.#takeOver(breaker, place, theirs)
        place.version = theirs.version
      }
    }
    this.#begun = true
  }

  async #tell(breaker: CircuitBreaker, place: Place, version: number): Promise<void> {
    place.decided = false
    try {
      if (await setState(this.#queue, PREFIX + breaker.name, version, breaker.toJSON())) {
        place.version = version + 1
        return
      }
    } catch (error) {
      place.decided = true
      throw error
    }
    // Somebody was faster: what is decided here comes after it.
    place.decided = true
    this.#again = true
  }

  #takeOver(breaker: CircuitBreaker, place: Place, { value, age }: SharedState): void {
    this.#takingOver = true
    try {
      const kept = checkSnapshot(value)
      breaker.takeOver(kept, age)
      place.isolated = kept.state === 'open' && kept.openFor === null
    } catch (error) {
      // What another version of this package wrote is no reason to stop.
      if (!(error instanceof Auton8nError)) throw error
    } finally {
      this.#takingOver = false
    }
  }

  #placeOf(breaker: CircuitBreaker): Place {
    let place = this.#places.get(breaker)
    if (place) return place
    const decided = (): void => {
      const own = this.#places.get(breaker)
      if (this.#takingOver || !own) return
      own.decided = true
      this.#look()
    }
    // That it is half-open follows from the time; each finds out by itself.
    breaker.on('open', decided).on('close', decided)
    // A factory may have made it, and it may have opened, since the last look.
    const opened = this.#begun && breaker.getState() !== 'closed'
    place = { version: 0, decided: opened, isolated: false, forget: () => void breaker.off('open', decided).off('close', decided) }
    this.#places.set(breaker, place)
    return place
  }
}
