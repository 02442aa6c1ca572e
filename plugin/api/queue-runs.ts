import { inTrace } from './job-trace.js'
import type { Job, JobHandler, JobOptions, JobPriority } from './job.js'
import { failure, toJob, written, type NativeJob } from './queue-input.js'
import { RunContext, withOwnSignal } from './run-context.js'

type Options = JobOptions & { priority: JobPriority }

/**
 * Attempts as the addon tells them: in `each` come, one after the other, those of each. What many share is written
 * once, and times as the difference to `at`.
 */
export interface NativeRuns {
  at: number
  options: Options[]
  names: string[]
  each: unknown[]
}

/** The entries of an attempt in `each`. */
const enum Entry {
  Attempt, Id, Name, Options, Data, Attempts, CreatedAt, RunAt, StartedAt, Rest, Count,
}

/** What few jobs have. */
type Rest = Pick<NativeJob, 'status' | 'progress' | 'log' | 'error'>

/** What the attempts of a queue say to the addon. */
export interface RunsNative {
  /** Answers attempts that are to be run in the stead of those that ended, where no message with runs is on its way. */
  settle(settled: string, heard: number): string | null
  progress(attempt: number, percent: number): void
  log(attempt: number, line: string): void
}

/** So long may the starts of many attempts keep the loop, before they let others have a turn. */
const TURN = 5
/** Attempts that start between two looks at the clock. */
const STEP = 16

/** The attempts that run here. They start, and end, many at once. */
export class Runs {
  /** Those that wait for a turn, or for their handler's promise. */
  private readonly running = new Map<number, RunContext>()
  private settled: (number | string)[] = []
  private turn = 0
  /** Messages with runs, so far. */
  private heard = 0
  /** Those that wait for a turn, each from its next attempt on. */
  private late: { runs: NativeRuns; from: number }[] = []

  constructor(
    private readonly queue: string,
    private readonly native: RunsNative,
    private readonly handlers: ReadonlyMap<string, JobHandler>,
    private readonly methods: Pick<Job, 'events'>,
  ) {}

  /** Starts attempts. */
  start(runs: NativeRuns): void {
    this.heard = (this.heard + 1) >>> 0
    this.turn = performance.now()
    this.next(runs, 0)
  }

  /** What the attempt still does is in vain. */
  abort(attempt: number, why: Error): void {
    const context = this.running.get(attempt)
    if (context) RunContext.abort(context, why)
  }

  private next(runs: NativeRuns, from: number): void {
    const all = runs.each
    if (this.late.length > 0) return this.later(runs, from)
    for (let n = from, step = 1; n < all.length; n += Entry.Count, step++) {
      if (step % STEP === 0 && performance.now() - this.turn > TURN) return this.later(runs, n)
      this.run(runs, n)
    }
  }

  private later(runs: NativeRuns, from: number): void {
    for (let n = from; n < runs.each.length; n += Entry.Count) {
      const attempt = runs.each[n] as number
      // It may be aborted before its turn.
      if (!this.running.has(attempt)) this.running.set(attempt, new RunContext(attempt, this.native))
    }
    if (this.late.push({ runs, from }) === 1) setImmediate(() => this.resume())
  }

  private resume(): void {
    this.turn = performance.now()
    const late = this.late
    this.late = []
    for (const { runs, from } of late) this.next(runs, from)
  }

  private run(runs: NativeRuns, n: number): void {
    const attempt = runs.each[n] as number
    try {
      const waited = this.running.size > 0 ? this.running.get(attempt) : undefined
      const aborted = waited && RunContext.aborted(waited)
      if (aborted) throw aborted
      const job = this.job(runs, n)
      const handler = this.handlers.get(job.name)
      if (!handler) throw new Error(`there is no handler for ${JSON.stringify(job.name)}`)
      const context = waited ?? new RunContext(attempt, this.native)
      if (handler.length > 1) withOwnSignal(context)
      const { trace } = job.options
      const result: unknown = trace ? inTrace(trace, () => handler(job, context)) : handler(job, context)
      if (!isThenable(result)) return this.completed(attempt, result)
      this.running.set(attempt, context)
      Promise.resolve(result).then(
        value => this.completed(attempt, value),
        (error: unknown) => this.failed(attempt, error),
      )
    } catch (error) {
      this.failed(attempt, error)
    }
  }

  private job(runs: NativeRuns, n: number): Job {
    const { each: all, at } = runs
    const options = runs.options[all[n + Entry.Options] as number] as Options
    const rest = all[n + Entry.Rest] as Rest | 0
    const startedAt = all[n + Entry.StartedAt] as number | null
    const started = (startedAt === null ? undefined : at + startedAt) as number
    const job = {
      id: all[n + Entry.Id] as string,
      queue: this.queue,
      name: runs.names[all[n + Entry.Name] as number] as string,
      data: all[n + Entry.Data],
      status: 'running',
      attempts: all[n + Entry.Attempts] as number,
      progress: 0,
      log: [],
      createdAt: at + (all[n + Entry.CreatedAt] as number),
      runAt: at + (all[n + Entry.RunAt] as number),
      startedAt: started,
      options: undefined,
    } as const
    return toJob(rest === 0 ? job : { ...job, ...rest }, this.methods, options)
  }

  private completed(attempt: number, result: unknown): void {
    if (result === undefined) return this.ended(attempt, attempt)
    try {
      this.ended(attempt, `[${attempt},${written(result) ?? 'null'},null]`)
    } catch (error) {
      this.failed(attempt, error)
    }
  }

  private failed(attempt: number, error: unknown): void {
    this.ended(attempt, `[${attempt},null,${JSON.stringify(failure(error))}]`)
  }

  private ended(attempt: number, told: number | string): void {
    if (this.running.size > 0) this.running.delete(attempt)
    // Those that end in this turn are told together.
    if (this.settled.push(told) === 1) queueMicrotask(() => this.tell())
  }

  private tell(): void {
    const settled = this.settled
    this.settled = []
    const next = this.native.settle(`[${settled.join(',')}]`, this.heard)
    if (next === null) return
    const runs = JSON.parse(next) as NativeRuns
    if (performance.now() - this.turn > TURN) this.later(runs, 0)
    else this.next(runs, 0)
  }
}

function isThenable(value: unknown): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
