import { Auton8nError } from '../errors.js'
import { STAGES, type CreatedPlugin, type CreationEvent, type JobSnapshot } from './creation.js'
import type { EngineEvent } from './nativeEngine.js'
import { isFinal, stageOf } from './snapshot.js'

/** What a creation needs of its engine. */
export interface JobSource {
  /** The job, or `null` where there is none of that id. */
  job(id: string): Promise<JobSnapshot | null>
  cancel(id: string): Promise<boolean>
  /** Hears the hints about one job; answers how to stop. */
  listen(id: string, listener: (event: EngineEvent) => void): () => void
}

/** Hints may be dropped, so whoever waits asks for the truth this often (milliseconds). */
const ASK_EVERY = 1000
const MOST_BUFFERED = 1000

/** A plugin that is being made. Events are hints; the state is asked from the store each time. */
export class PluginCreation {
  readonly #source: JobSource
  /** What is told from the job's first moment on, until it is known whether anybody wants it. */
  #first: Feed | undefined

  constructor(
    /** The job's id. */
    readonly id: string,
    source: JobSource,
    /** What was told of a job while it was stored; only for one that this process has just stored. */
    early?: EngineEvent[],
  ) {
    this.#source = source
    if (!early) return
    this.#first = new Feed(id, source, early)
    setImmediate(() => {
      this.#first?.close()
      this.#first = undefined
    })
  }

  /** The job as it is now. Rejects with `AUTON8N_JOB_NOT_FOUND` where it was cleaned away. */
  async status(): Promise<JobSnapshot> {
    const snapshot = await this.#source.job(this.id)
    if (snapshot) return snapshot
    throw new Auton8nError(
      'AUTON8N_JOB_NOT_FOUND',
      `There is no job '${this.id}'; it may have been cleaned away. List what there is with \`jobs()\`.`,
    )
  }

  /**
   * The present state, then what happens from now on; ends after `done`. Whoever listens as soon as the creation is
   * stored, with nothing awaited between, hears it from its first stage.
   */
  async *events(options: { signal?: AbortSignal } = {}): AsyncGenerator<CreationEvent, void, undefined> {
    const heardAll = this.#first !== undefined
    const feed = this.#first ?? new Feed(this.id, this.#source)
    this.#first = undefined
    try {
      const seen = new Seen()
      const first = await this.status()
      // Hints from before that answer are on their way; they come first where they are told at all.
      await nextTurn()
      yield* seen.state(first)
      for (const hint of feed.take()) yield* seen.hint(this.id, hint)
      // What is stored may be ahead of hints that will come.
      if (!heardAll || isFinal(first.status)) yield* seen.news(first)
      for (let snapshot = first; !isFinal(snapshot.status); ) {
        const hints = await feed.next(options.signal)
        for (const hint of hints) yield* seen.hint(this.id, hint)
        if (hints.length > 0 && hints.every((hint) => hint.type === 'log' || hint.type === 'progress')) continue
        snapshot = await this.status()
        if (isFinal(snapshot.status)) {
          await nextTurn()
          for (const hint of feed.take()) yield* seen.hint(this.id, hint)
        }
        yield* hints.length === 0 || isFinal(snapshot.status) ? seen.news(snapshot) : seen.state(snapshot)
        if (isFinal(snapshot.status)) yield done(snapshot)
      }
      if (isFinal(first.status)) yield done(first)
    } finally {
      feed.close()
    }
  }

  /**
   * Waits for the plugin. Rejects with the job's error, whose `details.report` says what failed. `signal` ends the
   * waiting (`AUTON8N_CANCELLED`), not the job: that is `cancel()`.
   */
  async result(options: { signal?: AbortSignal } = {}): Promise<CreatedPlugin> {
    const snapshot = await this.finished(options)
    if (snapshot.status === 'completed' && snapshot.result) return snapshot.result
    const details = snapshot.report ? { report: snapshot.report } : undefined
    if (snapshot.status === 'cancelled') {
      throw new Auton8nError('AUTON8N_CANCELLED', `The creation '${this.id}' was cancelled.`, { details })
    }
    const { code, message } = snapshot.error ?? {
      code: 'AUTON8N_INTERNAL',
      message: `The creation '${this.id}' ended as ${snapshot.status} without saying why; please report it.`,
    }
    throw new Auton8nError(code, message, { details })
  }

  /** Waits until the job is completed, failed or cancelled, and answers how it ended. */
  async finished(options: { signal?: AbortSignal } = {}): Promise<JobSnapshot> {
    const feed = new Feed(this.id, this.#source)
    try {
      for (;;) {
        throwIfGivenUp(this.id, options.signal)
        const snapshot = await this.status()
        if (isFinal(snapshot.status)) return snapshot
        await feed.until((hint) => hint.type !== 'log' && hint.type !== 'progress', options.signal)
      }
    } finally {
      feed.close()
    }
  }

  /** Cancels the job; false where it was over already. */
  cancel(): Promise<boolean> {
    return this.#source.cancel(this.id)
  }
}

/** The hints about one job, and a timer that holds the process while somebody waits for them. */
class Feed {
  readonly #id: string
  readonly #stop: () => void
  #hints: EngineEvent[]
  #wake: (() => void) | undefined

  constructor(id: string, source: JobSource, early: EngineEvent[] = []) {
    this.#id = id
    this.#hints = early.slice(-MOST_BUFFERED)
    this.#stop = source.listen(id, (event) => {
      if (this.#hints.length === MOST_BUFFERED) this.#hints.shift()
      this.#hints.push(event)
      this.#wake?.()
    })
  }

  /** The hints so far, or those that come next; none after a while without any. */
  async next(signal?: AbortSignal): Promise<EngineEvent[]> {
    if (this.#hints.length === 0) await this.#wait(ASK_EVERY, signal)
    throwIfGivenUp(this.#id, signal)
    return this.take()
  }

  /** The hints so far. */
  take(): EngineEvent[] {
    const hints = this.#hints
    this.#hints = []
    return hints
  }

  /** Returns at a hint that counts, or after a while without any. */
  async until(counts: (hint: EngineEvent) => boolean, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + ASK_EVERY
    while (performance.now() < end) {
      const hints = this.#hints
      this.#hints = []
      if (hints.some(counts)) return
      await this.#wait(Math.max(1, end - performance.now()), signal)
      throwIfGivenUp(this.#id, signal)
    }
  }

  close(): void {
    this.#stop()
  }

  async #wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      signal?.addEventListener('abort', this.#wake, { once: true })
    })
    if (this.#wake) signal?.removeEventListener('abort', this.#wake)
    this.#wake = undefined
  }
}

/** What a subscriber was told, so that it is told each change once, whether by a hint or by asking. */
class Seen {
  #status: string | undefined
  #stage: string | undefined
  #iteration = 0
  #progress = -1
  /** How far it was seen: iteration, then stage. */
  #reached = -1

  /** What is new in the job as it is now. */
  news(snapshot: JobSnapshot): CreationEvent[] {
    const base = { jobId: snapshot.id, at: Date.now() }
    const state = this.state(snapshot)
    // A hint may have told more than was stored when the state was asked.
    if (orderOf(snapshot.stage, snapshot.iteration) < this.#reached) return state
    return [...state, ...this.#advance(base, snapshot.stage, snapshot.iteration, snapshot.progress)]
  }

  /** The job's status, where it is another. */
  state(snapshot: JobSnapshot): CreationEvent[] {
    if (snapshot.status === this.#status) return []
    this.#status = snapshot.status
    return [{ jobId: snapshot.id, at: Date.now(), type: 'status', status: snapshot.status, snapshot }]
  }

  /** What is new in a hint. */
  hint(jobId: string, event: EngineEvent): CreationEvent[] {
    const base = { jobId, at: event.at ?? Date.now() }
    if (event.type === 'log' && event.line !== undefined) return [{ ...base, type: 'log', line: event.line }]
    // A new attempt may begin at an earlier stage.
    if (event.type === 'retrying' || event.type === 'stalled') this.#reached = -1
    if (event.type !== 'progress') return []
    const iteration = event.iteration ?? this.#iteration
    // Hints that were under way when the present state was asked lie behind it.
    if (orderOf(event.stage, iteration) < this.#reached) return []
    const progress = event.progress ?? this.#progress
    return this.#advance(base, event.stage, iteration, progress, event.message ?? undefined)
  }

  #advance(
    base: { jobId: string; at: number },
    name: string | null | undefined,
    iteration: number,
    progress: number,
    message?: string,
  ): CreationEvent[] {
    const events: CreationEvent[] = []
    const stage = stageOf(name)
    this.#reached = Math.max(this.#reached, orderOf(name, iteration))
    if (stage && (stage !== this.#stage || iteration !== this.#iteration)) {
      this.#stage = stage
      this.#iteration = iteration
      events.push({ ...base, type: 'stage', stage, iteration })
    }
    if (progress !== this.#progress || message !== undefined) {
      this.#progress = progress
      const extras = { ...(stage ? { stage } : {}), ...(message === undefined ? {} : { message }) }
      events.push({ ...base, type: 'progress', progress, iteration, ...extras })
    }
    return events
  }
}

function orderOf(stage: string | null | undefined, iteration: number): number {
  const index = STAGES.findIndex((known) => known === stage)
  return iteration * STAGES.length + index
}

function done(snapshot: JobSnapshot): CreationEvent {
  const status = snapshot.status as 'completed' | 'failed' | 'cancelled'
  return {
    jobId: snapshot.id,
    at: snapshot.finishedAt ?? Date.now(),
    type: 'done',
    status,
    ...(snapshot.result ? { result: snapshot.result } : {}),
    ...(snapshot.error && status !== 'completed' ? { error: snapshot.error } : {}),
    ...(snapshot.report ? { report: snapshot.report } : {}),
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function throwIfGivenUp(id: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  throw new Auton8nError('AUTON8N_CANCELLED', `Waiting for '${id}' was given up by the signal; the job goes on.`, {
    cause: signal.reason,
  })
}
