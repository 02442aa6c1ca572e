import { fromNative } from '../errors.js'
import type { Job } from './job.js'
import { copyJson } from './queue-copy.js'
import { LONGEST_TIMER, invalid, refusal, toJob, toJson, type NativeJob, type Refusal } from './queue-input.js'

/** A job that is being added: what is known of it here. */
export interface AddedInput {
  name: string
  data: unknown
}

/** An add of one job, or of many at once. */
interface PendingAdd {
  added: AddedInput | AddedInput[]
  /** A JSON array of what is added; undefined where that is one plain job. */
  json: string | undefined
  resolve(jobs: Job | Job[]): void
  reject(error: unknown): void
}

type Options = NativeJob['options']
/** `[id, createdAt, runAt, whether it waits for its time, which options]`, times as the difference to `at`; or a job that was there already. */
type Added = [string, number, number, boolean, number] | NativeJob
export interface Answers {
  /** What times are told from. */
  at: number
  options: Options[]
  adds: (Added[] | Refusal)[]
}
/** Of plain adds their ids, one after the other, and when they were added. */
export interface PlainAnswers {
  at: number
  ids: string
}
/** The characters of an id. */
const ID = 36

/** What adds say to the addon. */
export interface AddsNative {
  /** The options of a plain job, as JSON. */
  readonly plainOptions: string
  /** Plain jobs, a JSON array in which names and data take turns; else as `sendAdds`. */
  sendPlain(number: number, jobs: string): void
  /** A JSON array of batches; they are stored in the order of the calls, and answered under that number. */
  sendAdds(number: number, batches: string): void
  addParts(): { push(jobs: string): void; end(): Promise<string>; abort(): void }
}

/** The jobs of a part of a big batch. */
const PART = 500
/**
 * The adds of a tick go to the addon in parts: it stores the first ones while the next ones are made here. Each part is
 * twice as big as the one before, within these bounds.
 */
const FIRST = 256
const MOST = 512
/** So many unanswered adds are two groups from then on: one is made here while the other one is stored. */
const HALVED = 64

/** The adds of a tick, which go to the addon together. */
export class Adds {
  private waiting: PendingAdd[] = []
  private part = FIRST
  private flushes = false
  /** What the addon was sent and did not answer, by its number. */
  private readonly unanswered = new Map<number, PendingAdd[]>()
  private number = 0
  /** Adds that were sent and not answered. */
  private underWay = 0
  /** Who waits until all are answered. */
  private readonly waiters: (() => void)[] = []
  /** Keeps the process while somebody waits for an answer. */
  private alive: NodeJS.Timeout | undefined
  /** A big batch on its way; what is added after it comes after it. */
  private big: Promise<unknown> | undefined
  private readonly plainOptions: Options

  constructor(
    private readonly queue: string,
    private readonly methods: Pick<Job, 'events'>,
    private readonly native: AddsNative,
    private readonly sent: () => void,
  ) {
    this.plainOptions = JSON.parse(native.plainOptions) as Options
  }

  /** Adds a job. */
  one(added: AddedInput): Promise<Job> {
    const json = toJson([added])
    return this.pending({ name: added.name, data: copyJson(added.data) }, json) as Promise<Job>
  }

  /** Adds a job without options. */
  plain(name: string, data: unknown): Promise<Job> {
    let copy: unknown
    try {
      copy = data === undefined ? null : copyJson(data)
    } catch {
      // It tells why.
      toJson(data)
      throw invalid("the job's data cannot be read; give plain data, as JSON has it")
    }
    return this.pending({ name, data: copy }, undefined) as Promise<Job>
  }

  /** Adds a batch, all or none of it. `each` makes its jobs, and may refuse one. */
  batch(count: number, each: (n: number) => AddedInput, plain: boolean): Promise<Job[]> {
    // It would overtake what is on its way.
    const isFirst = this.waiting.length === 0 && this.unanswered.size === 0 && !this.big
    if (plain && count > 4 * PART && isFirst) return this.parts(count, each)
    const all = Array.from({ length: count }, (_, n) => each(n))
    const json = toJson(all)
    // What the caller has may change until the answer comes.
    for (const job of all) job.data = copyJson(job.data)
    return this.pending(all, json) as Promise<Job[]>
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
      const answers = JSON.parse(json) as Answers
      return this.answered(answers.adds[0], inputs, answers)
    })
    const over = (): void => void (this.big = undefined)
    this.big = answer.then(over, over)
    return answer.catch((error: unknown) => Promise.reject(fromNative(error)))
  }

  /** Waits until those that were asked for are answered. */
  async settled(): Promise<void> {
    await this.big
    // Those of this tick are sent at its end.
    await Promise.resolve()
    const next = this.number
    const isOver = (): boolean => [...this.unanswered.keys()].every(number => number >= next)
    while (!isOver()) await new Promise<void>(resolve => this.waiters.push(resolve))
  }

  /** What became of the adds of that number. */
  answer(number: number, answers: Answers): void {
    const adds = this.take(number)
    for (let n = 0; n < adds.length; n++) {
      const { added, resolve, reject } = adds[n] as PendingAdd
      try {
        const jobs = this.answered(answers.adds[n], Array.isArray(added) ? added : [added], answers)
        resolve(Array.isArray(added) ? jobs : (jobs[0] as Job))
      } catch (error) {
        reject(error)
      }
    }
  }

  /** The plain adds of that number are stored. */
  answerPlain(number: number, { at, ids }: PlainAnswers): void {
    const adds = this.take(number)
    const { queue, methods, plainOptions: options } = this
    for (let n = 0; n < adds.length; n++) {
      const { added, resolve } = adds[n] as PendingAdd
      const { name, data } = added as AddedInput
      const id = ids.slice(n * ID, (n + 1) * ID)
      const job = {
        id, queue, name, data, status: 'pending', attempts: 0, progress: 0, log: [], createdAt: at, runAt: at, options,
      } as const
      resolve(toJob(job, methods, options))
    }
  }

  private take(number: number): PendingAdd[] {
    const adds = this.unanswered.get(number)
    if (!adds) return []
    this.unanswered.delete(number)
    this.underWay -= adds.length
    if (this.unanswered.size === 0) {
      clearInterval(this.alive)
      this.alive = undefined
    }
    for (const waiter of this.waiters.splice(0)) waiter()
    this.sent()
    return adds
  }

  private pending(added: AddedInput | AddedInput[], json: string | undefined): Promise<Job | Job[]> {
    return new Promise((resolve, reject) => this.push({ added, json, resolve, reject }))
  }

  private push(add: PendingAdd): void {
    const count = this.waiting.push(add)
    if (count >= this.part && !this.big) {
      this.part = Math.min(this.part * 2, MOST)
      this.sendWaiting()
    }
    if (this.flushes) return
    this.flushes = true
    queueMicrotask(() => void this.flush())
  }

  private async flush(): Promise<void> {
    while (this.big) await this.big
    this.flushes = false
    if (this.waiting.length > 0) this.sendWaiting()
    this.part = this.underWay < HALVED ? FIRST : Math.min(Math.ceil(this.underWay / 2), MOST)
  }

  private sendWaiting(): void {
    const adds = this.waiting
    this.waiting = []
    this.send(adds)
  }

  private send(adds: PendingAdd[]): void {
    const isPlain = adds.every(add => add.json === undefined)
    let text: string
    try {
      text = isPlain ? plainText(adds) : `[${adds.map(anyText).join(',')}]`
    } catch (error) {
      // Most likely it would be too long.
      if (adds.length === 1) return adds[0]?.reject(error)
      const half = adds.length >> 1
      this.send(adds.slice(0, half))
      return this.send(adds.slice(half))
    }
    const number = this.number
    this.number = (number + 1) % 2 ** 32
    this.unanswered.set(number, adds)
    this.underWay += adds.length
    this.alive ??= setInterval(() => undefined, LONGEST_TIMER)
    if (isPlain) this.native.sendPlain(number, text)
    else this.native.sendAdds(number, text)
  }

  private answered(answer: Added[] | Refusal | undefined, inputs: AddedInput[], answers: Answers): Job[] {
    if (!Array.isArray(answer)) throw refusal(answer as Refusal)
    return answer.map((added, n) => this.job(added, inputs[n] as AddedInput, answers))
  }

  private job(added: Added, { name, data }: AddedInput, { options, at }: Answers): Job {
    if (!Array.isArray(added)) return toJob(added, this.methods)
    const [id, created, run, later, which] = added
    const status = later ? 'scheduled' : 'pending'
    const { queue } = this
    const times = { createdAt: at + created, runAt: at + run }
    const job = { id, queue, name, data, status, attempts: 0, progress: 0, log: [], ...times, options: which } as const
    return toJob(job, this.methods, options[which])
  }
}

function plainText(adds: PendingAdd[]): string {
  const all: unknown[] = []
  for (const { added } of adds) all.push((added as AddedInput).name, (added as AddedInput).data)
  return toJson(all)
}

function anyText({ json, added }: PendingAdd): string {
  return json ?? toJson([{ ...added, options: {} }])
}
