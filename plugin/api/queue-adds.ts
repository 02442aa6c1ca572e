import { fromNative } from '../errors.js'
import type { Job } from './job.js'
import { refusal, toJob, type NativeJob, type Refusal } from './queue-input.js'

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

/** The adds of a tick, which go to the addon together. */
export class Adds {
  private waiting: PendingAdd[] = []

  constructor(
    private readonly queue: string,
    private readonly methods: Pick<Job, 'events'>,
    private readonly send: (batches: string[]) => Promise<string>,
    private readonly sent: () => void,
  ) {}

  /** Adds a batch, which is JSON. */
  add(json: string, inputs: AddedInput[]): Promise<Job[]> {
    return new Promise((resolve, reject) => {
      if (this.waiting.push({ json, inputs, resolve, reject }) === 1) queueMicrotask(() => void this.flush())
    })
  }

  private async flush(): Promise<void> {
    const adds = this.waiting
    this.waiting = []
    try {
      const answers = JSON.parse(await this.send(adds.map(add => add.json))) as Answers
      this.sent()
      for (const [index, add] of adds.entries()) {
        const answer = answers.adds[index]
        if (Array.isArray(answer)) add.resolve(answer.map((added, n) => this.job(added, add.inputs[n], answers.options)))
        else if (answer) add.reject(refusal(answer))
      }
    } catch (error) {
      for (const add of adds) add.reject(fromNative(error))
    }
  }

  private job(added: Added, input: AddedInput | undefined, options: Options[]): Job {
    if (!Array.isArray(added)) return toJob(added, this.methods)
    const [id, createdAt, runAt, later, which] = added
    const job = {
      id,
      queue: this.queue,
      name: input?.name ?? '',
      data: input?.data,
      status: later ? 'scheduled' : 'pending',
      attempts: 0,
      progress: 0,
      log: [],
      createdAt,
      runAt,
      options: which,
    } as const
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
