import { invalid } from './breaker-options.js'

/** A breaker's state as JSON, for another process. Its window and counts stay behind. */
export interface CircuitBreakerSnapshot {
  state: 'closed' | 'open' | 'half-open'
  /** Milliseconds that it would have stayed open; `null` where only a hand closes it. */
  openFor: number | null
  /** How often in a row trials failed. */
  reopenings: number
  /** When it was taken, in milliseconds since 1970. */
  at: number
}

/** What was kept, or `AUTON8N_OPTION_INVALID`. */
export function checkSnapshot(given: unknown): CircuitBreakerSnapshot {
  const { state, openFor, reopenings, at } = (given ?? {}) as Record<string, unknown>
  const whole = (value: unknown, most: number): value is number => {
    return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most
  }
  const sound =
    (state === 'closed' || state === 'open' || state === 'half-open') &&
    (openFor === null || whole(openFor, Number.MAX_SAFE_INTEGER)) &&
    whole(reopenings, 2 ** 32 - 1) &&
    whole(at, Number.MAX_SAFE_INTEGER)
  if (!sound) throw invalid('Circuit breaker option initialState must be what toJSON() answered')
  return { state, openFor, reopenings, at }
}

/** Milliseconds since then; where the clock was set back, so many that nothing stays open for longer. */
export function elapsedSince(at: number): number {
  const elapsed = Date.now() - at
  return elapsed >= 0 ? elapsed : Number.MAX_SAFE_INTEGER
}
