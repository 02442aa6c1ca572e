import { AsyncLocalStorage } from 'node:async_hooks'
import { formatTraceparent, isContext, parseTraceparent, type SpanContext } from './tracer-context.js'
import type { Attributes, Span, SpanLink, SpanStatus } from './tracer-span.js'

/** A span of ours, or who called from elsewhere. */
const active = new AsyncLocalStorage<Span | SpanContext | undefined>()

/** Where `@opentelemetry/api` 1.x keeps what was registered; nothing is imported, so nobody has to install it. */
const API = Symbol.for('opentelemetry.js.api.1')
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN')

interface ForeignContext {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): ForeignContext
}

interface ForeignManager {
  active(): ForeignContext
  with<T>(context: ForeignContext, fn: () => T): T
}

interface ForeignSpan {
  spanContext(): { traceId: string; spanId: string; traceFlags: number; traceState?: { serialize(): string } }
}

let registry: { context?: ForeignManager } | undefined

function manager(): ForeignManager | undefined {
  // Once it is there it stays; what is registered in it comes and goes.
  registry ??= (globalThis as { [API]?: { context?: ForeignManager } })[API]
  return registry?.context
}

function foreignSpan(): unknown {
  return manager()?.active().getValue(SPAN)
}

/** Calls `fn` with the span active, for us and for OpenTelemetry where it is there. */
export function runActive<T>(span: Span, fn: (span: Span) => T): T {
  const foreign = manager()
  if (!foreign) return active.run(span, fn, span)
  const context = foreign.active().setValue(SPAN, new BridgedSpan(span))
  return active.run(span, () => foreign.with(context, () => fn(span)))
}

/** Calls `fn` below the span that the header names, for us and for OpenTelemetry where it is there. */
export function within<T>(traceparent: string | null | undefined, fn: () => T): T {
  return below(traceparent ? parseTraceparent(traceparent) : undefined, fn)
}

/** The same below a span that is elsewhere. */
export function below<T>(context: SpanContext | undefined, fn: () => T): T {
  if (!context) return fn()
  const foreign = manager()
  if (!foreign) return active.run(context, fn)
  const { traceId, spanId, flags, traceState } = context
  const state = traceState ? { traceState: new BridgedState(traceState) } : {}
  const remote = new RemoteSpan({ traceId, spanId, traceFlags: flags & 1, isRemote: true, ...state })
  return active.run(context, () => foreign.with(foreign.active().setValue(SPAN, remote), fn))
}

/** Our span in which this runs. */
export function activeSpan(): Span | undefined {
  const foreign = foreignSpan()
  if (foreign instanceof BridgedSpan) return foreign.ours
  const own = active.getStore()
  return own && 'spanContext' in own ? own : undefined
}

/** Whoever is the parent of what starts here: the innermost span, ours or OpenTelemetry's. */
export function activeParent(): Span | SpanContext | undefined {
  const foreign = foreignSpan()
  if (foreign instanceof BridgedSpan) return foreign.ours
  return contextOf(foreign) ?? active.getStore()
}

/** The header `traceparent` of what is active; undefined where nothing is. */
export function activeTraceparent(): string | undefined {
  const parent = activeParent()
  if (!parent) return undefined
  return formatTraceparent('context' in parent ? parent.context : parent)
}

function contextOf(foreign: unknown): SpanContext | undefined {
  if (typeof (foreign as ForeignSpan | undefined)?.spanContext !== 'function') return undefined
  const { traceId, spanId, traceFlags, traceState } = (foreign as ForeignSpan).spanContext()
  const state = traceState?.serialize()
  const context = { traceId, spanId, flags: traceFlags & 3, ...(state && { traceState: state }) }
  return isContext(context) ? context : undefined
}

/** Our span, as OpenTelemetry wants one. */
class BridgedSpan {
  constructor(readonly ours: Span) {}

  spanContext(): { traceId: string; spanId: string; traceFlags: number; traceState?: BridgedState } {
    const { traceId, spanId, flags, traceState } = this.ours.context
    return { traceId, spanId, traceFlags: flags & 1, ...(traceState && { traceState: new BridgedState(traceState) }) }
  }

  isRecording(): boolean {
    return this.ours.isRecording()
  }

  setAttribute(key: string, value: never): this {
    this.ours.setAttribute(key, value)
    return this
  }

  setAttributes(attributes: Attributes): this {
    this.ours.setAttributes(attributes)
    return this
  }

  addEvent(name: string, attributes?: Attributes): this {
    // The second argument may be a time.
    const given = typeof attributes === 'object' && !(attributes instanceof Date) && !Array.isArray(attributes)
    this.ours.addEvent(name, given ? attributes : undefined)
    return this
  }

  addLink({ context, attributes }: { context: { traceId: string; spanId: string; traceFlags: number } } & Omit<SpanLink, 'context'>): this {
    const { traceId, spanId, traceFlags } = context
    this.ours.addLink({ context: { traceId, spanId, flags: traceFlags }, ...(attributes && { attributes }) })
    return this
  }

  addLinks(links: never[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus(status: SpanStatus): this {
    this.ours.setStatus(status)
    return this
  }

  /** The name of ours stays. */
  updateName(): this {
    return this
  }

  recordException(exception: unknown): void {
    this.ours.recordException(exception)
  }

  end(): void {
    this.ours.end()
  }
}

/** A span of the engine, as OpenTelemetry wants one that is elsewhere. */
class RemoteSpan {
  constructor(private readonly context: { traceId: string; spanId: string; traceFlags: number; isRemote: boolean }) {}

  spanContext(): { traceId: string; spanId: string; traceFlags: number; isRemote: boolean } {
    return this.context
  }

  isRecording(): boolean {
    return false
  }

  setAttribute = (): this => this
  setAttributes = (): this => this
  addEvent = (): this => this
  addLink = (): this => this
  addLinks = (): this => this
  setStatus = (): this => this
  updateName = (): this => this
  recordException = (): void => {}
  end = (): void => {}
}

/** What other tracers carry along, unchanged. */
class BridgedState {
  constructor(private readonly header: string) {}

  serialize(): string {
    return this.header
  }

  get(key: string): string | undefined {
    const member = this.header.split(',').find((one) => one.trim().startsWith(`${key}=`))
    return member?.slice(member.indexOf('=') + 1).trim()
  }

  set(): this {
    return this
  }

  unset(): this {
    return this
  }
}
