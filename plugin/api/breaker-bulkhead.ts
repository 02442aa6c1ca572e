import { Deadline, deadlines, type DeadlineList } from './breaker-deadlines.js'

export interface BulkheadOptions {
  /** Calls at once. */
  most: number
  /** Calls that may wait for a place. */
  waiting: number
  /** Milliseconds that one may wait. */
  patience: number
}

type Refuse<T> = (why: string) => Promise<T>

/** Lets so many calls run at once, and a bounded number wait for a bounded time. */
export class Bulkhead {
  readonly #options: BulkheadOptions
  readonly #deadlines: DeadlineList
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>()
  #running = 0

  constructor(options: BulkheadOptions) {
    this.#options = options
    this.#deadlines = deadlines(options.patience)
  }

  /** Runs `work` when there is a place; `refuse` answers where there is none in time. */
  run<T>(work: () => Promise<T>, refuse: Refuse<T>): Promise<T> {
    if (this.#running < this.#options.most) return this.#start(work)
    if (this.#waiting.size >= this.#options.waiting) return refuse(`runs ${this.#options.most} calls already`)
    return new Promise<T>((resolve) => {
      const waiter = new Waiter(
        () => resolve(this.#start(work)),
        () => {
          this.#waiting.delete(waiter)
          resolve(refuse(`had no place free within ${this.#options.patience} ms`))
        },
      )
      this.#waiting.add(waiter)
      this.#deadlines.add(waiter, performance.now())
    })
  }

  #start<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    const result = work()
    result.then(this.#left, this.#left)
    return result
  }

  readonly #left = (): void => {
    this.#running--
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    this.#deadlines.remove(next)
    next.start()
  }
}

class Waiter extends Deadline {
  constructor(
    readonly start: () => void,
    readonly expire: () => void,
  ) {
    super()
  }
}
