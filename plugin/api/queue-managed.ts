import { nativeCall, nativeCallSync } from '../errors.js'
import type { native } from '../native.js'
import { jobEvents, type EventSource } from './job-events.js'
import type {
  AnyJob, AnyName, DataOf, Job, JobEvent, JobEvents, JobFilter, QueueLimits, QueueMetrics, Schedule, ScheduleOptions,
  Untyped,
} from './job.js'
import {
  finite, invalid, milliseconds, options, required, text, toJob, toJson, toLimits, toNew, toSchedule, type NativeJob,
} from './queue-input.js'

export type NativeQueue = Awaited<ReturnType<ReturnType<typeof native>['openQueue']>>

const EVENTS = ['added', 'started', 'progress', 'log', 'completed', 'failed', 'retrying', 'cancelled', 'stalled']

/** What can be asked of a queue, wherever its workers are, and what it tells. */
export abstract class ManagedQueue<Types extends object = Untyped> {
  /** @internal */
  native!: NativeQueue
  private readonly listeners = new Map<string, Set<(event: never) => void>>()
  private readonly hearers = new Set<(event: JobEvents[keyof JobEvents]) => void>()
  private readonly endings = new Set<() => void>()
  private isEnded = false
  private readonly source: EventSource
  /** What jobs of this queue inherit. */
  protected readonly methods: { events(): AsyncIterableIterator<JobEvent> }

  protected constructor(readonly name: string) {
    this.source = {
      name,
      listen: listener => {
        const end = member(this.hearers, listener)
        this.heard()
        return () => {
          end()
          this.heard()
        }
      },
      closed: listener => {
        if (this.isEnded) listener()
        return member(this.endings, listener)
      },
      read: id => this.getJob(id),
    }
    const events = (id: string): AsyncIterableIterator<JobEvent> => this.events(id)
    this.methods = {
      events(this: { id?: string }) {
        return events(String(this.id))
      },
    }
  }

  /** Keeps the process until an idle worker has told whether it works again. */
  protected abstract linger(): void

  /** One job, or `undefined`. */
  getJob(id: string): Promise<AnyJob<Types> | undefined>
  getJob<Data, Result = unknown>(id: Untyped extends Types ? string : never): Promise<Job<Data, Result> | undefined>
  async getJob(id: string): Promise<Job | undefined> {
    text(id, 'the id')
    const job = JSON.parse(await nativeCall(() => this.native.get(id))) as NativeJob | null
    return job ? toJob(job, this.methods) : undefined
  }

  /** Jobs, the newest first. */
  getJobs(filter?: JobFilter): Promise<AnyJob<Types>[]>
  async getJobs(filter: JobFilter = {}): Promise<Job[]> {
    options(filter, 'the filter', ['status', 'name', 'limit', 'cursor'])
    finite(filter, 'the filter')
    const jobs = JSON.parse(await nativeCall(() => this.native.list(JSON.stringify(filter)))) as NativeJob[]
    return jobs.map(job => toJob(job, this.methods))
  }

  /** Cancels a waiting or running job; false where it ended already or is not known. */
  async cancelJob(id: string): Promise<boolean> {
    text(id, 'the id')
    return nativeCall(() => this.native.cancel(id))
  }

  /** Runs a failed, cancelled, retrying or scheduled job at once, with fresh attempts. */
  retryJob(id: string): Promise<AnyJob<Types>>
  async retryJob(id: string): Promise<Job> {
    text(id, 'the id')
    const job = toJob(JSON.parse(await nativeCall(() => this.native.retry(id))) as NativeJob, this.methods)
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

  /** Holds jobs back, for all workers of all processes and across restarts; `{}` ends that. */
  async setLimits(limits: QueueLimits): Promise<void> {
    required(limits, 'the limits')
    options(limits, 'the limits', ['concurrency', 'rate', 'perKey'])
    finite(limits, 'the limits')
    await nativeCall(() => this.native.setLimits(JSON.stringify(limits)))
  }

  async getLimits(): Promise<QueueLimits> {
    return toLimits(await nativeCall(() => this.native.limits()))
  }

  /**
   * Adds a job at the times of a cron expression, once for each time however many processes there are. It takes the
   * place of a schedule of that id; where expression and time zone are the same, nothing is missed between.
   */
  schedule<Name extends keyof Types & string>(
    id: string,
    schedule: ScheduleOptions<Name, DataOf<Types, Name>>,
  ): Promise<Schedule>
  schedule(id: string, schedule: ScheduleOptions<AnyName<Types>>): Promise<Schedule>
  async schedule(id: string, schedule: ScheduleOptions): Promise<Schedule> {
    required(schedule, 'the schedule')
    options(schedule, 'the schedule', ['cron', 'timeZone', 'missed', 'name', 'data', 'options'])
    const { name, data, options: jobOptions, ...times } = schedule
    const job = toNew(name, data, jobOptions)
    // What is active here is no part of the jobs to come.
    if (jobOptions?.trace === undefined) job.options = { ...job.options, trace: undefined }
    const json = toJson({ ...times, ...job })
    const stored = toSchedule(JSON.parse(await nativeCall(() => this.native.schedule(text(id, 'the id'), json))) as never)
    this.linger()
    return stored
  }

  /** Ends a schedule; false where there is none of that id. */
  async unschedule(id: string): Promise<boolean> {
    return nativeCall(() => this.native.unschedule(text(id, 'the id')))
  }

  async getSchedules(): Promise<Schedule[]> {
    const schedules = JSON.parse(await nativeCall(() => this.native.schedules())) as never[]
    return schedules.map(schedule => toSchedule(schedule))
  }

  /**
   * Events as they come, for `for await`: of the queue until it is closed, or of one job, which begin with its present
   * state and end with it. A reader who does not keep up misses the oldest of more than 1000.
   */
  events(jobId?: string): AsyncIterableIterator<JobEvent<Types>>
  events(jobId?: string): AsyncIterableIterator<JobEvent> {
    if (jobId !== undefined) text(jobId, 'the id')
    return jobEvents(this.source, jobId)
  }

  on<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents<Types>[Name]) => void): this {
    if (!EVENTS.includes(name)) {
      throw invalid(`there is no event ${JSON.stringify(name)}; there are ${EVENTS.join(', ')}`)
    }
    if (typeof listener !== 'function') throw invalid('the listener must be a function')
    const listeners = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, listeners.add(listener as (event: never) => void))
    this.heard()
    return this
  }

  off<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents<Types>[Name]) => void): this {
    const listeners = this.listeners.get(name)
    if (listeners?.delete(listener as (event: never) => void) && listeners.size === 0) this.listeners.delete(name)
    this.heard()
    return this
  }

  /** Only events that somebody hears cross the border. */
  private heard(): void {
    const names = this.hearers.size > 0 ? EVENTS : [...this.listeners.keys()]
    nativeCallSync(() => this.native.hear(names))
  }

  protected hear(json: string): void {
    const event = JSON.parse(json) as JobEvents[keyof JobEvents]
    for (const hearer of this.hearers) hearer(event)
    // A copy: a listener may add and remove others.
    const listeners = [...(this.listeners.get(event.type) ?? [])]
    for (const listener of listeners) {
      try {
        const answer: unknown = (listener as (event: unknown) => unknown)(event)
        if (answer instanceof Promise) answer.catch(warn)
      } catch (error) {
        warn(error)
      }
    }
  }

  /** Ends what still waits for events. */
  protected ended(): void {
    this.isEnded = true
    for (const closed of this.endings) closed()
  }
}

function member<Item>(set: Set<Item>, item: Item): () => void {
  set.add(item)
  return () => void set.delete(item)
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'Auton8nListenerWarning')
}
