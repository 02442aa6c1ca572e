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
  /** At most one live job a key. */
  uniqueKey?: string
  /**
   * What becomes of a job whose key a live job has: it is refused with `AUTON8N_JOB_DUPLICATE` (`reject`, the
   * default), takes the place of the live one, which is cancelled (`replace`), or is not stored, and the live one
   * is answered (`keep`).
   */
  onDuplicate?: 'reject' | 'replace' | 'keep'
  /** Within a priority, keys take turns; limits may count by it. */
  fairKey?: string
  /** Ids of jobs of this queue that have to be over before, or the `ref` of jobs of the same batch. */
  dependsOn?: readonly string[]
  /** When one of them failed or was cancelled: fail with `AUTON8N_DEPENDENCY_FAILED` (the default), or run. */
  onParentFailure?: 'fail' | 'run'
  /** The trace that the job belongs to; by default what is active when it is added. */
  trace?: { traceparent: string; tracestate?: string; baggage?: string }
  metadata?: Record<string, unknown>
}

/** A job as the store has it. Times are milliseconds since 1970. */
export interface Job<Data = unknown, Result = unknown, Name extends string = string> {
  readonly id: string
  readonly queue: string
  readonly name: Name
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
  /** Jobs of `dependsOn` that are not over yet. */
  readonly waitsFor?: number
  readonly options: JobOptions
  /** Its events from now on, the present state first; ends with the job. */
  events(): AsyncIterableIterator<JobEvent<Record<Name, { data: Data; result: Result }>>>
}

/** A job that is to be added. */
export interface NewJob<Name extends string = string, Data = unknown> {
  name: Name
  data: Data
  options?: JobOptions
  /** What other jobs of the batch call it in their `dependsOn`. */
  ref?: string
}

/** The jobs of a queue by their names, for `JobQueue.open<Types>()`. */
export type JobTypes = Record<string, { data: unknown; result?: unknown }>

declare const untyped: unique symbol
/** A queue of which nothing is said: any name, any data. */
export interface Untyped {
  readonly [untyped]?: never
}

/** Any name where nothing is said of the jobs, else none beside those that are. */
export type AnyName<Types> = Untyped extends Types ? string : never

export type DataOf<Types, Name extends keyof Types> = Types[Name] extends { data: infer Data } ? Data : unknown
export type ResultOf<Types, Name extends keyof Types> = Types[Name] extends { result: infer Result } ? Result : unknown

/** What a handler gets beside its job. */
export interface JobContext {
  /**
   * Aborted when the job is over elsewhere; its `reason` is an `Auton8nError` that says why: `AUTON8N_CANCELLED`,
   * `AUTON8N_TIMEOUT`, `AUTON8N_LEASE_LOST`, or `AUTON8N_CLOSED` where the worker stops.
   */
  readonly signal: AbortSignal
  /** 0 to 100. */
  progress(percent: number): void
  log(line: string): void
}

export type JobHandler<Data = unknown, Result = unknown> = (
  job: Job<Data, Result>,
  context: JobContext,
) => Promise<Result> | Result

interface EventBase<Name extends string> {
  queue: string
  jobId: string
  name: Name
  at: number
}

/** The events of the jobs of one name by the event's name. */
interface NamedEvents<Name extends string, Data, Result> {
  added: EventBase<Name> & { type: 'added' }
  started: EventBase<Name> & { type: 'started'; attempt: number }
  progress: EventBase<Name> & { type: 'progress'; progress: number; stage?: string; iteration?: number }
  log: EventBase<Name> & { type: 'log'; line: string }
  completed: EventBase<Name> & { type: 'completed'; result: Result }
  failed: EventBase<Name> & { type: 'failed'; code: string; message: string }
  retrying: EventBase<Name> & { type: 'retrying'; code: string; message: string; runAt: number }
  cancelled: EventBase<Name> & { type: 'cancelled' }
  stalled: EventBase<Name> & { type: 'stalled' }
  /** What a listener gets first: the job as it is. */
  state: EventBase<Name> & { type: 'state'; job: Job<Data, Result, Name> }
}

/** What there is of each job of `Types`, of any name where nothing is said of them. */
type EachEvent<Types, Event extends keyof NamedEvents<string, unknown, unknown>> = Untyped extends Types
  ? NamedEvents<string, unknown, unknown>[Event]
  : {
      [Name in keyof Types & string]: NamedEvents<Name, DataOf<Types, Name>, ResultOf<Types, Name>>[Event]
    }[keyof Types & string]

/** The events of a queue by their name; the `name` in one tells which job's it is, and so the type of its result. */
export type JobEvents<Types = Untyped> = {
  [Event in Exclude<keyof NamedEvents<string, unknown, unknown>, 'state'>]: EachEvent<Types, Event>
}

export type StateEvent<Types = Untyped> = EachEvent<Types, 'state'>
export type JobEvent<Types = Untyped> = JobEvents<Types>[keyof JobEvents] | StateEvent<Types>

/** Any job of a queue; its `name` tells the types of its data and result. */
export type AnyJob<Types = Untyped> = Untyped extends Types
  ? Job
  : { [Name in keyof Types & string]: Job<DataOf<Types, Name>, ResultOf<Types, Name>, Name> }[keyof Types & string]

/** At most `count` starts in a window of `per` milliseconds, which begins with a start. */
export interface Rate {
  count: number
  per: number
}

/** What holds jobs back, for all workers of all processes together. */
export interface Limit {
  /** Jobs that run at once. */
  concurrency?: number
  rate?: Rate
}

export interface QueueLimits extends Limit {
  /** The same for each `fairKey`; jobs without one are not held back by it. */
  perKey?: Limit
}

/** A job that is added again and again. */
export interface ScheduleOptions<Name extends string = string, Data = unknown> {
  /** Five fields, or six with seconds in front. */
  cron: string
  /** A name of the IANA database, such as `Europe/Berlin`; default `UTC`. */
  timeZone?: string
  /** Times at which no process was there: one job for all of them (the default), none, or one each, at most 1000. */
  missed?: 'once' | 'skip' | 'all'
  name: Name
  data?: Data
  options?: Omit<JobOptions, 'runAt' | 'dependsOn'>
}

/** A schedule as the store has it. Times are milliseconds since 1970. */
export interface Schedule extends Required<Pick<ScheduleOptions, 'cron' | 'timeZone' | 'missed'>> {
  readonly id: string
  readonly name: string
  readonly data: unknown
  readonly nextAt?: number
  readonly lastAt?: number
}

export interface QueueOptions {
  /** `sqlite` (in `dataDir`, the default), `sqlite:PATH` (PATH is a folder), `postgres://…`, `redis://…`, or `memory`. */
  store?: string
  /** Default `AUTON8N_DATA_DIR`, else `.auton8n`. */
  dataDir?: string
  /** How long a job of a dead worker waits for its rescue; default 15000. Of all openings of a store in a process the shortest counts. */
  leaseDuration?: number
  /** What is kept of the queue's ended jobs, for each status; default 10000 jobs and 7 days. */
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
