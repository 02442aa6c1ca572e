import { Auton8nError, fromNative, nativeCall, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type {
  Job, JobEvents, JobFilter, JobHandler, JobOptions, QueueMetrics, QueueOptions, WorkerOptions,
} from './job.js'
import {
  LONGEST_TIMER, failure, invalid, milliseconds, options, refusal, text, toJob, toJson, toNew, type AddAnswer,
  type NativeJob,
} from './queue-input.js'
import { Worker } from './worker.js'

export * from './job.js'
export { Worker } from './worker.js'

type NativeQueue = Awaited<ReturnType<ReturnType<typeof native>['openQueue']>>

interface PendingAdd {
  json: string
  resolve(jobs: Job[]): void
  reject(error: unknown): void
}

type Message =
  | { kind: 'run'; attempt: number; job: NativeJob }
  | { kind: 'abort'; attempt: number }
  | { kind: 'active'; worker: number; active: boolean }

const EVENTS = ['added', 'started', 'progress', 'log', 'completed', 'failed', 'retrying', 'cancelled', 'stalled']
const SHUTDOWN_TIMEOUT = 30_000
/** How long a worker may take to tell that there is something for it again. */
const LINGER = 1_000

/** A durable job queue. An added job is on the disk when `addJob` resolves. */
export class JobQueue {
  /** @internal */
  native!: NativeQueue
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
      const given = queueOptions[key]
      if (given !== undefined && text(given, `\`${key}\``) === '') throw invalid(`\`${key}\` must not be empty`)
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
  async addJob<Data = unknown, Result = unknown>(
    name: string,
    data: Data,
    jobOptions?: JobOptions,
  ): Promise<Job<Data, Result>> {
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
      for (const worker of this.active) this.setActive(worker, false)
    })
    return this.closing
  }

  on<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents[Name]) => void): this {
    if (!EVENTS.includes(name)) {
      throw invalid(`there is no event ${JSON.stringify(name)}; there are ${EVENTS.join(', ')}`)
    }
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
        else if (answer) add.reject(refusal(answer))
      }
    } catch (error) {
      for (const add of adds) add.reject(fromNative(error))
    }
  }

  private hear(json: string): void {
    const event = JSON.parse(json) as JobEvents[keyof JobEvents]
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

  private told(message: Message): void {
    if (message.kind === 'run') void this.run(message.attempt, toJob(message.job))
    else if (message.kind === 'abort') this.running.get(message.attempt)?.abort(stopped())
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

function stopped(): Auton8nError {
  return new Auton8nError('AUTON8N_CANCELLED', 'The job was cancelled, timed out, or its worker stops.')
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'Auton8nListenerWarning')
}
