import { Auton8nError } from '../errors.js'
import { isBaggageKey, isContext, MOST_ENTRIES, record, type SpanContext } from './tracer-context.js'
import { draw, spanIdOf, type TraceId } from './tracer-ids.js'

export type AttributeValue = string | number | boolean | readonly (string | number | boolean)[]
export type Attributes = Readonly<Record<string, AttributeValue | null | undefined>>

/** What a span stands for, with OpenTelemetry's numbers. */
export const SpanKind = { INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 } as const
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind]
/** How it ended, with OpenTelemetry's numbers. */
export const SpanStatusCode = { UNSET: 0, OK: 1, ERROR: 2 } as const
export type SpanStatusCode = (typeof SpanStatusCode)[keyof typeof SpanStatusCode]

export interface SpanStatus {
  code: SpanStatusCode
  message?: string
}
export interface SpanLink {
  context: SpanContext
  attributes?: Attributes
}
export interface SpanEvent {
  name: string
  /** Milliseconds since 1970. */
  time: number
  attributes: Record<string, AttributeValue>
}

/** A span that has ended, as exporters get it. Times are milliseconds, with their fraction. */
export interface SpanData {
  readonly name: string
  readonly kind: SpanKind
  readonly context: SpanContext
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTime: number
  readonly endTime: number
  readonly duration: number
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly events: readonly SpanEvent[]
  readonly links: readonly SpanLink[]
  readonly status: SpanStatus
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number }
  readonly resource: Readonly<Record<string, string>>
}

/** The most that a span may hold; more is dropped and counted. */
const MOST = 128
const MOST_TEXT = 16_384

const STARTED = performance.timeOrigin
/** Milliseconds since 1970, with their fraction, from the monotonic clock. */
export const timeNow = (): number => STARTED + performance.now()

/** What a span tells when it ends. */
export interface SpanOwner {
  ended(span: Span): void
}

/** What few spans have. */
class Rest {
  readonly events: SpanEvent[] = []
  readonly links: SpanLink[] = []
  status: SpanStatus | undefined
  droppedAttributes = 0
  droppedEvents = 0
  droppedLinks = 0
}

/** What a span takes over from the one above it. */
export interface Above {
  readonly trace: TraceId
  readonly high: number
  readonly low: number
  readonly flags: number
  readonly traceState?: string | undefined
  readonly baggage?: Readonly<Record<string, string>> | undefined
}

export class Span implements Above {
  readonly name: string
  readonly kind: SpanKind
  readonly startTime: number
  endTime = 0
  /** Ids are numbers until somebody reads them: digits would cost more than the rest of the span. */
  readonly trace: TraceId
  high = 0
  low = 0
  readonly parentHigh: number
  readonly parentLow: number
  readonly flags: number
  readonly traceState: string | undefined
  baggage: Readonly<Record<string, string>> | undefined
  /** Names and values in turn: a few are found faster so than in a map. */
  pairs: (string | AttributeValue)[] | undefined
  rest: Rest | undefined
  readonly #owner: SpanOwner
  readonly #recording: boolean
  #context: SpanContext | undefined

  /** Spans are made by `tracer.startSpan()`. */
  constructor(owner: SpanOwner, name: string, kind: SpanKind, trace: TraceId, above: Above | undefined, sampled: boolean, recording: boolean) {
    this.#owner = owner
    this.#recording = recording
    this.name = name.length > MOST_TEXT ? name.slice(0, MOST_TEXT) : name
    this.kind = kind
    this.trace = trace
    if (above) {
      this.parentHigh = above.high
      this.parentLow = above.low
      this.flags = (above.flags & 2) | (sampled ? 1 : 0)
      this.traceState = above.traceState
      this.baggage = above.baggage
    } else {
      this.parentHigh = this.parentLow = 0
      this.flags = sampled ? 1 : 0
      this.traceState = undefined
      this.baggage = undefined
    }
    this.startTime = recording ? timeNow() : 0
  }

  /** The same, with the bits of its id. */
  drawn(): this {
    // All zeros are no id.
    while (this.low === 0) {
      this.high = draw()
      this.low = draw()
    }
    return this
  }

  /** `traceId` (32 hexadecimal digits), `spanId` (16), `flags`. */
  get context(): SpanContext {
    return (this.#context ??= {
      traceId: this.trace.digits,
      spanId: spanIdOf(this.drawn().high, this.low),
      flags: this.flags,
      ...(this.traceState && { traceState: this.traceState }),
      ...(this.baggage && { baggage: this.baggage }),
    })
  }

  /** As in OpenTelemetry. */
  spanContext(): SpanContext {
    return this.context
  }

  /** Of the span above it; undefined where there is none. */
  get parentSpanId(): string | undefined {
    return (this.parentHigh | this.parentLow) === 0 ? undefined : spanIdOf(this.parentHigh, this.parentLow)
  }

  /** Whether what is set on it is kept: it is sampled and has not ended. */
  isRecording(): boolean {
    return this.#recording && this.endTime === 0
  }

  setAttribute(key: string, value: AttributeValue | null | undefined): this {
    if (!this.#recording || this.endTime !== 0 || value === undefined || value === null) return this
    const pairs = (this.pairs ??= [])
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] === key) {
        pairs[i + 1] = fit(value)
        return this
      }
    }
    if (pairs.length >= MOST * 2 || typeof key !== 'string' || key === '') this.#more.droppedAttributes++
    else pairs.push(key.length > MOST_TEXT ? key.slice(0, MOST_TEXT) : key, fit(value))
    return this
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key])
    return this
  }

  /** `time` is milliseconds since 1970; default now. */
  addEvent(name: string, attributes?: Attributes, time?: number): this {
    if (!this.isRecording()) return this
    const rest = this.#more
    if (rest.events.length >= MOST) rest.droppedEvents++
    else
      rest.events.push({
        name: String(name).slice(0, MOST_TEXT),
        time: time ?? timeNow(),
        attributes: kept(attributes),
      })
    return this
  }

  /** Another span that belongs to it. */
  addLink(link: SpanLink): this {
    if (!this.isRecording()) return this
    const rest = this.#more
    if (rest.links.length >= MOST || !isContext(link?.context)) rest.droppedLinks++
    else rest.links.push({ context: link.context, attributes: kept(link.attributes) })
    return this
  }

  /** An event `exception` with type, message and stack. The status stays as it is. */
  recordException(exception: unknown): this {
    let type: unknown = typeof exception
    let stack: unknown
    try {
      const { code, name, stack: trace } = (exception ?? {}) as { code?: unknown; name?: unknown; stack?: unknown }
      type = typeof code === 'string' ? code : exception instanceof Error ? name : type
      stack = trace
    } catch {
      // A hostile object must not replace the error that is on its way.
    }
    return this.addEvent('exception', {
      'exception.type': String(type),
      'exception.message': messageOf(exception),
      'exception.stacktrace': typeof stack === 'string' ? stack : undefined,
    })
  }

  /** `{ code: SpanStatusCode.ERROR, message }`, or the name of the code and a message. */
  setStatus(status: SpanStatus | 'unset' | 'ok' | 'error', message?: string): this {
    if (!this.isRecording()) return this
    const given = typeof status === 'string' ? status : status?.code
    const code = typeof given === 'string' ? ['unset', 'ok', 'error'].indexOf((given as string).toLowerCase()) : given
    if (code !== 0 && code !== 1 && code !== 2) {
      throw new Auton8nError(
        'AUTON8N_OPTION_INVALID',
        "setStatus(): the code must be 0, 1, 2 or 'unset', 'ok', 'error'",
      )
    }
    const text = typeof status === 'string' ? message : status.message
    this.#more.status =
      code === 2 && text ? { code, message: String(text).slice(0, MOST_TEXT) } : { code: code as SpanStatusCode }
    return this
  }

  /** A name and value that travel with the trace, to spans started under this one from now on. */
  setBaggage(key: string, value: string): this {
    if (!isBaggageKey(key))
      throw new Auton8nError('AUTON8N_OPTION_INVALID', 'setBaggage(): the name must be a header token')
    const entries = Object.entries(this.baggage ?? {})
    if (entries.length < MOST_ENTRIES || this.getBaggage(key) !== undefined) {
      this.baggage = record([...entries, [key, String(value)]])
      this.#context = undefined
    }
    return this
  }

  getBaggage(key: string): string | undefined {
    return this.baggage?.[key]
  }

  /** Ends it, once; `time` is milliseconds since 1970, default now. What is set later is not kept. */
  end(time?: number): void {
    if (this.endTime !== 0) return
    const now = this.#recording ? (time ?? timeNow()) : 1
    this.endTime = now > this.startTime ? now : this.startTime
    this.#owner.ended(this)
  }

  get #more(): Rest {
    return (this.rest ??= new Rest())
  }
}

function fit(value: AttributeValue): AttributeValue {
  if (typeof value === 'string') return value.length > MOST_TEXT ? value.slice(0, MOST_TEXT) : value
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.slice(0, MOST).map((item) => fit(item) as string)
  return String(value).slice(0, MOST_TEXT)
}

function kept(attributes: Attributes | undefined): Record<string, AttributeValue> {
  const result: Record<string, AttributeValue> = {}
  let count = 0
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || count++ >= MOST) continue
    result[key.slice(0, MOST_TEXT)] = fit(value)
  }
  return result
}

export function messageOf(exception: unknown): string {
  try {
    return String(exception instanceof Error ? exception.message : exception)
  } catch {
    return typeof exception
  }
}
