import { Auton8nError } from '../errors.js'
import { Deadline, type DeadlineList } from './breaker-deadlines.js'

/** Where a call reports. */
export interface Sink {
  succeeded(call: Started, value: unknown, now: number): void
  failed(call: Started, error: unknown, now: number): void
  expired(call: Started): Auton8nError
}

/** What a report needs to know of a call. */
export interface Started {
  readonly permit: number
  readonly era: number
  readonly started: number
}

/** One call under way. */
export class Call<T> extends Deadline {
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
    this.sink.succeeded(this, value, performance.now())
    this.resolve(value)
  }

  readonly #fail = (error: unknown): void => {
    if (this.#done) return
    this.#done = true
    this.list?.remove(this)
    this.sink.failed(this, error, performance.now())
    this.#answer(error)
  }

  expire(): void {
    if (this.#done) return
    this.#done = true
    const error = this.sink.expired(this)
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

/** Calls a function without a time-out; a throw becomes a rejection. */
export function callOf<T>(fn: (signal: AbortSignal) => Promise<T> | T): Promise<T> {
  try {
    const result = takesNothing(fn) ? (fn as () => Promise<T> | T)() : fn(new AbortController().signal)
    return result instanceof Promise ? result : Promise.resolve(result)
  } catch (error) {
    return Promise.reject(error)
  }
}

const NO_PARAMETERS = /^(?:async\s*)?\(\s*\)\s*=>/
let lastSeen: unknown

/** An arrow function without parameters cannot see a signal, so making one is saved: it costs more than the call. */
function takesNothing(fn: { length: number }): boolean {
  if (fn === lastSeen) return true
  if (fn.length !== 0 || !NO_PARAMETERS.test(Function.prototype.toString.call(fn))) return false
  lastSeen = fn
  return true
}

/** A refused call is cheap: its stack would only show this file, so none is taken. */
export function refusal(name: string): Auton8nError {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new Auton8nError('AUTON8N_BREAKER_OPEN', `Circuit breaker '${name}' is open`)
  } finally {
    Error.stackTraceLimit = limit
  }
}
