/** A span that the engine kept, redacted. */
export interface StoredSpan {
  spanId: string
  parentSpanId?: string
  name: string
  /** Milliseconds since 1970, with their fraction. */
  startTime: number
  /** Milliseconds. */
  duration: number
  attributes: Record<string, unknown>
  /** What went wrong, where something did. */
  error?: string
  events: { name: string; time: number; attributes: Record<string, unknown> }[]
}

/** What the engine kept of one trace, the span that began first at the front. */
export interface StoredTrace {
  traceId: string
  spans: StoredSpan[]
}

interface OtlpValue {
  stringValue?: string
  boolValue?: boolean
  intValue?: string | number
  doubleValue?: number
  arrayValue?: { values?: OtlpValue[] }
}

interface OtlpAttribute {
  key: string
  value?: OtlpValue
}

interface OtlpSpan {
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: OtlpAttribute[]
  events?: { name: string; timeUnixNano: string; attributes?: OtlpAttribute[] }[]
  status?: { code?: number; message?: string }
}

/** A trace of the engine, out of OTLP's JSON. */
export function traceOf(kept: { traceId: string; spans: unknown[] }): StoredTrace {
  const spans = (kept.spans as OtlpSpan[]).map(storedSpan)
  return { traceId: kept.traceId, spans: spans.sort((one, other) => one.startTime - other.startTime) }
}

function storedSpan(span: OtlpSpan): StoredSpan {
  const startTime = milliseconds(span.startTimeUnixNano)
  const stored: StoredSpan = {
    spanId: span.spanId,
    name: span.name,
    startTime,
    duration: milliseconds(span.endTimeUnixNano) - startTime,
    attributes: record(span.attributes),
    events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
      name,
      time: milliseconds(timeUnixNano),
      attributes: record(attributes),
    })),
  }
  if (span.parentSpanId) stored.parentSpanId = span.parentSpanId
  if (span.status?.code === 2) stored.error = span.status.message ?? ''
  return stored
}

/** Of nanoseconds since 1970, which a number cannot hold. */
function milliseconds(nanoseconds: string): number {
  const whole = BigInt(nanoseconds)
  return Number(whole / 1_000_000n) + Number(whole % 1_000_000n) / 1e6
}

function record(attributes: OtlpAttribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]))
}

function plain(value: OtlpValue = {}): unknown {
  if (value.intValue !== undefined) return Number(value.intValue)
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain)
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? null
}
