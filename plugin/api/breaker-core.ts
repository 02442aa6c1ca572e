import { Auton8nError } from '../errors.js'
import { native } from '../native.js'
import { callOf, Call, refusal, type Sink, type Started } from './breaker-call.js'
import { cellOf } from './breaker-cells.js'
import { deadlines, type DeadlineList } from './breaker-deadlines.js'
import { Listeners } from './breaker-events.js'
import type { CircuitState } from './breaker-metrics.js'
import { isFailure, retryAfter, type CheckedOptions } from './breaker-options.js'

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

/** Successes that are told together. An array of so few bytes lies within its object, as long as it never crosses. */
const GATHERED = 64
/** What crosses in its place. */
const crossing = new Uint8Array(GATHERED)

/** Calls, and what the engine's state machine hears of them. The border is crossed only where something may change. */
export class BreakerCore implements Sink {
  readonly name: string
  readonly options: CheckedOptions
  readonly deadlines: DeadlineList | undefined
  #made: Handle | undefined
  #state = CLOSED
  /** Counts changes of state: a call that began before one has no say after it. */
  #era = 0
  /** Calls of a closed state that are under way. */
  running = 0
  /** Trials that are under way. */
  trials = 0
  /** The cells of successes, until they are told together. */
  #gathered: Uint8Array | undefined
  #count = 0
  #total = 0
  #room = 0
  #gatheredAt = 0
  /** When the bucket of the window ends in which successes are gathered. */
  #bucketEnd = 0
  listeners: Listeners | undefined
  /** Before this time an open breaker refuses without asking the engine. */
  #openUntil = 0
  #refused = 0
  #timer: NodeJS.Timeout | undefined

  constructor(name: string, options: CheckedOptions) {
    this.name = name
    this.options = options
    this.deadlines = options.timeout > 0 ? deadlines(options.timeout) : undefined
  }

  /** The state machine, made at the first need: a breaker that is not used costs little. */
  get handle(): Handle {
    return (this.#made ??= new (native().BreakerHandle)(this.name, this.options.plain))
  }

  execute<T>(fn: (signal: AbortSignal) => Promise<T> | T, fallback?: (error: unknown) => Promise<T> | T): Promise<T> {
    const now = performance.now()
    if (this.#state === CLOSED && !this.deadlines && !fallback) return this.#plain(fn, now)
    let permit = NO_PERMIT
    if (this.#state !== CLOSED) {
      if (this.#state === OPEN && now < this.#openUntil) {
        this.#refused++
        return this.refuse(refusal(this.name), fallback)
      }
      this.#enter(this.handle.poll(now))
      if (this.#state !== CLOSED) {
        permit = this.handle.acquire(now)
        if (permit < 0) return this.refuse(refusal(this.name), fallback)
      }
    }
    return new Promise<T>((resolve, reject) => {
      const call = new Call<T>(this, permit, this.#era, now, resolve, reject, fallback)
      if (permit === NO_PERMIT) this.running++
      else this.trials++
      if (this.deadlines) {
        call.list = this.deadlines
        this.deadlines.add(call, now)
      }
      call.run(fn)
    })
  }

  /** A call of a closed breaker without a time-out: the promise of `fn` is all that it needs. */
  #plain<T>(fn: (signal: AbortSignal) => Promise<T> | T, now: number): Promise<T> {
    const call: Started = { permit: NO_PERMIT, era: this.#era, started: now }
    this.running++
    return callOf(fn).then(
      (value) => {
        this.succeeded(call, value, performance.now())
        return value
      },
      (error: unknown) => {
        this.failed(call, error, performance.now())
        throw error
      },
    )
  }

  refuse<T>(error: Auton8nError, fallback: ((error: unknown) => Promise<T> | T) | undefined): Promise<T> {
    this.listeners?.emit('rejected', error)
    if (!fallback) return Promise.reject(error)
    return new Promise<T>((resolve) => resolve(fallback(error)))
  }

  /** Counts a call that never came to the state machine. */
  countRefused(): void {
    this.#refused++
  }

  /** The present state; an open breaker may have become half-open. */
  state(): CircuitState {
    if (this.#state === OPEN) this.#enter(this.handle.poll(performance.now()))
    return STATES[this.#state] ?? 'closed'
  }

  succeeded(call: Started, value: unknown, now: number): void {
    const duration = now - call.started
    if (
      call.permit === NO_PERMIT &&
      call.era === this.#era &&
      duration < this.options.slowCallDuration &&
      this.#gather(duration, now)
    ) {
      this.running--
      this.listeners?.emit('success', value, duration)
      return
    }
    const changed = this.#shift(this.#record(call, SUCCESS, duration, 0, now))
    const era = this.#era
    this.listeners?.emit('success', value, duration)
    if (changed) this.#tell(era)
  }

  failed(call: Started, error: unknown, now: number): void {
    const counts = isFailure(this.options, error)
    const duration = now - call.started
    const wait = counts ? retryAfter(this.options, error) : 0
    const changed = this.#shift(this.#record(call, counts ? FAILURE : IGNORED, duration, wait, now))
    const era = this.#era
    if (counts) this.listeners?.emit('failure', error, duration)
    if (changed) this.#tell(era)
  }

  expired(call: Started): Auton8nError {
    const now = performance.now()
    const duration = now - call.started
    const error = new Auton8nError('AUTON8N_TIMEOUT', `Operation timed out after ${this.options.timeout} ms`)
    const changed = this.#shift(this.#record(call, TIMEOUT, duration, 0, now))
    const era = this.#era
    this.listeners?.emit('timeout', error, duration)
    this.listeners?.emit('failure', error, duration)
    if (changed) this.#tell(era)
    return error
  }

  /** Keeps a success for later, where it cannot decide anything. */
  #gather(duration: number, now: number): boolean {
    if (now >= this.#bucketEnd) {
      // The window moved on: what was harmless before may not be now.
      this.flush()
      const { bucket } = this.options
      this.#bucketEnd = (Math.floor(Math.floor(now) / bucket) + 1) * bucket
      this.#room = this.handle.standing(now) >> 2
    }
    if (this.#room <= 0) return false
    if (this.#count === 0) this.#gatheredAt = now
    this.#gathered ??= new Uint8Array(GATHERED)
    this.#gathered[this.#count++] = cellOf(duration)
    this.#total += duration
    this.#room--
    if (this.#count === GATHERED) this.flush()
    return true
  }

  /** Tells the gathered successes and refusals. */
  flush(): void {
    if (this.#refused > 0) {
      this.handle.recordRejected(this.#refused)
      this.#refused = 0
    }
    if (this.#count === 0 || !this.#gathered) return
    const [count, total] = [this.#count, this.#total]
    for (let i = 0; i < count; i++) crossing[i] = this.#gathered[i] as number
    this.#count = this.#total = 0
    this.#room = this.handle.recordSuccesses(crossing, count, total, this.#gatheredAt, performance.now()) >> 2
  }

  #record(call: Started, outcome: number, duration: number, retryAfter: number, now: number): number {
    this.flush()
    let standing: number
    if (call.permit !== NO_PERMIT) {
      this.trials--
      standing = this.handle.record(call.permit, outcome, duration, retryAfter, now)
    } else {
      this.running--
      if (call.era !== this.#era) {
        this.handle.recordLate(outcome, now)
        return this.#state
      }
      standing = this.handle.recordClosed(outcome, duration, retryAfter, now)
    }
    this.#room = standing >> 2
    return standing & 3
  }

  byHand(change: () => void): void {
    this.flush()
    change()
    const standing = this.handle.standing(performance.now())
    this.#room = standing >> 2
    // Even where the state stays, calls under way lost their say in the engine.
    this.#era++
    if (this.#timer) this.#disarm()
    this.#enter(standing & 3)
    if (this.#state === OPEN && !this.#timer) this.#arm()
  }

  #enter(state: number): void {
    if (this.#shift(state)) this.#tell(this.#era)
  }

  /** Tells the present state, unless a listener changed it meanwhile and told of that. */
  #tell(era: number): void {
    if (era === this.#era) this.listeners?.emit(EVENTS[this.#state] ?? 'close')
  }

  /** Takes a state over, before anybody hears of it; true where it is another one. */
  #shift(state: number): boolean {
    if (state === this.#state) return false
    this.#state = state
    this.#era++
    if (this.#timer) this.#disarm()
    if (state === OPEN) this.#arm()
    else if (state === CLOSED) this.#room = this.handle.standing(performance.now()) >> 2
    return true
  }

  /** Only an open breaker has a timer, and it keeps no process alive. */
  #arm(): void {
    const now = performance.now()
    const due = this.handle.dueIn(now)
    this.#openUntil = due < 0 ? Infinity : Math.floor(now) + due
    if (due < 0) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#enter(this.handle.poll(performance.now()))
        if (this.#state === OPEN) this.#arm()
      },
      Math.min(Math.max(1, due), 2 ** 31 - 1),
    )
    this.#timer.unref?.()
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
