import { AsyncLocalStorage } from 'node:async_hooks'
import { randomFillSync } from 'node:crypto'
import { Auton8nError } from '../errors.js'
import {
  carryTracestate, formatBaggage, formatTraceparent, parseBaggage, parseTraceparent, readHeader, writeHeader,
  type Carrier, type SpanContext,
} from './tracer-context.js'
import { OtlpExporter, type SpanExporter } from './tracer-exporter.js'
import { EnginePipeline, ScriptPipeline, type BatchOptions, type Pipeline } from './tracer-pipeline.js'
import { AlwaysSampler, ParentBasedSampler, type Sampler } from './tracer-sampler.js'
import { isContext, messageOf, Span, SpanKind, type Attributes, type SpanLink } from './tracer-span.js'

export { ConsoleExporter, OtlpExporter, type OtlpExporterOptions, type SpanExporter } from './tracer-exporter.js'
export { AlwaysSampler, ParentBasedSampler, ProbabilitySampler, RateLimitingSampler, type Sampler } from './tracer-sampler.js'
export { Span, SpanKind, SpanStatusCode } from './tracer-span.js'
export type { Attributes, AttributeValue, SpanData, SpanEvent, SpanLink, SpanStatus } from './tracer-span.js'
export type { Carrier, SpanContext } from './tracer-context.js'

export interface TracerOptions {
  serviceName: string
  serviceVersion?: string
  environment?: string
  /** Default: what the parent did, and every trace that starts here. */
  sampler?: Sampler
  /** Default: none; spans then carry context and are not kept. */
  exporter?: OtlpExporter | SpanExporter
  batch?: Partial<BatchOptions>
}

export interface StartSpanOptions {
  /** Default internal. A number of `SpanKind` or its name. */
  kind?: SpanKind | 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  attributes?: Attributes
  links?: readonly SpanLink[]
  /** Default the active span; `null` starts a new trace. */
  parent?: Span | SpanContext | null
}

export interface TracerMetrics {
  started: number
  ended: number
  exported: number
  /** Those for which there was no room in the queue. */
  dropped: number
  /** Those that could not be sent or were refused. */
  failed: number
  /** Why the last export failed. */
  lastError?: string
}

/** How long a flush and the end of a process may take. */
const FLUSH_MS = 30_000
const SHUTDOWN_MS = 10_000
const EXIT_MS = 2_000

const active = new AsyncLocalStorage<Span | undefined>()

/** Starts spans, keeps the active one through asynchronous calls, and exports them in batches. */
export class Tracer {
  readonly #sampler: Sampler
  readonly #pipeline: Pipeline | undefined
  #started = 0
  #ended = 0
  #closing: Promise<void> | undefined

  /** Throws `AUTON8N_OPTION_INVALID` with the option's name. */
  constructor(options: TracerOptions) {
    const { sampler, exporter, batch, resource } = checked(options)
    this.#sampler = sampler
    if (exporter instanceof OtlpExporter) this.#pipeline = new EnginePipeline(resource, batch, exporter)
    else if (exporter) this.#pipeline = new ScriptPipeline(attributesOf(resource), batch, exporter)
  }

  /** Starts a span under `parent`, by default the active one. */
  startSpan(name: string, options?: StartSpanOptions): Span {
    if (typeof name !== 'string') throw invalid('startSpan(name): the name must be a string')
    const parent = options?.parent === undefined ? active.getStore() : options.parent
    const above = parent instanceof Span ? parent.context : parent && isContext(parent) ? parent : undefined
    const traceId = above ? above.traceId : digits(32)
    const sampled = this.#sampler.shouldSample(traceId, above, name)
    const context: SpanContext = above
      ? {
          traceId, spanId: digits(16), flags: (above.flags & 2) | (sampled ? 1 : 0),
          ...(above.traceState && { traceState: above.traceState }), ...(above.baggage && { baggage: above.baggage }),
        }
      : { traceId, spanId: digits(16), flags: sampled ? 1 : 0 }
    this.#started++
    const kind = options?.kind === undefined ? 0 : kindOf(options.kind)
    const span = new Span(this.#owner, name, kind, context, above?.spanId, sampled && this.#pipeline !== undefined)
    if (options?.attributes) span.setAttributes(options.attributes)
    if (options?.links) for (const link of options.links) span.addLink(link)
    return span
  }

  /**
   * Calls `fn` with the span active, also in everything asynchronous that it starts, and ends the span when `fn`
   * or its promise ends. A throw is recorded, sets the status, and is passed on.
   */
  withSpan<T>(span: Span, fn: (span: Span) => T): T {
    if (!(span instanceof Span) || typeof fn !== 'function') throw invalid('withSpan(span, fn) needs a span and a function')
    let result: T
    try {
      result = active.run(span, fn, span)
    } catch (error) {
      failed(span, error)
      throw error
    }
    if (!isThenable(result)) {
      span.end()
      return result
    }
    const whole = Promise.resolve(result).then(
      (value) => {
        span.end()
        return value
      },
      (error: unknown) => {
        failed(span, error)
        throw error
      },
    )
    return whole as T
  }

  /** The span in which this runs. */
  getActiveSpan(): Span | undefined {
    return active.getStore()
  }

  /** Writes `traceparent`, `tracestate` and `baggage` of the span, by default the active one; returns the carrier. */
  inject<C extends Carrier>(carrier: C, span: Span | SpanContext | undefined = active.getStore()): C {
    if (carrier === null || typeof carrier !== 'object') throw invalid('inject(carrier): the carrier must be an object')
    const context = span instanceof Span ? span.context : span
    if (!context || !isContext(context)) return carrier
    writeHeader(carrier, 'traceparent', formatTraceparent(context))
    const state = context.traceState ? carryTracestate(context.traceState) : ''
    if (state) writeHeader(carrier, 'tracestate', state)
    const baggage = context.baggage ? formatBaggage(context.baggage) : ''
    if (baggage) writeHeader(carrier, 'baggage', baggage)
    return carrier
  }

  /** The context in the carrier's headers, for `parent`; undefined where there is none or it is not to the letter. */
  extract(carrier: Carrier): SpanContext | undefined {
    if (carrier === null || typeof carrier !== 'object') return undefined
    const parent = readHeader(carrier, 'traceparent')
    const context = parent === undefined ? undefined : parseTraceparent(parent)
    if (!context) return undefined
    const state = carryTracestate(readHeader(carrier, 'tracestate') ?? '')
    const baggage = parseBaggage(readHeader(carrier, 'baggage') ?? '')
    return { ...context, ...(state && { traceState: state }), ...(baggage && { baggage }), remote: true }
  }

  /** Waits until every span that has ended is exported or counted as failed. */
  async flush(timeout = FLUSH_MS): Promise<void> {
    if ((await this.#pipeline?.flush(timeout)) === false) {
      throw new Auton8nError('AUTON8N_TIMEOUT', `Operation timed out after ${timeout} ms: spans are still being exported`)
    }
  }

  /** Exports what waits, for at most `timeout`, and ends. Spans that end later are dropped and counted. */
  shutdown(timeout = SHUTDOWN_MS): Promise<void> {
    this.#closing ??= (async () => {
      await this.#pipeline?.shutdown(timeout)
      if (this.#pipeline) live.delete(this.#pipeline)
    })()
    return this.#closing
  }

  /** What became of the spans. */
  getMetrics(): TracerMetrics {
    const counts = this.#pipeline?.counts() ?? { exported: 0, dropped: 0, failed: 0 }
    return { started: this.#started, ended: this.#ended, ...counts }
  }

  readonly #owner = {
    ended: (span: Span): void => {
      this.#ended++
      const pipeline = this.#pipeline
      if (!pipeline || (span.context.flags & 1) === 0) return
      if (!this.#closing && !live.has(pipeline)) track(pipeline)
      pipeline.add(span)
    },
  }
}

/** Pipelines that may hold spans. Each end of the process flushes them, for at most two seconds. */
const live = new Set<Pipeline>()
let hooked = false

function track(pipeline: Pipeline): void {
  live.add(pipeline)
  if (hooked) return
  hooked = true
  process.on('beforeExit', () => {
    // A promise keeps the process; when it is settled this runs again, with nothing left to do.
    for (const waiting of live) {
      live.delete(waiting)
      void waiting.flush(EXIT_MS).catch(() => {})
    }
  })
  process.on('exit', () => {
    for (const waiting of live) waiting.atExit(EXIT_MS)
  })
}

function failed(span: Span, error: unknown): void {
  span.recordException(error)
  if (span.isRecording()) span.setStatus({ code: 2, message: messageOf(error) })
  span.end()
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** Digits are drawn from one text for hundreds of ids: a call for each would cost more than the span. */
const POOL = 4_096
const bytes = Buffer.allocUnsafe(POOL)
let pool = ''
let drawn = 0

function digits(count: 16 | 32): string {
  if (drawn + count > pool.length) {
    pool = randomFillSync(bytes).toString('hex')
    drawn = 0
  }
  const id = pool.slice(drawn, drawn + count)
  drawn += count
  return id === '0000000000000000' || id === '00000000000000000000000000000000' ? digits(count) : id
}

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer']

function kindOf(kind: unknown): SpanKind {
  const number = typeof kind === 'string' ? KINDS.indexOf(kind.toLowerCase()) : kind
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 4) {
    throw invalid(`startSpan(): kind must be 0 to 4 or one of ${KINDS.join(', ')}`)
  }
  return number as SpanKind
}

function invalid(message: string): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', message)
}

const OPTIONS = new Set(['serviceName', 'serviceVersion', 'environment', 'sampler', 'exporter', 'batch'])
const BATCH = { maxSize: [512, 100_000], interval: [5_000, 86_400_000], maxQueue: [131_072, 10_000_000] } as const

function checked(options: TracerOptions) {
  if (options === null || typeof options !== 'object') throw invalid('Tracer(options): options must be an object')
  for (const key of Object.keys(options)) if (!OPTIONS.has(key)) throw invalid(`Tracer has no option '${key}'`)
  const { serviceName, serviceVersion, environment, exporter } = options
  if (typeof serviceName !== 'string' || serviceName === '') throw invalid('Tracer option serviceName must be a text')
  for (const [key, value] of Object.entries({ serviceVersion, environment })) {
    if (value !== undefined && typeof value !== 'string') throw invalid(`Tracer option ${key} must be a text`)
  }
  const sampler = options.sampler ?? new ParentBasedSampler(new AlwaysSampler())
  if (typeof sampler?.shouldSample !== 'function') throw invalid('Tracer option sampler must have shouldSample()')
  if (exporter !== undefined && !(exporter instanceof OtlpExporter) && typeof exporter?.export !== 'function') {
    throw invalid('Tracer option exporter must have export()')
  }
  const batch: BatchOptions = { maxSize: 512, interval: 5_000, maxQueue: 131_072 }
  if (options.batch !== undefined && (options.batch === null || typeof options.batch !== 'object')) {
    throw invalid('Tracer option batch must be an object')
  }
  for (const [key, value] of Object.entries(options.batch ?? {})) {
    const range = BATCH[key as keyof typeof BATCH]
    if (!range) throw invalid(`Tracer option batch has no '${key}'`)
    if (value === undefined) continue
    if (!Number.isInteger(value) || value < 1 || value > range[1]) {
      throw invalid(`Tracer option batch.${key} must be a whole number from 1 to ${range[1]}`)
    }
    batch[key as keyof BatchOptions] = value
  }
  const resource = {
    serviceName, ...(serviceVersion !== undefined && { serviceVersion }), ...(environment !== undefined && { environment }),
  }
  return { sampler, exporter, batch, resource }
}

function attributesOf(resource: { serviceName: string; serviceVersion?: string; environment?: string }): Record<string, string> {
  return {
    'service.name': resource.serviceName,
    ...(resource.serviceVersion !== undefined && { 'service.version': resource.serviceVersion }),
    ...(resource.environment !== undefined && { 'deployment.environment.name': resource.environment }),
  }
}
