/** Something that ends at a time. Its links are the list's own. */
export abstract class Deadline {
  /** Monotonic milliseconds. */
  due = 0
  before: Deadline | undefined
  after: Deadline | undefined
  abstract expire(): void
}

const lists = new Map<number, DeadlineList>()

/** The list of all calls that may take `ms`: one timer serves them all, whichever breaker they belong to. */
export function deadlines(ms: number): DeadlineList {
  let list = lists.get(ms)
  if (!list) lists.set(ms, (list = new DeadlineList(ms)))
  return list
}

/** Deadlines that all lie `ms` ahead, so that the first one in is the first one due. */
export class DeadlineList {
  #first: Deadline | undefined
  #last: Deadline | undefined
  #timer: NodeJS.Timeout | undefined
  /** A test may put another clock in its place; a timer of the old one would never ring. */
  #armedBy: unknown

  constructor(private readonly ms: number) {}

  add(deadline: Deadline, now: number): void {
    deadline.due = now + this.ms
    deadline.before = this.#last
    if (this.#last) this.#last.after = deadline
    else this.#first = deadline
    this.#last = deadline
    // A call under way keeps the process until it ends or its time is up; an idle list never does.
    if (!this.#timer || this.#armedBy !== setTimeout) this.#arm(this.ms)
    else if (this.#first === deadline) this.#timer.ref?.()
  }

  remove(deadline: Deadline): void {
    const { before, after } = deadline
    if (!before && this.#first !== deadline) return
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
    deadline.before = deadline.after = undefined
    if (!this.#first) this.#timer?.unref?.()
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer)
    this.#armedBy = setTimeout
    this.#timer = setTimeout(() => this.#turn(), Math.min(Math.ceil(ms), 2 ** 31 - 1))
  }

  #turn(): void {
    this.#timer = undefined
    const now = performance.now()
    let first = this.#first
    while (first && first.due <= now) {
      this.remove(first)
      first.expire()
      first = this.#first
    }
    if (first && !this.#timer) this.#arm(Math.max(1, first.due - now))
    // Nothing waits: the list of a time-out that is not used any more goes.
    else if (!first && !this.#timer && lists.get(this.ms) === this) lists.delete(this.ms)
  }
}
