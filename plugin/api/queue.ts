import { Auton8nError, fromNative, nativeCall, nativeCallSync } from '../errors.js'
import { native } from '../native.js'

type NativeQueue = Awaited<ReturnType<ReturnType<typeof native>['openQueue']>>

/** Smaller runs first, strictly. */
export const JobPriority = { CRITICAL: 0, HIGH: 1, NORMAL: 2, LOW: 3 } as const
export type JobPriority = (typeof JobPriority)[keyof typeof JobPriority]

export type JobStatus = 'pending' | 'scheduled' | 'running' | 'retrying' | 'completed' | 'failed' | 'cancelled'

/** How a job is to be run. Durations are milliseconds. */
export interface JobOptions {
  /** Default NORMAL. */
  priority?: JobPriority
  /** From now. */
  delay?: number
  /** A time, instead of `delay`. */
  runAt?: number | Date
  /** How long an attempt may take; no limit by default. */
  timeout?: number
  /** Further attempts after the first; default 3, so up to four attempts. */
  retries?: number
  /** Before the first retry; default 1000. */
  retryDelay?: number
  /** Default 'exponential'. */
  retryBackoff?: 'exponential' | 'linear' | 'fixed'
  /** 0 to 1: how much of the delay is added at random at most; default 0.2. */
  jitter?: number | boolean
  removeOnComplete?: boolean
  removeOnFail?: boolean
  /** At most one live job a key; another is refused with `AUTON8N_JOB_DUPLICATE`. */
  uniqueKey?: string
  /** Within a priority, keys take turns. */
  fairKey?: string
  metadata?: Record<string, unknown>
}

/** A job as the store has it. Times are milliseconds since 1970. */
export interface Job<Data = unknown, Result = unknown> {
  readonly id: string
  readonly queue: string
  readonly name: string
  readonly data: Data
  readonly status: JobStatus
  readonly priority: JobPriority
  /** Runs so far, the present one included. */
  readonly attempts: number
  /** 0 to 100. */
  readonly progress: number
  /** The last 200 lines. */
  readonly log: readonly string[]
  readonly result?: Result
  readonly error?: { code: string; message: string }
  readonly createdAt: number
  readonly runAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly options: JobOptions
}

/** What a handler gets beside its job. */
export interface JobContext {
  /** Aborted when the job is cancelled, timed out, or its worker stops. */
  readonly signal: AbortSignal
  /** 0 to 100. */
  progress(percent: number): void
  log(line: string): void
}

export type JobHandler<Data = unknown, Result = unknown> = (
  job: Job<Data, Result>,
  context: JobContext,
) => Promise<Result> | Result

interface EventBase {
  queue: string
  jobId: string
  name: string
  at: number
}

/** The events of a queue by their name. */
export interface JobEvents {
  added: EventBase & { type: 'added' }
  started: EventBase & { type: 'started'; attempt: number }
  progress: EventBase & { type: 'progress'; progress: number; stage?: string; iteration?: number }
  log: EventBase & { type: 'log'; line: string }
  completed: EventBase & { type: 'completed'; result: unknown }
  failed: EventBase & { type: 'failed'; code: string; message: string }
  retrying: EventBase & { type: 'retrying'; code: string; message: string; runAt: number }
  cancelled: EventBase & { type: 'cancelled' }
  stalled: EventBase & { type: 'stalled' }
}

export interface QueueOptions {
  /** `sqlite` (in `dataDir`, the default), `sqlite:PATH`, or `memory`. */
  store?: string
  /** Default `AUTON8N_DATA_DIR`, else `.auton8n`. */
  dataDir?: string
  /** How long a job of a dead worker waits for its rescue; default 15000. */
  leaseDuration?: number
  /** What is kept of ended jobs, for each status; default 10000 jobs and 7 days. */
  retention?: { count?: number; age?: number }
}

export interface WorkerOptions {
  /** Jobs that run at once; default 1. */
  concurrency?: number
  /** How long `stop` waits for running jobs before it hands them back; default 30000. */
  shutdownTimeout?: number
}

export interface JobFilter {
  status?: JobStatus
  name?: string
  /** 1 to 1000; default 100. */
  limit?: number
  /** The id of the last job of the page before. */
  cursor?: string
}

/** How a queue does; durations are milliseconds. */
export interface QueueMetrics extends Record<JobStatus, number> {
  total: number
  paused: boolean
  oldestWaitingMs: number | null
  sinceLastClaimMs: number | null
  completedLastMinute: number
  errorRate: number
  waitMs: { p50: number; p95: number; p99: number }
  runMs: { p50: number; p95: number; p99: number }
}

/** Thrown by a handler: no further attempt. */
export class AbortJobError extends Error {
  override readonly name = 'AbortJobError'
}

/** Thrown by a handler: the next attempt starts after so many milliseconds. */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError'
  readonly delay: number

  constructor(delay: number, message = `try again after ${delay} ms`, options?: ErrorOptions) {
    super(message, options)
    this.delay = delay
  }
}

interface NativeJob extends Omit<Job, 'priority' | 'options'> {
  options: JobOptions & { priority: JobPriority }
}

interface PendingAdd {
  json: string
  resolve(jobs: Job[]): void
  reject(error: unknown): void
}

type AddAnswer = { jobs: NativeJob[] } | { code: string; message: string; details: unknown }

type Message =
  | { kind: 'run'; attempt: number; job: NativeJob }
  | { kind: 'abort'; attempt: number }
  | { kind: 'active'; worker: number; active: boolean }

const EVENTS = ['added', 'started', 'progress', 'log', 'completed', 'failed', 'retrying', 'cancelled', 'stalled']
const LONGEST_TIMER = 2 ** 31 - 1
const SHUTDOWN_TIMEOUT = 30_000
/** How long a worker may take to tell that there is something for it again. */
const LINGER = 1_000

function invalid(message: string, cause?: unknown): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', message, cause === undefined ? {} : { cause })
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(`${what} must be a string`)
  return value
}

function options(value: unknown, what: string, known: readonly string[]): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} must be an object`)
  const strange = Object.keys(value).find(key => !known.includes(key))
  if (strange !== undefined) throw invalid(`${what}: ${JSON.stringify(strange)} is not known; there are ${known.join(', ')}`)
}

function milliseconds(value: unknown, what: string, longest = LONGEST_TIMER): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > longest) {
    throw invalid(`${what} must be milliseconds, 0 to ${longest}`)
  }
  return Math.round(value)
}

function toJob<Data, Result>(job: NativeJob): Job<Data, Result> {
  const { result, error, startedAt, finishedAt } = job as { [key in keyof NativeJob]: NativeJob[key] | null }
  return {
    id: job.id,
    queue: job.queue,
    name: job.name,
    data: job.data as Data,
    status: job.status,
    priority: job.options.priority,
    attempts: job.attempts,
    progress: job.progress,
    log: job.log,
    ...(job.status === 'completed' || result != null ? { result: result as Result } : {}),
    ...(error != null ? { error } : {}),
    createdAt: job.createdAt,
    runAt: job.runAt,
    ...(startedAt != null ? { startedAt } : {}),
    ...(finishedAt != null ? { finishedAt } : {}),
    options: withoutNull(job.options),
  }
}

function withoutNull(options: JobOptions): JobOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))
}

function toNew(name: unknown, data: unknown, jobOptions: unknown): { name: string; data: unknown; options: object } {
  const plain = jobOptions === undefined ? {} : jobOptions
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) throw invalid("the job's options must be an object")
  const { runAt, jitter, ...rest } = plain as JobOptions
  for (const [key, value] of Object.entries(rest)) {
    if (value === null || (typeof value === 'number' && !Number.isFinite(value))) {
      throw invalid(`\`${key}\` must not be ${String(value)}; leave it out for its default`)
    }
  }
  const at = runAt instanceof Date ? runAt.getTime() : runAt
  if (at !== undefined && !Number.isSafeInteger(at)) throw invalid('`runAt` must be a Date or whole milliseconds since 1970')
  const spread = jitter === true ? 0.2 : jitter === false ? 0 : jitter
  return { name: text(name, "the job's name"), data: data === undefined ? null : data, options: { ...rest, runAt: at, jitter: spread } }
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw invalid("the job's data must be JSON: no BigInt and no circle", cause)
  }
}

/** Runs the jobs of its queue for which there are handlers. */
export class Worker {
  /** @internal */
  constructor(
    private readonly startNative: () => Promise<void>,
    private readonly stopNative: () => Promise<void>,
  ) {}

  private running: Promise<void> | undefined

  /** Starts taking jobs. Until it is stopped it keeps the process alive while there are jobs for it. */
  start(): Promise<void> {
    this.running ??= this.startNative()
    return this.running
  }

  /** Takes no further job, waits for running ones up to `shutdownTimeout`, then hands them back. */
  async stop(): Promise<void> {
    if (!this.running) return
    await this.running.catch(() => undefined)
    this.running = undefined
    await this.stopNative()
  }
}

/** A durable job queue. An added job is on the disk when `addJob` resolves. */
export class JobQueue {
  private native!: NativeQueue
  private readonly handlers = new Map<string, JobHandler>()
  private readonly listeners = new Map<string, Set<(event: never) => void>>()
  private readonly running = new Map<number, AbortController>()
  private readonly active = new Set<number>()
  private adds: PendingAdd[] = []
  private alive: NodeJS.Timeout | undefined
  private lingering: NodeJS.Timeout | undefined
  private nextWorker = 1
  private started = 0
  private shutdownTimeout = 0
  private closing: Promise<void> | undefined

  private constructor(readonly name: string) {}

  /** Opens the queue of that name, here or, where another process owns the data directory, through it. */
  static async open(name: string, queueOptions: QueueOptions = {}): Promise<JobQueue> {
    options(queueOptions, "the queue's options", ['store', 'dataDir', 'leaseDuration', 'retention'])
    options(queueOptions.retention, '`retention`', ['count', 'age'])
    for (const key of ['store', 'dataDir'] as const) {
      if (queueOptions[key] !== undefined && text(queueOptions[key], `\`${key}\``) === '') throw invalid(`\`${key}\` must not be empty`)
    }
    const queue = new JobQueue(text(name, "the queue's name"))
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
    return queue
  }

  /** Whether another process owns the store; workers run there. */
  get served(): boolean {
    return this.native.served
  }

  /** Workers of this queue run jobs of that name with `handler`. A throw is a failed attempt. */
  registerHandler<Data = unknown, Result = unknown>(jobName: string, handler: JobHandler<Data, Result>): void {
    if (typeof handler !== 'function') throw invalid('the handler must be a function')
    nativeCallSync(() => this.native.register(text(jobName, "the job's name")))
    this.handlers.set(jobName, handler as JobHandler)
    this.linger()
  }

  /** Adds a job; it is on the disk when this resolves. Adds of one tick go together. */
  async addJob<Data = unknown, Result = unknown>(name: string, data: Data, jobOptions?: JobOptions): Promise<Job<Data, Result>> {
    const [job] = await this.add(toJson([toNew(name, data, jobOptions)]))
    return job as Job<Data, Result>
  }

  /** Adds all of the jobs or none. */
  async addBulkJobs<Data = unknown, Result = unknown>(
    jobs: readonly { name: string; data: Data; options?: JobOptions }[],
  ): Promise<Job<Data, Result>[]> {
    if (!Array.isArray(jobs)) throw invalid('the jobs must be an array')
    const all = (jobs as readonly { name: string; data: Data; options?: JobOptions }[]).map(job => {
      if (typeof job !== 'object' || job === null) throw invalid('each job must be an object with `name` and `data`')
      return toNew(job.name, job.data, job.options)
    })
    return (await this.add(toJson(all))) as Job<Data, Result>[]
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

  /** One job, or `undefined`. */
  async getJob<Data = unknown, Result = unknown>(id: string): Promise<Job<Data, Result> | undefined> {
    text(id, 'the id')
    const job = JSON.parse(await nativeCall(() => this.native.get(id))) as NativeJob | null
    return job ? toJob(job) : undefined
  }

  /** Jobs, the newest first. */
  async getJobs(filter: JobFilter = {}): Promise<Job[]> {
    options(filter, 'the filter', ['status', 'name', 'limit', 'cursor'])
    const jobs = JSON.parse(await nativeCall(() => this.native.list(JSON.stringify(filter)))) as NativeJob[]
    return jobs.map(job => toJob(job))
  }

  /** Cancels a waiting or running job; false where it ended already or is not known. */
  async cancelJob(id: string): Promise<boolean> {
    text(id, 'the id')
    return nativeCall(() => this.native.cancel(id))
  }

  /** Runs a failed, cancelled, retrying or scheduled job at once, with fresh attempts. */
  async retryJob(id: string): Promise<Job> {
    text(id, 'the id')
    const job = toJob(JSON.parse(await nativeCall(() => this.native.retry(id))) as NativeJob)
    this.linger()
    return job
  }

  /** How the queue does. */
  async getMetrics(): Promise<QueueMetrics> {
    return JSON.parse(await nativeCall(() => this.native.metrics())) as QueueMetrics
  }

  /** Deletes jobs that ended more than `olderThan` milliseconds ago; answers how many. */
  async clean(olderThan: number, status?: 'completed' | 'failed' | 'cancelled'): Promise<number> {
    const age = milliseconds(olderThan, '`olderThan`', Number.MAX_SAFE_INTEGER)
    if (status !== undefined) text(status, '`status`')
    return nativeCall(() => this.native.clean(age, status))
  }

  /** No worker of any process takes further jobs, until `resume`; survives a restart. */
  async pause(): Promise<void> {
    await nativeCall(() => this.native.setPaused(true))
  }

  async resume(): Promise<void> {
    await nativeCall(() => this.native.setPaused(false))
    this.linger()
  }

  /** Stops the workers, which wait for running jobs up to their `shutdownTimeout`, and closes the queue. */
  shutdown(): Promise<void> {
    this.closing ??= nativeCall(() => this.native.close(this.shutdownTimeout)).finally(() => {
      this.started = 0
      clearTimeout(this.lingering)
      for (const worker of [...this.active]) this.setActive(worker, false)
    })
    return this.closing
  }

  on<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents[Name]) => void): this {
    if (!EVENTS.includes(name)) throw invalid(`there is no event ${JSON.stringify(name)}; there are ${EVENTS.join(', ')}`)
    if (typeof listener !== 'function') throw invalid('the listener must be a function')
    const listeners = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, listeners.add(listener as (event: never) => void))
    return this
  }

  off<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents[Name]) => void): this {
    this.listeners.get(name)?.delete(listener as (event: never) => void)
    return this
  }

  private add(json: string): Promise<Job[]> {
    return new Promise((resolve, reject) => {
      if (this.adds.push({ json, resolve, reject }) === 1) queueMicrotask(() => void this.sendAdds())
    })
  }

  private async sendAdds(): Promise<void> {
    const adds = this.adds
    this.adds = []
    try {
      const answers = JSON.parse(await this.native.addEach(adds.map(add => add.json))) as AddAnswer[]
      this.linger()
      for (const [index, add] of adds.entries()) {
        const answer = answers[index]
        if (answer && 'jobs' in answer) add.resolve(answer.jobs.map(job => toJob(job)))
        else if (answer) add.reject(new Auton8nError(answer.code, answer.message, answer.details === null ? {} : { details: answer.details }))
      }
    } catch (error) {
      for (const add of adds) add.reject(fromNative(error))
    }
  }

  private hear(json: string): void {
    const event = JSON.parse(json) as JobEvents[keyof JobEvents]
    for (const listener of [...(this.listeners.get(event.type) ?? [])]) {
      try {
        const answer: unknown = (listener as (event: unknown) => unknown)(event)
        if (answer instanceof Promise) answer.catch(warn)
      } catch (error) {
        warn(error)
      }
    }
  }

  private told(message: Message): void {
    if (message.kind === 'run') void this.run(message.attempt, toJob(message.job))
    else if (message.kind === 'abort') this.running.get(message.attempt)?.abort(new Auton8nError('AUTON8N_CANCELLED', 'The job was cancelled, timed out, or its worker stops.'))
    else this.setActive(message.worker, message.active)
  }

  private async run(attempt: number, job: Job): Promise<void> {
    const controller = new AbortController()
    this.running.set(attempt, controller)
    try {
      const handler = this.handlers.get(job.name)
      if (!handler) throw new Error(`there is no handler for ${JSON.stringify(job.name)}`)
      const result = await handler(job, {
        signal: controller.signal,
        progress: percent => this.native.progress(attempt, Number(percent)),
        log: line => this.native.log(attempt, String(line)),
      })
      this.native.settle(attempt, JSON.stringify({ ok: true, result: result === undefined ? null : result }))
    } catch (error) {
      this.native.settle(attempt, JSON.stringify(failure(error)))
    } finally {
      this.running.delete(attempt)
    }
  }

  /** Keeps the process until an idle worker has told whether it works again. */
  private linger(): void {
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

function failure(error: unknown): { message: string; code?: string; abort?: boolean; retryAfter?: number } {
  const message = error instanceof Error ? error.message || error.name : String(error)
  if (error instanceof AbortJobError) return { message, abort: true }
  if (error instanceof RetryAfterError) {
    return { message, retryAfter: Number.isFinite(error.delay) && error.delay > 0 ? Math.min(Math.round(error.delay), Number.MAX_SAFE_INTEGER) : 0 }
  }
  if (error instanceof Auton8nError) return { message, code: error.code }
  return { message }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'Auton8nListenerWarning')
}
