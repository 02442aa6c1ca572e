import type { JobOptions } from './job.js'
import { activeParent, below } from './tracer-active.js'
import { carryTracestate, formatBaggage, formatTraceparent, parseBaggage, parseTraceparent } from './tracer-context.js'
import { Span } from './tracer-span.js'

type Trace = NonNullable<JobOptions['trace']>

/** What is active here, ours or OpenTelemetry's, as it is stored with a job; undefined where nothing is. */
export function activeTrace(): Trace | undefined {
  const parent = activeParent()
  if (!parent) return undefined
  const context = parent instanceof Span ? parent.context : parent
  const tracestate = context.traceState ? carryTracestate(context.traceState) : ''
  const baggage = context.baggage ? formatBaggage(context.baggage) : ''
  return { traceparent: formatTraceparent(context), ...(tracestate && { tracestate }), ...(baggage && { baggage }) }
}

/** Calls `fn` with the trace of a job active, for our spans and for OpenTelemetry's. */
export function inTrace<T>(trace: Trace | undefined, fn: () => T): T {
  const parent = trace && parseTraceparent(trace.traceparent)
  if (!parent) return fn()
  const traceState = carryTracestate(trace.tracestate ?? '')
  const baggage = parseBaggage(trace.baggage ?? '')
  return below({ ...parent, ...(traceState && { traceState }), ...(baggage && { baggage }), remote: true }, fn)
}
