import { nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type { AttributeValue, SpanData } from './tracer-span.js'

type Values = Readonly<Record<string, AttributeValue>>

/** Spans without secrets, in new objects: those of the program stay as they are. One call of the engine for all. */
export function redacted(spans: readonly SpanData[]): SpanData[] {
  const texts = new Texts()
  for (const span of spans) walk(span, (text) => texts.add(text))
  texts.redact()
  return spans.map((span) => walk(span, (text) => texts.clean(text)))
}

/** Copies a span with every text in it changed. */
function walk(span: SpanData, change: (text: string) => string): SpanData {
  const values = (attributes: Values): Record<string, AttributeValue> =>
    Object.fromEntries(Object.entries(attributes).map(([key, value]) => [change(key), valueOf(value, change)]))
  return {
    ...span,
    name: change(span.name),
    attributes: values(span.attributes),
    events: span.events.map((event) => ({ ...event, name: change(event.name), attributes: values(event.attributes) })),
    links: span.links.map((link) => ({ ...link, ...(link.attributes && { attributes: values(link.attributes as Values) }) })),
    status: span.status.message === undefined ? span.status : { ...span.status, message: change(span.status.message) },
  }
}

function valueOf(value: AttributeValue, change: (text: string) => string): AttributeValue {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'string' ? change(item) : item)) as string[]
  return value
}

/** Different texts of a batch; nothing shorter than a secret goes to the engine. */
class Texts {
  readonly #clean = new Map<string, string>()

  add(text: string): string {
    if (text.length >= SHORTEST) this.#clean.set(text, text)
    return text
  }

  redact(): void {
    const given = [...this.#clean.keys()]
    if (given.length === 0) return
    const clean = nativeCallSync(() => native().redactTexts(given))
    given.forEach((text, at) => this.#clean.set(text, clean[at] ?? ''))
  }

  clean(text: string): string {
    return this.#clean.get(text) ?? text
  }
}

const SHORTEST = 8
