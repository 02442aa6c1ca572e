import type { StoredSpan, StoredTrace } from '../api/trace.js'

/** Columns of the bars, and of the names before them. */
const BARS = 40
const NAMES = 34
/** Spans below this depth are left out. */
const MOST_DEPTH = 100

/** The attributes that a line shows, in this order. */
const SHOWN = [
  'auton8n.job.attempt',
  'auton8n.check.status',
  'gen_ai.request.model',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.response.finish_reasons',
  'auton8n.sandbox.engine',
  'auton8n.sandbox.outcome',
  'process.exit.code',
  'error.type',
  'elizaos.run.id',
]

/** The trace as lines: a name, how long, a bar where it lies in time, and what is worth knowing. */
export function waterfall({ traceId, spans }: StoredTrace): string[] {
  if (spans.length === 0) return [`Trace ${traceId}: no spans are kept.`]
  const from = Math.min(...spans.map(({ startTime }) => startTime))
  const to = Math.max(...spans.map(({ startTime, duration }) => startTime + duration))
  const lines = [`Trace ${traceId}   ${new Date(from).toISOString()}   ${time(to - from)}   ${spans.length} spans`, '']
  for (const { span, depth } of ordered(spans)) {
    const name = safe(`${'  '.repeat(Math.min(depth, 10))}${span.error === undefined ? '' : '✗ '}${span.name}`)
    const shown = SHOWN.filter((key) => span.attributes[key] !== undefined).map(
      (key) => `${key.slice(key.lastIndexOf('.') + 1)}=${String(span.attributes[key])}`,
    )
    const words = [...shown, ...(span.error ? [span.error] : [])].join(' ')
    const bar = barOf(span, from, to - from)
    lines.push(`${fit(name, NAMES)} ${time(span.duration).padStart(9)} │${bar}│ ${cut(safe(words), 120)}`.trimEnd())
  }
  return lines
}

/** Parents before their children, each child by its start; one whose parent is not kept is a root. */
function ordered(spans: StoredSpan[]): { span: StoredSpan; depth: number }[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const children = new Map<string | undefined, StoredSpan[]>()
  for (const span of spans) {
    const parent = span.parentSpanId !== undefined && known.has(span.parentSpanId) ? span.parentSpanId : undefined
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const result: { span: StoredSpan; depth: number }[] = []
  const visit = (parent: string | undefined, depth: number): void => {
    const below = children.get(parent) ?? []
    // Each is visited once, also where spans name each other as parents.
    children.delete(parent)
    for (const span of below) {
      result.push({ span, depth })
      if (depth < MOST_DEPTH) visit(span.spanId, depth + 1)
    }
  }
  visit(undefined, 0)
  return result
}

function barOf({ startTime, duration }: StoredSpan, from: number, whole: number): string {
  const column = (at: number): number => (whole > 0 ? Math.round(((at - from) / whole) * BARS) : 0)
  const start = Math.min(column(startTime), BARS - 1)
  const end = Math.max(column(startTime + duration), start + 1)
  return `${' '.repeat(start)}${'█'.repeat(end - start)}`.padEnd(BARS)
}

function time(milliseconds: number): string {
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)} µs`
  if (milliseconds < 1000) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 120_000) return `${(milliseconds / 1000).toFixed(2)} s`
  return `${(milliseconds / 60_000).toFixed(1)} min`
}

/** Without what a terminal would obey. */
function safe(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

function fit(text: string, width: number): string {
  return cut(text, width).padEnd(width)
}

function cut(text: string, most: number): string {
  const characters = [...text]
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text
}
