/** What listeners get, by event. Durations are milliseconds. */
export interface CircuitBreakerEvents {
  success: [result: unknown, durationMs: number]
  /** Every failed call, also one that took too long. */
  failure: [error: unknown, durationMs: number]
  timeout: [error: Error, durationMs: number]
  rejected: [error: Error]
  open: []
  'half-open': []
  close: []
}

export type CircuitBreakerEvent = keyof CircuitBreakerEvents
export type CircuitBreakerListener<E extends CircuitBreakerEvent> = (...args: CircuitBreakerEvents[E]) => void

const NAMES: ReadonlySet<string> = new Set(['success', 'failure', 'timeout', 'rejected', 'open', 'half-open', 'close'])

export function isEventName(name: unknown): name is CircuitBreakerEvent {
  return typeof name === 'string' && NAMES.has(name)
}

type AnyListener = (...args: unknown[]) => unknown

/** Listeners of one breaker, called in the order in which they came; one that throws stops nothing. */
export class Listeners {
  readonly #byEvent = new Map<CircuitBreakerEvent, AnyListener[]>()

  add(event: CircuitBreakerEvent, listener: AnyListener): void {
    this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), listener])
  }

  remove(event: CircuitBreakerEvent, listener: AnyListener): void {
    const kept = [...(this.#byEvent.get(event) ?? [])]
    const index = kept.lastIndexOf(listener)
    if (index >= 0) kept.splice(index, 1)
    if (kept.length > 0) this.#byEvent.set(event, kept)
    else this.#byEvent.delete(event)
  }

  emit<E extends CircuitBreakerEvent>(event: E, ...args: CircuitBreakerEvents[E]): void {
    const listeners = this.#byEvent.get(event)
    if (!listeners) return
    for (const listener of listeners) {
      try {
        const result = listener(...args)
        if (result instanceof Promise) result.catch(warn)
      } catch (error) {
        warn(error)
      }
    }
  }
}

function warn(error: unknown): void {
  const detail = error instanceof Error ? error.message : typeof error
  process.emitWarning(`A listener of a circuit breaker threw: ${detail}`, { code: 'AUTON8N_LISTENER' })
}
