import { nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type { AttributeValue, SpanData } from './tracer-span.js'

type Values = Readonly<Record<string, AttributeValue>>

/** Spans without secrets; those of the program stay as they are. One call of the engine for all. */
export function redacted(spans: readonly SpanData[]): SpanData[] {
  const texts = new Texts()
  for (const span of spans) visit(span, (text) => texts.add(text))
  if (!texts.redact()) return [...spans]
  return spans.map((span) => walk(span, (text) => texts.clean(text)))
}

/** Shows every text of a span. */
function visit(span: SpanData, see: (text: string) => void): void {
  const values = (attributes: Values): void => {
    for (const key in attributes) {
      see(key)
      const value = attributes[key]
      if (typeof value === 'string') see(value)
      else if (typeof value === 'object') for (const item of value) if (typeof item === 'string') see(item)
    }
  }
  see(span.name)
  values(span.attributes)
  for (const event of span.events) {
    see(event.name)
    values(event.attributes)
  }
  for (const link of span.links) if (link.attributes) values(link.attributes as Values)
  if (span.status.message !== undefined) see(span.status.message)
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

/** Texts that are known to hold no secret: names come again and again. */
const harmless = new Set<string>()
const MOST_HARMLESS = 4_096
/** Longer ones are seldom names. */
const LONGEST_HARMLESS = 64
/** Nothing shorter than a secret goes to the engine. */
const SHORTEST = 8

/** Different texts of a batch. */
class Texts {
  readonly #clean = new Map<string, string>()

  add(text: string): void {
    if (text.length >= SHORTEST && !harmless.has(text)) this.#clean.set(text, text)
  }

  /** Whether any text had to change. */
  redact(): boolean {
    const given = [...this.#clean.keys()]
    if (given.length === 0) return false
    const clean = nativeCallSync(() => native().redactTexts(given))
    let changed = false
    given.forEach((text, at) => {
      const found = clean[at] ?? ''
      this.#clean.set(text, found)
      if (found !== text) changed = true
      else if (text.length <= LONGEST_HARMLESS && harmless.size < MOST_HARMLESS) harmless.add(text)
    })
    if (harmless.size === MOST_HARMLESS) harmless.clear()
    return changed
  }

  clean(text: string): string {
    return this.#clean.get(text) ?? text
  }
}
