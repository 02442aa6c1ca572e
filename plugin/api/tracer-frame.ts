import type { AttributeValue, Span } from './tracer-span.js'

/** Spans that cross together. */
const MOST_SPANS = 256
/** Numbers at the start; the array grows with the spans. */
const ROOM = 8_192
/** UTF-16 units after which a frame goes, however few spans it has. */
const MOST_TEXT = 1 << 20

/** Takes one frame. */
export type FrameSink = (spans: number, numbers: Float64Array, count: number, text: string) => void

/**
 * Writes spans into one array of numbers and one list of texts, in the order in which
 * `src/tracer/frame.rs` reads them, so that the border is crossed once for many.
 */
export class FrameWriter {
  #numbers = new Float64Array(ROOM)
  #at = 0
  #text: string[] = []
  #length = 0
  #spans = 0

  constructor(
    private readonly sink: FrameSink,
    private readonly size: number,
  ) {}

  get spans(): number {
    return this.#spans
  }

  /** True where the frame went. */
  write(span: Span): boolean {
    const { context, pairs, events, links, status } = span
    this.#context(context.traceId, context.spanId, context.flags, context.traceState)
    if (span.parentSpanId) {
      this.#number(1)
      this.#text.push(span.parentSpanId)
    } else {
      this.#number(0)
    }
    this.#string(span.name)
    this.#number(span.kind)
    this.#number(span.startTime)
    this.#number(span.endTime)
    this.#number(status?.code ?? 0)
    this.#string(status?.message ?? '')
    this.#number(pairs.length / 2)
    for (let i = 0; i < pairs.length; i += 2) {
      this.#string(pairs[i] as string)
      this.#value(pairs[i + 1] as AttributeValue)
    }
    this.#number(events?.length ?? 0)
    if (events) {
      for (const event of events) {
        this.#string(event.name)
        this.#number(event.time)
        this.#attributes(event.attributes)
      }
    }
    this.#number(links?.length ?? 0)
    if (links) {
      for (const { context: linked, attributes } of links) {
        this.#context(linked.traceId, linked.spanId, linked.flags, linked.traceState)
        this.#attributes((attributes ?? {}) as Record<string, AttributeValue>)
      }
    }
    this.#number(span.droppedAttributes)
    this.#number(span.droppedEvents)
    this.#number(span.droppedLinks)
    this.#spans++
    if (this.#spans < this.size && this.#spans < MOST_SPANS && this.#length < MOST_TEXT) return false
    this.send()
    return true
  }

  /** Hands over what is written. */
  send(): void {
    if (this.#spans === 0) return
    const text = this.#text
    const [spans, count] = [this.#spans, this.#at]
    this.#text = []
    this.#spans = this.#at = this.#length = 0
    this.sink(spans, this.#numbers, count, text.join(''))
  }

  #number(value: number): void {
    if (this.#at === this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers[this.#at++] = value
  }

  #string(value: string): void {
    this.#number(value.length)
    this.#length += value.length
    this.#text.push(value)
  }

  #context(traceId: string, spanId: string, flags: number, traceState: string | undefined): void {
    this.#text.push(traceId, spanId)
    this.#number(flags)
    this.#string(traceState ?? '')
  }

  #attributes(attributes: Record<string, AttributeValue>): void {
    const keys = Object.keys(attributes)
    this.#number(keys.length)
    for (const key of keys) {
      this.#string(key)
      this.#value(attributes[key] as AttributeValue)
    }
  }

  #value(value: AttributeValue): void {
    if (typeof value === 'string') {
      this.#number(0)
      this.#string(value)
    } else if (typeof value === 'number') {
      this.#number(Number.isSafeInteger(value) ? 2 : 3)
      this.#number(value)
    } else if (typeof value === 'boolean') {
      this.#number(1)
      this.#number(value ? 1 : 0)
    } else {
      this.#number(4)
      this.#number(value.length)
      for (const item of value) this.#value(item)
    }
  }
}
