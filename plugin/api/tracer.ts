import { Auton8nError } from '../errors.js'
import {
  carryTracestate,
  formatBaggage,
  formatTraceparent,
  isContext,
  parseBaggage,
  parseTraceparent,
  readHeader,
  writeHeader,
  type Carrier,
  type SpanContext,
} from './tracer-context.js'
import { activeParent, activeSpan, runActive } from './tracer-active.js'
import { flushOnSigterm, track, untrack } from './tracer-exit.js'
import { OtlpExporter } from './tracer-exporter.js'
import { bitsAt, TraceId } from './tracer-ids.js'
import { attributesOf, checked, invalid, kindOf, type StartSpanOptions, type TracerOptions } from './tracer-options.js'
import { EnginePipeline, ScriptPipeline, type Pipeline } from './tracer-pipeline.js'
import { decisionOf, type Decision, type Sampler } from './tracer-sampler.js'
import { messageOf, Span, type Above } from './tracer-span.js'

export { ConsoleExporter, OtlpExporter, type OtlpExporterOptions, type SpanExporter } from './tracer-exporter.js'
export {
  AlwaysSampler,
  ParentBasedSampler,
  ProbabilitySampler,
  RateLimitingSampler,
  type Sampler,
} from './tracer-sampler.js'
export { Span, SpanKind, SpanStatusCode } from './tracer-span.js'
export type { Attributes, AttributeValue, SpanData, SpanEvent, SpanLink, SpanStatus } from './tracer-span.js'
export type { SpillOptions, StartSpanOptions, TracerOptions } from './tracer-options.js'
export type { Carrier, SpanContext } from './tracer-context.js'

export interface TracerMetrics {
  started: number
  ended: number
  exported: number
  /** Those for which there was no room in the queue. */
  dropped: number
  /** Those that could not be sent or were refused. */
  failed: number
  /** Those that a kill would lose, since the files of `spill` had no room; only where it is set. */
  unkept?: number
  /** Why the last export failed. */
  lastError?: string
}

/** How long a flush and a shutdown may take, in milliseconds. */
const FLUSH_MS = 30_000
const SHUTDOWN_MS = 10_000

/** Starts spans, keeps the active one through asynchronous calls, and exports them in batches. */
export class Tracer {
  readonly #sampler: Sampler
  readonly #decision: Decision | undefined
  readonly #pipeline: Pipeline | undefined
  #started = 0
  #ended = 0
  #closing: Promise<void> | undefined

  /** Throws `AUTON8N_OPTION_INVALID` with the option's name. */
  constructor(options: TracerOptions) {
    const { sampler, exporter, batch, resource, spill } = checked(options)
    this.#sampler = sampler
    this.#decision = decisionOf(sampler)
    if (exporter instanceof OtlpExporter) this.#pipeline = new EnginePipeline(resource, batch, exporter, spill)
    else if (exporter) this.#pipeline = new ScriptPipeline(attributesOf(resource), batch, exporter)
    if (options.flushOnSigterm) flushOnSigterm()
  }

  /** Starts a span under `parent`, by default the active one, ours or OpenTelemetry's. */
  startSpan(name: string, options?: StartSpanOptions): Span {
    if (typeof name !== 'string') throw invalid('startSpan(name): the name must be a string')
    const parent = options?.parent === undefined ? activeParent() : options.parent
    const above = parent instanceof Span ? parent.drawn() : aboveOf(parent)
    const trace = above ? above.trace : new TraceId()
    const sampled = this.#decision
      ? this.#decision(trace, above ? above.flags : -1)
      : this.#sampler.shouldSample(trace.digits, above && contextOf(parent), name)
    this.#started++
    const kind = options?.kind === undefined ? 0 : kindOf(options.kind)
    const span = new Span(this.#owner, name, kind, trace, above, sampled, sampled && this.#pipeline !== undefined)
    if (options?.attributes) span.setAttributes(options.attributes)
    if (options?.links) for (const link of options.links) span.addLink(link)
    return span
  }

  /**
   * Calls `fn` with the span active, also in everything asynchronous that it starts, and ends the span when `fn`
   * or its promise ends. A throw is recorded, sets the status, and is passed on.
   */
  withSpan<T>(span: Span, fn: (span: Span) => T): T {
    if (!(span instanceof Span) || typeof fn !== 'function')
      throw invalid('withSpan(span, fn) needs a span and a function')
    let result: T
    try {
      result = runActive(span, fn)
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
    return activeSpan()
  }

  /** Writes `traceparent`, `tracestate` and `baggage` of the span, by default the active one; returns the carrier. */
  inject<C extends Carrier>(carrier: C, span: Span | SpanContext | undefined = activeParent()): C {
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
      throw new Auton8nError(
        'AUTON8N_TIMEOUT',
        `Operation timed out after ${timeout} ms: spans are still being exported`,
      )
    }
  }

  /** Exports what waits, for at most `timeout`, and ends. Spans that end later are dropped and counted. */
  shutdown(timeout = SHUTDOWN_MS): Promise<void> {
    this.#closing ??= (async () => {
      await this.#pipeline?.shutdown(timeout)
      if (this.#pipeline) untrack(this.#pipeline)
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
      if (!pipeline || (span.flags & 1) === 0) return
      if (!pipeline.tracked && !this.#closing) track(pipeline)
      pipeline.add(span)
    },
  }
}

/** What a span takes over from a context of elsewhere; undefined where it is none. */
function aboveOf(context: SpanContext | null | undefined): Above | undefined {
  if (!context || !isContext(context)) return undefined
  const { traceId, spanId, flags, traceState, baggage } = context
  return { trace: TraceId.of(traceId), high: bitsAt(spanId, 0), low: bitsAt(spanId, 8), flags, traceState, baggage }
}

function contextOf(parent: Span | SpanContext | null | undefined): SpanContext | undefined {
  return parent instanceof Span ? parent.context : (parent ?? undefined)
}

function failed(span: Span, error: unknown): void {
  span.recordException(error)
  if (span.isRecording()) span.setStatus({ code: 2, message: messageOf(error) })
  span.end()
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
