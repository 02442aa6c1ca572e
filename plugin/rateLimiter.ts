import { Auton8nError } from './errors.js'

const HOUR = 3600_000
const MOST_USERS = 10_000

/** At most so many creations per user and hour, counted in a window that slides. */
export class RateLimiter {
  readonly #limit: number
  readonly #now: () => number
  readonly #times = new Map<string, number[]>()

  constructor(limit: number, now: () => number = Date.now) {
    this.#limit = limit
    this.#now = now
  }

  /** Counts one creation; answers how to give it back where nothing came of it. */
  take(userId: string): () => void {
    const now = this.#now()
    const times = (this.#times.get(userId) ?? []).filter((time) => time > now - HOUR)
    const [first] = times
    if (times.length >= this.#limit && first !== undefined) {
      const retryAfterMs = first + HOUR - now
      throw new Auton8nError(
        'AUTON8N_RATE_LIMITED',
        `There may be ${this.#limit} plugin creations per user and hour; the next one is possible in ` +
          `${Math.ceil(retryAfterMs / 60_000)} minutes. AUTON8N_RATE_LIMIT sets the limit.`,
        { details: { retryAfterMs } },
      )
    }
    times.push(now)
    this.#times.set(userId, times)
    if (this.#times.size > MOST_USERS) this.#forget(now)
    return () => {
      const index = times.lastIndexOf(now)
      if (index >= 0) times.splice(index, 1)
    }
  }

  #forget(now: number): void {
    for (const [userId, times] of this.#times) {
      if (times.every((time) => time <= now - HOUR)) this.#times.delete(userId)
    }
  }
}
