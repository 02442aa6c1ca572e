import { inTrace } from './job-trace.js'
import type { Job, JobContext, JobHandler } from './job.js'
import { failure, toJob, written, type NativeJob } from './queue-input.js'

/** An attempt as the addon tells it; its options are in a list of their own. */
export type NativeRun = Omit<NativeJob, 'options'> & { attempt: number; options: number }

/** What the attempts of a queue say to the addon. */
export interface RunsNative {
  settle(settled: string): void
  progress(attempt: number, percent: number): void
  log(attempt: number, line: string): void
}

/** So long may the starts of many attempts keep the loop, before they let others have a turn. */
const TURN = 5
/** Attempts that start between two looks at the clock. */
const STEP = 16

interface Running {
  /** Why the attempt is in vain, once it is. */
  aborted?: Error
  /** Made when the handler asks for its signal. */
  controller?: AbortController
}

/** The attempts that run here. They start, and end, many at once. */
export class Runs {
  private readonly running = new Map<number, Running>()
  private settled: string[] = []

  constructor(
    private readonly native: RunsNative,
    private readonly handlers: ReadonlyMap<string, JobHandler>,
    private readonly methods: Pick<Job, 'events'>,
    private readonly stopped: () => Error,
  ) {}

  /** Starts attempts. */
  start(runs: NativeRun[], options: NativeJob['options'][]): void {
    for (const { attempt } of runs) this.running.set(attempt, {})
    this.next(runs, options, 0)
  }

  /** What the attempt still does is in vain. */
  abort(attempt: number, why: Error): void {
    const running = this.running.get(attempt)
    if (!running) return
    running.aborted = why
    running.controller?.abort(why)
  }

  private next(runs: NativeRun[], options: NativeJob['options'][], from: number): void {
    const began = performance.now()
    for (let n = from; n < runs.length; n++) {
      const run = runs[n] as NativeRun
      void this.run(run.attempt, toJob(run, this.methods, options[run.options]))
      if (n % STEP === STEP - 1 && performance.now() - began > TURN) {
        setImmediate(() => this.next(runs, options, n + 1))
        return
      }
    }
  }

  private async run(attempt: number, job: Job): Promise<void> {
    let ended: string
    try {
      const running = this.running.get(attempt)
      if (!running || running.aborted) throw running?.aborted ?? this.stopped()
      const handler = this.handlers.get(job.name)
      if (!handler) throw new Error(`there is no handler for ${JSON.stringify(job.name)}`)
      const context = this.context(attempt, running)
      const { trace } = job.options
      const result = await (trace ? inTrace(trace, () => handler(job, context)) : handler(job, context))
      ended = `[${attempt},${written(result) ?? 'null'},null]`
    } catch (error) {
      ended = `[${attempt},null,${JSON.stringify(failure(error))}]`
    }
    this.running.delete(attempt)
    // Those that end in this turn are told together.
    if (this.settled.push(ended) === 1) queueMicrotask(() => this.tell())
  }

  private context(attempt: number, running: Running): JobContext {
    const { native } = this
    return {
      get signal() {
        if (!running.controller) {
          running.controller = new AbortController()
          if (running.aborted) running.controller.abort(running.aborted)
        }
        return running.controller.signal
      },
      progress: percent => native.progress(attempt, Number(percent)),
      log: line => native.log(attempt, String(line)),
    }
  }

  private tell(): void {
    const settled = this.settled
    this.settled = []
    this.native.settle(`[${settled.join(',')}]`)
  }
}
