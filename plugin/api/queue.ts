import { Auton8nError, nativeCall, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type {
  AnyName, DataOf, Job, JobHandler, JobOptions, NewJob, QueueOptions, ResultOf, Untyped, WorkerOptions,
} from './job.js'
import { activeTrace } from './job-trace.js'
import { Adds, type Answers, type PlainAnswers } from './queue-adds.js'
import { LONGEST_TIMER, finite, invalid, milliseconds, options, text, toNew } from './queue-input.js'
import { ManagedQueue } from './queue-managed.js'
import { Runs, type NativeRuns } from './queue-runs.js'
import { Worker } from './worker.js'

export * from './job.js'
export { Worker } from './worker.js'


type Message =
  | ({ kind: 'run' } & NativeRuns)
  | ({ kind: 'added'; number: number } & Answers)
  | ({ kind: 'addedPlain'; number: number } & PlainAnswers)
  | { kind: 'abort'; attempt: number; code: string; message: string }
  | { kind: 'active'; worker: number; active: boolean }

const SHUTDOWN_TIMEOUT = 30_000
/** How long a worker may take to tell that there is something for it again. */
const LINGER = 1_000

/** A durable job queue. An added job is on the disk when `addJob` resolves. */
export class JobQueue<Types extends object = Untyped> extends ManagedQueue<Types> {
  private readonly handlers = new Map<string, JobHandler>()
  private readonly active = new Set<number>()
  private runs!: Runs
  private adds!: Adds
  private alive: NodeJS.Timeout | undefined
  private lingering: NodeJS.Timeout | undefined
  private nextWorker = 1
  private started = 0
  private shutdownTimeout = 0
  private closing: Promise<void> | undefined

  private constructor(name: string) {
    super(name)
  }

  /** Opens the queue of that name, here or, where another process owns the data directory, through it. */
  static async open<Types extends object = Untyped>(
    name: string,
    queueOptions: QueueOptions = {},
  ): Promise<JobQueue<Types>> {
    options(queueOptions, "the queue's options", ['store', 'dataDir', 'leaseDuration', 'retention'])
    options(queueOptions.retention, '`retention`', ['count', 'age'])
    finite(queueOptions, "the queue's options")
    for (const key of ['store', 'dataDir'] as const) {
      const given = queueOptions[key]
      if (given !== undefined && text(given, `\`${key}\``) === '') throw invalid(`\`${key}\` must not be empty`)
    }
    const queue = new JobQueue<Types>(text(name, "the queue's name"))
    const dataDir = queueOptions.dataDir ?? (process.env['AUTON8N_DATA_DIR'] || '.auton8n')
    const json = JSON.stringify({ ...queueOptions, dataDir })
    queue.native = await nativeCall(() =>
      native().openQueue(
        name,
        json,
        (event: string) => queue.hear(event),
        (message: string) => queue.told(JSON.parse(message) as Message),
      ),
    )
    queue.runs = new Runs(name, queue.native, queue.handlers, queue.methods)
    queue.adds = new Adds(name, queue.methods, queue.native, () => queue.linger())
    return queue
  }

  /** Whether another process owns the store; workers run there. */
  get served(): boolean {
    return this.native.served
  }

  /** Workers of this queue run jobs of that name with `handler`. A throw is a failed attempt. */
  registerHandler<Name extends keyof Types & string>(
    jobName: Name,
    handler: JobHandler<DataOf<Types, Name>, ResultOf<Types, Name>>,
  ): void
  registerHandler<Data = unknown, Result = unknown>(jobName: AnyName<Types>, handler: JobHandler<Data, Result>): void
  registerHandler(jobName: string, handler: unknown): void {
    if (typeof handler !== 'function') throw invalid('the handler must be a function')
    nativeCallSync(() => this.native.register(text(jobName, "the job's name")))
    this.handlers.set(jobName, handler as JobHandler)
    this.linger()
  }

  /** Adds a job; it is on the disk when this resolves. Adds of one tick go together. */
  addJob<Name extends keyof Types & string>(
    name: Name,
    data: DataOf<Types, Name>,
    jobOptions?: JobOptions,
  ): Promise<Job<DataOf<Types, Name>, ResultOf<Types, Name>>>
  addJob<Data = unknown, Result = unknown>(
    name: AnyName<Types>,
    data: Data,
    jobOptions?: JobOptions,
  ): Promise<Job<Data, Result>>
  addJob(name: string, data: unknown, jobOptions?: JobOptions): Promise<Job> {
    try {
      if (jobOptions !== undefined || activeTrace()) return this.adds.one(toNew(name, data, jobOptions))
      return this.adds.plain(text(name, "the job's name"), data)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Adds all of the jobs or none. */
  addBulkJobs<Name extends keyof Types & string>(
    jobs: readonly { [Each in Name]: NewJob<Each, DataOf<Types, Each>> }[Name][],
  ): Promise<Job<DataOf<Types, Name>, ResultOf<Types, Name>>[]>
  addBulkJobs<Data = unknown, Result = unknown>(
    jobs: readonly NewJob<AnyName<Types>, NoInfer<Data>>[],
  ): Promise<Job<Data, Result>[]>
  async addBulkJobs(jobs: readonly NewJob[]): Promise<Job[]> {
    if (!Array.isArray(jobs)) throw invalid('the jobs must be an array')
    const each = (job: NewJob | undefined) => {
      if (typeof job !== 'object' || job === null) throw invalid('each job must be an object with `name` and `data`')
      return toNew(job.name, job.data, job.options, job.ref)
    }
    return this.adds.batch(jobs.length, n => each(jobs[n] as NewJob | undefined), jobs.every(standsAlone))
  }

  /** A worker of this queue; it runs when it is started. */
  createWorker(workerOptions: WorkerOptions = {}): Worker {
    options(workerOptions, "the worker's options", ['concurrency', 'shutdownTimeout'])
    const { concurrency, shutdownTimeout = SHUTDOWN_TIMEOUT } = workerOptions
    if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 10_000)) {
      throw invalid('`concurrency` must be a whole number, 1 to 10000')
    }
    const timeout = milliseconds(shutdownTimeout, '`shutdownTimeout`')
    const id = this.nextWorker++
    return new Worker(
      async () => {
        this.shutdownTimeout = Math.max(this.shutdownTimeout, timeout)
        this.setActive(id, true)
        try {
          await nativeCall(() => this.native.startWorker(id, JSON.stringify({ concurrency })))
          this.started++
        } catch (error) {
          this.setActive(id, false)
          throw error
        }
      },
      async () => {
        await nativeCall(() => this.native.stopWorker(id, timeout))
        this.started--
        this.setActive(id, false)
      },
    )
  }

  /**
   * Stops the workers, which wait for running jobs up to their `shutdownTimeout`, and closes the queue. Jobs whose add
   * was asked for before are stored.
   */
  shutdown(): Promise<void> {
    const close = async (): Promise<void> => {
      await this.adds.settled()
      await nativeCall(() => this.native.close(this.shutdownTimeout))
    }
    this.closing ??= close().finally(() => {
      this.ended()
      this.started = 0
      clearTimeout(this.lingering)
      for (const worker of this.active) this.setActive(worker, false)
    })
    return this.closing
  }

  private told(message: Message): void {
    if (message.kind === 'run') this.runs.start(message)
    else if (message.kind === 'addedPlain') this.adds.answerPlain(message.number, message)
    else if (message.kind === 'added') this.adds.answer(message.number, message)
    else if (message.kind === 'abort') this.runs.abort(message.attempt, new Auton8nError(message.code, message.message))
    else this.setActive(message.worker, message.active)
  }

  /** Keeps the process until an idle worker has told whether it works again. */
  protected override linger(): void {
    if (this.started === 0 || this.active.size > 0) return
    if (this.lingering) this.lingering.refresh()
    else this.lingering = setTimeout(() => (this.lingering = undefined), LINGER)
  }

  private setActive(worker: number, active: boolean): void {
    if (active) this.active.add(worker)
    else this.active.delete(worker)
    if (this.active.size > 0) {
      this.alive ??= setInterval(() => undefined, LONGEST_TIMER)
    } else {
      clearInterval(this.alive)
      this.alive = undefined
    }
  }
}

/** Whether no other job can have to do with whether it is added. */
function standsAlone(job: Partial<NewJob> | null | undefined): boolean {
  const { uniqueKey, dependsOn } = job?.options ?? {}
  return uniqueKey === undefined && dependsOn === undefined && job?.ref === undefined
}
