import { Auton8nError, nativeCall, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type { OtlpExporter, SpanExporter } from './tracer-exporter.js'
import type { SpillOptions } from './tracer-options.js'
import { FrameWriter } from './tracer-frame.js'
import { redacted } from './tracer-redaction.js'
import { messageOf, type AttributeValue, type Span, type SpanData } from './tracer-span.js'

export interface BatchOptions {
  /** Spans of one export. Default 512. */
  maxSize: number
  /** Milliseconds after which fewer are exported too. Default 5000. */
  interval: number
  /** Spans that may wait; more are dropped and counted. Default 131 072. */
  maxQueue: number
}

export interface PipelineCounts {
  exported: number
  dropped: number
  failed: number
  unkept?: number
  lastError?: string
}

/** Where ended spans wait and leave. */
export interface Pipeline {
  /** Whether the end of the process will flush it. */
  tracked: boolean
  add(span: Span): void
  /** True where everything was exported or failed within the time. */
  flush(timeout: number): Promise<boolean>
  shutdown(timeout: number): Promise<boolean>
  /** The last chance before the process is gone. */
  atExit(timeout: number): void
  counts(): PipelineCounts
}

/** What waits here before it is handed to the engine's thread. */
const HANDOVER_MS = 100

/** Spans leave for an OTLP receiver on a thread of the engine. */
export class EnginePipeline implements Pipeline {
  tracked = false
  readonly #native: InstanceType<ReturnType<typeof native>['SpanPipeline']>
  readonly #writer: FrameWriter
  readonly #delay: number
  #timer: NodeJS.Timeout | undefined

  constructor(
    resource: { serviceName: string; serviceVersion?: string; environment?: string },
    batch: BatchOptions,
    exporter: OtlpExporter,
    spill?: SpillOptions,
  ) {
    this.#native = nativeCallSync(() => new (native().SpanPipeline)({ ...resource, batch, otlp: exporter.options, ...(spill && { spill }) }))
    this.#writer = new FrameWriter(
      (spans, numbers, count, text) => this.#native.push(spans, numbers, count, text),
      batch.maxSize,
    )
    this.#delay = Math.max(1, Math.min(HANDOVER_MS, batch.interval / 2))
  }

  add(span: Span): void {
    if (!this.#writer.write(span)) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#writer.send()
      }, this.#delay).unref()
    }
  }

  flush(timeout: number): Promise<boolean> {
    this.#writer.send()
    return nativeCall(() => this.#native.flush(timeout))
  }

  shutdown(timeout: number): Promise<boolean> {
    this.#writer.send()
    clearTimeout(this.#timer)
    this.#timer = undefined
    return nativeCall(() => this.#native.shutdown(timeout))
  }

  atExit(timeout: number): void {
    this.#writer.send()
    this.#native.flushBlocking(timeout)
  }

  counts(): PipelineCounts {
    const { exported, dropped, failed, lastError, unkept } = this.#native.metrics()
    // What is still to be handed over may find no room yet; then it is counted as dropped.
    return { exported, dropped, failed, ...(unkept != null && { unkept }), ...(lastError != null && { lastError }) }
  }
}

/** Spans leave through an exporter in JavaScript. */
export class ScriptPipeline implements Pipeline {
  tracked = false
  readonly #counts: PipelineCounts = { exported: 0, dropped: 0, failed: 0 }
  #waiting: Span[] = []
  /** Taken out of `waiting` and not exported yet: they count for the bound too. */
  #taken = 0
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #closed = false

  constructor(
    private readonly resource: Readonly<Record<string, string>>,
    private readonly batch: BatchOptions,
    private readonly exporter: SpanExporter,
  ) {}

  add(span: Span): void {
    if (this.#closed || this.#waiting.length + this.#taken >= this.batch.maxQueue) {
      this.#counts.dropped++
      return
    }
    this.#waiting.push(span)
    if (this.#waiting.length >= this.batch.maxSize) void this.#send()
    else this.#timer ??= setTimeout(() => void this.#send(), this.batch.interval).unref()
  }

  async flush(timeout: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), timeout)))
    try {
      return await Promise.race([this.#send().then(() => true), late])
    } finally {
      clearTimeout(timer)
    }
  }

  async shutdown(timeout: number): Promise<boolean> {
    if (this.#closed) return true
    this.#closed = true
    const whole = await this.flush(timeout)
    try {
      await this.exporter.shutdown?.()
    } catch (cause) {
      throw new Auton8nError('AUTON8N_EXPORT_FAILED', `The exporter could not shut down: ${messageOf(cause)}`, {
        cause,
      })
    }
    return whole
  }

  /** A synchronous exporter still gets its spans; the process does not wait for a promise any more. */
  atExit(): void {
    while (this.#waiting.length > 0) void this.#export(this.#waiting.splice(0, this.batch.maxSize))
  }

  counts(): PipelineCounts {
    return { ...this.#counts }
  }

  #send(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Taken out as a whole: cutting pieces off the front of a long list would move the rest each time.
      const all = this.#waiting
      this.#waiting = []
      this.#taken = all.length
      for (let from = 0; from < all.length; from += this.batch.maxSize) {
        const batch = all.slice(from, from + this.batch.maxSize)
        await this.#export(batch)
        this.#taken -= batch.length
      }
    }
  }

  async #export(spans: Span[]): Promise<void> {
    try {
      await this.exporter.export(redacted(spans.map((span) => data(span, this.resource))))
      this.#counts.exported += spans.length
    } catch (error) {
      this.#counts.failed += spans.length
      this.#counts.lastError = messageOf(error)
    }
  }
}

function data(span: Span, resource: Readonly<Record<string, string>>): SpanData {
  const { context, parentSpanId, pairs = [], rest } = span
  const attributes: Record<string, AttributeValue> = {}
  for (let i = 0; i < pairs.length; i += 2) attributes[pairs[i] as string] = pairs[i + 1] as AttributeValue
  return {
    name: span.name,
    kind: span.kind,
    context,
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.endTime - span.startTime,
    attributes,
    events: rest?.events ?? [],
    links: rest?.links ?? [],
    status: rest?.status ?? { code: 0 },
    dropped: {
      attributes: rest?.droppedAttributes ?? 0,
      events: rest?.droppedEvents ?? 0,
      links: rest?.droppedLinks ?? 0,
    },
    resource,
  }
}
