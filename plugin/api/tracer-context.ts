/** W3C trace context and baggage: the same rules, and the same test vectors, as `src/tracer/context.rs`. */

/** Who a span is, as it crosses a border. */
export interface SpanContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Bit 0 says that it is sampled. */
  readonly flags: number
  /** The header `tracestate` of other tracers, carried on. */
  readonly traceState?: string
  /** Names and values that travel with the trace. */
  readonly baggage?: Readonly<Record<string, string>>
  /** It came from elsewhere. */
  readonly remote?: boolean
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

const isBlank = (code: number): boolean => code === 32 || code === 9

/** Without blanks at the ends. By hand, since a pattern takes quadratic time over blanks in the middle. */
function trim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

export function parseTraceparent(header: string): SpanContext | undefined {
  if (header.length > 1_024) return undefined
  const match = PARENT.exec(trim(header))
  if (!match) return undefined
  const [, version, traceId = '', spanId = '', flags = '', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return { traceId, spanId, flags: parseInt(flags, 16) & (version === '00' ? 3 : 1) }
}

export function isContext(value: unknown): value is SpanContext {
  const { traceId, spanId } = (value ?? {}) as Partial<SpanContext>
  return (
    typeof traceId === 'string' &&
    typeof spanId === 'string' &&
    /^[0-9a-f]{32}$/.test(traceId) &&
    /^[0-9a-f]{16}$/.test(spanId) &&
    !/^0+$/.test(traceId) &&
    !/^0+$/.test(spanId)
  )
}

export function formatTraceparent(context: SpanContext): string {
  return `00-${context.traceId}-${context.spanId}-0${context.flags & 3}`
}

const STATE_KEY = /^(?:[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}|[a-z0-9][a-z0-9_*/-]{0,255})$/
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/** The header as it is carried on: empty where it breaks the rules, and at most 512 characters. */
export function carryTracestate(header: string): string {
  if (header === '') return ''
  if (header.length > 32 * 520) return ''
  const seen = new Set<string>()
  const members: string[] = []
  for (const member of header.split(',').map(trim)) {
    if (member === '') continue
    const at = member.indexOf('=')
    const key = member.slice(0, at)
    if (at < 0 || seen.has(key) || !STATE_KEY.test(key) || !STATE_VALUE.test(member.slice(at + 1)) || seen.size === 32)
      return ''
    seen.add(key)
    members.push(member)
  }
  let length = 0
  const kept = members.findIndex((member) => (length += member.length + 1) > 513)
  return members.slice(0, kept < 0 ? undefined : kept).join(',')
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const BAGGAGE_VALUE = /^[\x21-\x7e]*$/
/** As many as could stand in so many bytes, each with a name of one letter, would be 2,048. */
export const MOST_ENTRIES = 1_024
const MOST_BYTES = 8_192

/** Whether it can be a name of baggage. */
export function isBaggageKey(key: unknown): key is string {
  return typeof key === 'string' && key.length <= 4_096 && TOKEN.test(key)
}

/** Members that break the rules are left out, properties are dropped. */
export function parseBaggage(header: string): Record<string, string> | undefined {
  if (header === '') return undefined
  const found = new Map<string, string>()
  for (const member of header.slice(0, MOST_BYTES * 8).split(',', MOST_ENTRIES * 2)) {
    const pair = member.split(';', 1)[0] ?? ''
    const at = pair.indexOf('=')
    if (at < 0) continue
    const key = trim(pair.slice(0, at))
    const value = trim(pair.slice(at + 1))
    if (!TOKEN.test(key) || !BAGGAGE_VALUE.test(value) || (found.size >= MOST_ENTRIES && !found.has(key))) continue
    try {
      found.set(key, decodeURIComponent(value))
    } catch {
      continue
    }
  }
  return found.size > 0 ? record(found) : undefined
}

/** Without a prototype, so that no name is special. */
export function record(entries: Iterable<readonly [string, string]>): Record<string, string> {
  const result = Object.create(null) as Record<string, string>
  for (const [key, value] of entries) result[key] = value
  return result
}

/** Empty where there is none; entries for which there is no room are left out. */
export function formatBaggage(baggage: Readonly<Record<string, string>>): string {
  let header = ''
  for (const [key, value] of Object.entries(baggage)) {
    if (!isBaggageKey(key)) continue
    const encoded = encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'))
    const member = `${header === '' ? '' : ','}${key}=${encoded}`
    if (header.length + member.length <= MOST_BYTES) header += member
  }
  return header
}

/** What headers travel in: a plain object, a `Map`, or something like `Headers`. */
export type Carrier = object

interface HeaderMap {
  get(name: string): unknown
  set(name: string, value: string): unknown
}

function isHeaderMap(carrier: object): carrier is HeaderMap {
  const { get, set } = carrier as Partial<HeaderMap>
  return typeof get === 'function' && typeof set === 'function'
}

/** The header of that name in any case; several of one name are joined, as HTTP does. */
export function readHeader(carrier: Carrier, name: string): string | undefined {
  let value: unknown
  if (carrier instanceof Map) {
    for (const [key, found] of carrier) if (typeof key === 'string' && key.toLowerCase() === name) value = found
  } else if (isHeaderMap(carrier)) {
    value = carrier.get(name)
  } else if (Object.hasOwn(carrier, name)) {
    value = (carrier as Record<string, unknown>)[name]
  } else {
    for (const key of Object.keys(carrier)) {
      if (key.length === name.length && key.toLowerCase() === name) value = (carrier as Record<string, unknown>)[key]
    }
  }
  if (Array.isArray(value)) value = name === 'traceparent' && value.length !== 1 ? undefined : value.join(',')
  return typeof value === 'string' ? value : undefined
}

/** Sets the header, in place of one in another case. */
export function writeHeader(carrier: Carrier, name: string, value: string): void {
  if (carrier instanceof Map || !isHeaderMap(carrier)) {
    const keys: Iterable<unknown> = carrier instanceof Map ? [...carrier.keys()] : Object.keys(carrier)
    for (const key of keys) {
      if (typeof key !== 'string' || key === name || key.toLowerCase() !== name) continue
      if (carrier instanceof Map) carrier.delete(key)
      else delete (carrier as Record<string, unknown>)[key]
    }
  }
  if (isHeaderMap(carrier)) carrier.set(name, value)
  else (carrier as Record<string, unknown>)[name] = value
}
