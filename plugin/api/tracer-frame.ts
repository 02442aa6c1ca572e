import type { AttributeValue, Span } from './tracer-span.js'

/** Spans that cross together. */
const MOST_SPANS = 256
/** Numbers at the start; the array grows with the spans. */
const ROOM = 8_192
/** UTF-16 units after which a frame goes, however few spans it has. */
const MOST_TEXT = 1 << 20
/** Names that a frame writes only once. */
const MOST_NAMES = 1_024
/** What a span without lists needs, and one attribute without a list. */
const HEAD = 24
const PAIR = 3

/** Bits of a span's first number. */
const HAS_PARENT = 8
const HAS_STATE = 16
const HAS_REST = 32
/** Kinds of a value, in the lowest bits of its name's number. */
const TEXT = 0
const BOOL = 1
const INT = 2
const FLOAT = 3
const LIST = 4

/** Takes one frame. */
export type FrameSink = (spans: number, numbers: Float64Array, count: number, text: string) => void

/**
 * Writes spans into one array of numbers and one text, in the order in which `src/tracer/frame.rs` reads them, so
 * that the border is crossed once for many.
 */
export class FrameWriter {
  #numbers = new Float64Array(ROOM)
  #at = 0
  #text = ''
  #spans = 0
  /** Names that this frame has, with their places. */
  readonly #names = new Map<string, number>()

  constructor(
    private readonly sink: FrameSink,
    private readonly size: number,
  ) {}

  get spans(): number {
    return this.#spans
  }

  /** True where the frame went. */
  write(span: Span): boolean {
    const { pairs, rest, traceState } = span.drawn()
    const trace = span.trace.drawn()
    const pairsLength = pairs === undefined ? 0 : pairs.length
    this.#reserve(HEAD + pairsLength * PAIR)
    const numbers = this.#numbers
    const hasParent = (span.parentHigh | span.parentLow) !== 0
    let at = this.#at
    numbers[at++] =
      span.kind | (hasParent ? HAS_PARENT : 0) | (traceState ? HAS_STATE : 0) | (rest ? HAS_REST : 0) | (span.flags << 8)
    numbers[at++] = trace.a
    numbers[at++] = trace.b
    numbers[at++] = trace.c
    numbers[at++] = trace.d
    numbers[at++] = span.high
    numbers[at++] = span.low
    if (hasParent) {
      numbers[at++] = span.parentHigh
      numbers[at++] = span.parentLow
    }
    numbers[at++] = span.startTime
    numbers[at++] = span.endTime
    this.#at = at
    this.#name(span.name, 0)
    if (traceState) this.#string(traceState)
    this.#numbers[this.#at++] = pairsLength / 2
    if (pairs) {
      for (let i = 0; i < pairsLength; i += 2) {
        const value = pairs[i + 1] as AttributeValue
        this.#pair(pairs[i] as string, value)
        // A list took room that was meant for what follows.
        if (typeof value === 'object') this.#reserve(HEAD + (pairsLength - i) * PAIR)
      }
    }
    if (rest) this.#rest(rest)
    this.#spans++
    if (this.#spans < this.size && this.#spans < MOST_SPANS && this.#text.length < MOST_TEXT) return false
    this.send()
    return true
  }

  /** Hands over what is written. */
  send(): void {
    if (this.#spans === 0) return
    const [spans, count, text] = [this.#spans, this.#at, this.#text]
    this.#text = ''
    this.#spans = this.#at = 0
    this.#names.clear()
    this.sink(spans, this.#numbers, count, text)
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#numbers.length) return
    const larger = new Float64Array(Math.max(this.#numbers.length * 2, this.#at + more))
    larger.set(this.#numbers)
    this.#numbers = larger
  }

  /** The place of a name, with something in the lowest three bits; a new name follows with its length. */
  #name(name: string, low: number): void {
    const place = this.#names.get(name)
    if (place !== undefined) {
      this.#numbers[this.#at++] = place * 8 + low
      return
    }
    const { size } = this.#names
    this.#numbers[this.#at++] = (size < MOST_NAMES ? size : MOST_NAMES) * 8 + low
    if (size < MOST_NAMES) this.#names.set(name, size)
    this.#string(name)
  }

  #string(value: string): void {
    this.#numbers[this.#at++] = value.length
    this.#text += value
  }

  #pair(key: string, value: AttributeValue): void {
    if (typeof value === 'string') {
      this.#name(key, TEXT)
      this.#string(value)
    } else if (typeof value === 'number') {
      this.#name(key, Number.isSafeInteger(value) ? INT : FLOAT)
      this.#numbers[this.#at++] = value
    } else if (typeof value === 'boolean') {
      this.#name(key, BOOL)
      this.#numbers[this.#at++] = value ? 1 : 0
    } else {
      this.#name(key, LIST)
      this.#items(value)
    }
  }

  #items(values: readonly AttributeValue[]): void {
    this.#reserve(values.length * PAIR + HEAD)
    this.#numbers[this.#at++] = values.length
    for (const value of values) {
      this.#reserve(PAIR + HEAD)
      this.#pair('', value)
    }
  }

  #attributes(attributes: Record<string, AttributeValue>): void {
    const keys = Object.keys(attributes)
    this.#reserve(keys.length * PAIR + HEAD)
    this.#numbers[this.#at++] = keys.length
    for (const key of keys) {
      this.#reserve(PAIR + HEAD)
      this.#pair(key, attributes[key] as AttributeValue)
    }
  }

  #rest({ status, events, links, droppedAttributes, droppedEvents, droppedLinks }: NonNullable<Span['rest']>): void {
    this.#reserve(HEAD)
    this.#numbers[this.#at++] = status?.code ?? 0
    this.#string(status?.message ?? '')
    this.#numbers[this.#at++] = events.length
    for (const event of events) {
      this.#reserve(HEAD)
      this.#string(event.name)
      this.#numbers[this.#at++] = event.time
      this.#attributes(event.attributes)
    }
    this.#reserve(HEAD)
    this.#numbers[this.#at++] = links.length
    for (const { context, attributes } of links) {
      this.#reserve(HEAD)
      this.#text += context.traceId + context.spanId
      this.#numbers[this.#at++] = context.flags
      this.#string(context.traceState ?? '')
      this.#attributes((attributes ?? {}) as Record<string, AttributeValue>)
    }
    this.#reserve(HEAD)
    this.#numbers[this.#at++] = droppedAttributes
    this.#numbers[this.#at++] = droppedEvents
    this.#numbers[this.#at++] = droppedLinks
  }
}
