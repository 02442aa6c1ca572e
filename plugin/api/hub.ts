import type { PendingCalls } from './model.js'
import { writeLine, type EngineLogger } from './logger.js'
import type { EngineEvent } from './nativeEngine.js'

/** Hands the engine's events to whoever listens for them. */
export class Hub {
  readonly pending: PendingCalls = new Map()
  /** Several engines of this process may share one; each of their loggers hears all of it. */
  readonly loggers = new Set<EngineLogger>()
  readonly #listeners = new Map<string, Set<(event: EngineEvent) => void>>()
  /** What is told while jobs are being stored, whose ids are not known yet. */
  readonly #early = new Set<EngineEvent[]>()

  readonly receive = (events: EngineEvent[]): void => {
    for (const event of events) {
      if (event.type === 'model-cancelled' && event.callId) this.pending.get(event.callId)?.abort()
      for (const line of event.lines ?? []) for (const logger of this.loggers) writeLine(logger, line)
      if (!event.jobId) continue
      for (const early of this.#early) early.push(event)
      for (const listener of this.#listeners.get(event.jobId) ?? []) listener(event)
    }
  }

  /** Stores a job, and answers its id with what was told of it meanwhile: a worker may have begun before that. */
  async storing(store: () => Promise<string>): Promise<{ id: string; early: EngineEvent[] }> {
    const told: EngineEvent[] = []
    this.#early.add(told)
    try {
      const id = await store()
      return { id, early: told.filter((event) => event.jobId === id) }
    } finally {
      this.#early.delete(told)
    }
  }

  listen(jobId: string, listener: (event: EngineEvent) => void): () => void {
    const listeners = this.#listeners.get(jobId) ?? new Set()
    this.#listeners.set(jobId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(jobId) === listeners) this.#listeners.delete(jobId)
    }
  }

  abortCalls(): void {
    for (const controller of this.pending.values()) controller.abort()
  }
}
