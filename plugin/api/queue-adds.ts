import { fromNative } from '../errors.js'
import type { Job } from './job.js'
import { refusal, toJob, toJson, type NativeJob, type Refusal } from './queue-input.js'

/** A job that is being added: what is known of it here. */
export interface AddedInput {
  name: string
  data: unknown
}

interface PendingAdd {
  json: string
  inputs: AddedInput[]
  resolve(jobs: Job[]): void
  reject(error: unknown): void
}

type Options = NativeJob['options']
/** `[id, createdAt, runAt, whether it waits for its time, which options]`, or a job that was there already. */
type Added = [string, number, number, boolean, number] | NativeJob
interface Answers {
  options: Options[]
  adds: (Added[] | Refusal)[]
}

/** What adds say to the addon. */
export interface AddsNative {
  addEach(batches: string[]): Promise<string>
  addParts(): { push(jobs: string): void; end(): Promise<string>; abort(): void }
}

/** The jobs of a part of a big batch. */
const PART = 500

/** The adds of a tick, which go to the addon together. */
export class Adds {
  private waiting: PendingAdd[] = []
  /** A big batch on its way; what is added after it comes after it. */
  private big: Promise<unknown> | undefined
  private readonly underWay = new Set<Promise<void>>()

  constructor(
    private readonly queue: string,
    private readonly methods: Pick<Job, 'events'>,
    private readonly native: AddsNative,
    private readonly sent: () => void,
  ) {}

  /** Adds a job. */
  one(added: AddedInput): Promise<Job> {
    const json = toJson([added])
    const input = { name: added.name, data: copyJson(added.data) }
    return new Promise((resolve, reject) => {
      this.push({ json, inputs: [input], resolve: jobs => resolve(jobs[0] as Job), reject })
    })
  }

  /** Adds a batch, all or none of it. `each` makes its jobs, and may refuse one. */
  batch(count: number, each: (n: number) => AddedInput, plain: boolean): Promise<Job[]> {
    if (plain && count > 4 * PART && this.waiting.length === 0 && !this.big) return this.parts(count, each)
    const all = Array.from({ length: count }, (_, n) => each(n))
    const json = toJson(all)
    // What the caller has may change until the answer comes.
    for (const job of all) job.data = copyJson(job.data)
    return new Promise((resolve, reject) => this.push({ json, inputs: all, resolve, reject }))
  }

  /** The addon stores a part while the next one is written here. */
  private parts(count: number, each: (n: number) => AddedInput): Promise<Job[]> {
    const parts = this.native.addParts()
    const inputs: AddedInput[] = []
    try {
      for (let from = 0; from < count; from += PART) {
        const part: AddedInput[] = []
        for (let n = from; n < count && n < from + PART; n++) part.push(each(n))
        parts.push(toJson(part))
        for (const { name, data } of part) inputs.push({ name, data: copyJson(data) })
      }
    } catch (error) {
      parts.abort()
      throw error
    }
    const answer = parts.end().then(json => {
      this.sent()
      const { adds, options } = JSON.parse(json) as Answers
      return this.answered(adds[0], inputs, options)
    })
    const over = (): void => void (this.big = undefined)
    this.big = answer.then(over, over)
    return answer.catch((error: unknown) => Promise.reject(fromNative(error)))
  }

  /** Waits until those that were asked for are answered. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.big, ...this.underWay])
  }

  private push(add: PendingAdd): void {
    if (this.waiting.push(add) > 1) return
    const flushed = Promise.resolve().then(() => this.flush())
    this.underWay.add(flushed)
    void flushed.then(() => this.underWay.delete(flushed))
  }

  private async flush(): Promise<void> {
    while (this.big) await this.big
    const adds = this.waiting
    this.waiting = []
    try {
      const answers = JSON.parse(await this.native.addEach(adds.map(add => add.json))) as Answers
      this.sent()
      for (let n = 0; n < adds.length; n++) {
        const add = adds[n] as PendingAdd
        try {
          add.resolve(this.answered(answers.adds[n], add.inputs, answers.options))
        } catch (error) {
          add.reject(error)
        }
      }
    } catch (error) {
      for (const add of adds) add.reject(fromNative(error))
    }
  }

  private answered(answer: Added[] | Refusal | undefined, inputs: AddedInput[], options: Options[]): Job[] {
    if (!Array.isArray(answer)) throw refusal(answer as Refusal)
    return answer.map((added, n) => this.job(added, inputs[n] as AddedInput, options))
  }

  private job(added: Added, { name, data }: AddedInput, options: Options[]): Job {
    if (!Array.isArray(added)) return toJob(added, this.methods)
    const [id, createdAt, runAt, later, which] = added
    const status = later ? 'scheduled' : 'pending'
    const { queue } = this
    const job = { id, queue, name, data, status, attempts: 0, progress: 0, log: [], createdAt, runAt, options: which } as const
    return toJob(job, this.methods, options[which])
  }
}

/** What `JSON.parse(JSON.stringify(value))` answers, and for plain data much sooner. */
export function copyJson(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value + 0 : null
    case 'object':
      if (value === null) return null
      if (Array.isArray(value)) return value.map(item => (isLeftOut(item) ? null : copyJson(item)))
      if (Object.getPrototypeOf(value) === Object.prototype && !('toJSON' in value)) return copyObject(value)
  }
  return JSON.parse(JSON.stringify(value) ?? 'null')
}

function copyObject(value: object): unknown {
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    // It would set the prototype.
    if (key === '__proto__') return JSON.parse(JSON.stringify(value))
    if (!isLeftOut(item)) copy[key] = copyJson(item)
  }
  return copy
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol'
}
