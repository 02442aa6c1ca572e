import { Auton8nError } from '../errors.js'
import { activeTrace } from './job-trace.js'
import {
  AbortJobError, RetryAfterError, type Job, type JobOptions, type JobPriority, type QueueLimits, type Schedule,
} from './job.js'

/** The longest that a timer of JavaScript can wait. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** A hundred years. */
const LONGEST_DELAY = 100 * 366 * 24 * 3_600_000

/** A job as the addon writes it. */
export interface NativeJob extends Omit<Job, 'priority' | 'options' | 'events'> {
  options: JobOptions & { priority: JobPriority }
}

export function invalid(message: string, cause?: unknown): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', message, cause === undefined ? {} : { cause })
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(`${what} must be a string`)
  return value
}

export function options(value: unknown, what: string, known: readonly string[]): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} must be an object`)
  const strange = Object.keys(value).find(key => !known.includes(key))
  if (strange !== undefined) {
    throw invalid(`${what}: ${JSON.stringify(strange)} is not known; there are ${known.join(', ')}`)
  }
}

export function required(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null) throw invalid(`${what} must be an object`)
}

export function milliseconds(value: unknown, what: string, longest = LONGEST_TIMER): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > longest) {
    throw invalid(`${what} must be milliseconds, 0 to ${longest}`)
  }
  return Math.round(value)
}

type Making = { -readonly [Key in keyof Job]?: Job[Key] }
type Maker = new (job: NativeJob, own: NativeJob['options']) => Job

/** Classes by what their objects inherit: objects of one class are made and read much faster than literals. */
const makers = new WeakMap<object, Maker>()

function makerOf(methods: object): Maker {
  function Made(this: Making, job: NativeJob, own: NativeJob['options']): void {
    const { result, error, startedAt, finishedAt } = job as { [key in keyof NativeJob]: NativeJob[key] | null }
    this.id = job.id
    this.queue = job.queue
    this.name = job.name
    this.data = job.data
    this.status = job.status
    this.priority = own.priority
    this.attempts = job.attempts
    this.progress = job.progress
    this.log = job.log
    if (job.status === 'completed' || result != null) this.result = result
    if (error != null) this.error = error
    this.createdAt = job.createdAt
    this.runAt = job.runAt
    if (startedAt != null) this.startedAt = startedAt
    if (finishedAt != null) this.finishedAt = finishedAt
    if (job.waitsFor) this.waitsFor = job.waitsFor
    this.options = own
  }
  Made.prototype = methods
  const maker = Made as unknown as Maker
  makers.set(methods, maker)
  return maker
}

const PLAIN = {}

/** `methods` is what its objects inherit; `own` are its options where they are read already. */
export function toJob<Data, Result>(
  job: Omit<NativeJob, 'options'> & { options: unknown },
  methods: object = PLAIN,
  own?: NativeJob['options'],
): Job<Data, Result> {
  const options = own ?? withoutNull((job as NativeJob).options)
  const maker = makers.get(methods) ?? makerOf(methods)
  return new maker(job as NativeJob, { ...options } as NativeJob['options']) as Job<Data, Result>
}

export function withoutNull(options: JobOptions): JobOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))
}

const NONE = {}

/** A job as the addon reads it. */
export function toNew(
  name: unknown,
  data: unknown,
  jobOptions: unknown,
  ref?: unknown,
): { name: string; data: unknown; options: object; ref?: string } {
  if (jobOptions === undefined && ref === undefined) {
    const trace = activeTrace()
    const options = trace ? { trace } : NONE
    return { name: text(name, "the job's name"), data: data === undefined ? null : data, options }
  }
  const plain = jobOptions === undefined ? {} : jobOptions
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw invalid("the job's options must be an object")
  }
  const { runAt, jitter, ...rest } = plain as JobOptions
  for (const [key, value] of Object.entries(rest)) {
    if (value === null || (typeof value === 'number' && !Number.isFinite(value))) {
      throw invalid(`\`${key}\` must not be ${String(value)}; leave it out for its default`)
    }
  }
  const at = runAt instanceof Date ? runAt.getTime() : runAt
  if (at !== undefined && !Number.isSafeInteger(at)) {
    throw invalid('`runAt` must be a Date or whole milliseconds since 1970')
  }
  const spread = jitter === true ? 0.2 : jitter === false ? 0 : jitter
  return {
    name: text(name, "the job's name"),
    data: data === undefined ? null : data,
    options: { ...rest, runAt: at, jitter: spread, trace: rest.trace ?? activeTrace() },
    ...(ref === undefined ? {} : { ref: text(ref, '`ref`') }),
  }
}

/** Limits as the addon writes them. */
export function toLimits(json: string): QueueLimits {
  return JSON.parse(json, (_key, value: unknown) => value ?? undefined) as QueueLimits
}

interface NativeSchedule extends Omit<Schedule, 'name' | 'data'> {
  job: { name: string; data: unknown }
}

/** A schedule as the addon writes it. */
export function toSchedule(schedule: NativeSchedule): Schedule {
  const { id, cron, timeZone, missed, job, nextAt, lastAt } = schedule
  return {
    id,
    cron,
    timeZone,
    missed,
    name: job.name,
    data: job.data,
    ...(nextAt != null ? { nextAt } : {}),
    ...(lastAt != null ? { lastAt } : {}),
  }
}

/** JSON, or a clear refusal. */
export function toJson(value: unknown): string {
  try {
    return written(value) ?? 'null'
  } catch (cause) {
    throw invalid("the job's data must be JSON: no BigInt and no circle", cause)
  }
}

/** JSON; halves of surrogate pairs become U+FFFD, as where text is encoded, since no reader of JSON takes them. */
export function written(value: unknown): string | undefined {
  const json: string | undefined = JSON.stringify(value)
  if (!json?.includes('\\ud')) return json
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? wellFormed(item) : withGoodKeys(item)))
}

function withGoodKeys(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
  const entries = Object.entries(item)
  if (entries.every(([key]) => wellFormed(key) === key)) return item
  return Object.fromEntries(entries.map(([key, value]) => [wellFormed(key), value]))
}

function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD')
}

/** Refuses numbers that are none, which JSON would leave out without a word. */
export function finite(value: unknown, what: string, levels = 4): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalid(`${what} must not be ${value}`)
  if (typeof value !== 'object' || value === null) return
  // No option lies that deep, and a circle has no end.
  if (levels === 0) throw invalid(`${what} has too many levels`)
  for (const [key, item] of Object.entries(value)) finite(item, `\`${key}\``, levels - 1)
}

/** What a throw of a handler means to the addon. */
interface Failure {
  message: string
  code?: string
  abort?: boolean
  retryAfter?: number
}

/** What a throw of a handler means. Anything may be thrown, also what cannot be read. */
export function failure(error: unknown): Failure {
  try {
    return described(error)
  } catch {
    return { message: 'the handler threw what cannot be read' }
  }
}

function described(error: unknown): Failure {
  const said: unknown = error instanceof Error ? error.message || error.name : error
  const message = wellFormed(String(said))
  if (error instanceof AbortJobError) return { message, abort: true }
  if (error instanceof RetryAfterError) {
    // Of what is no time, the usual delay is the better guess than none.
    const delay = typeof error.delay === 'number' && Number.isFinite(error.delay) ? Math.round(error.delay) : undefined
    return delay === undefined ? { message } : { message, retryAfter: Math.min(Math.max(delay, 0), LONGEST_DELAY) }
  }
  if (error instanceof Auton8nError && typeof error.code === 'string') return { message, code: error.code }
  return { message }
}

/** What the addon answers to an add that it refused. */
export interface Refusal {
  code: string
  message: string
  details: unknown
}

/** The error of an add that was refused. */
export function refusal(answer: Refusal): Auton8nError {
  const { code, message, details } = answer
  return new Auton8nError(code, message, details === null ? {} : { details })
}
