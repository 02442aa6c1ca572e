import { monitorEventLoopDelay, performance, type EventLoopUtilization, type IntervalHistogram } from 'node:perf_hooks'
import { CircuitBreaker } from './breaker.js'
import { CircuitBreakerFactory } from './breaker-factory.js'
import { invalid } from './breaker-options.js'

/** What only JavaScript knows of this process, for the engine's metrics. Times are seconds. */
export interface NearMetrics {
  breakers: { name: string; state: string; success: number; failure: number; timeout: number; rejected: number }[]
  eventLoop?: { p50: number; p90: number; p99: number; max: number; utilization: number }
  heap: { used: number; total: number; external: number }
}

const observed = new Set<CircuitBreaker | CircuitBreakerFactory>()

/** Milliseconds between two looks at the loop. */
const RESOLUTION = 20

let delay: IntervalHistogram | undefined
let utilization: EventLoopUtilization | undefined

/**
 * Shows a circuit breaker of your own, or all of a factory, in the metrics of this process's engines
 * (`engine.metricsText()`, `GET /auton8n/metrics`). Answers the way to take it out again.
 */
export function observeBreakers(breakers: CircuitBreaker | CircuitBreakerFactory): () => void {
  if (!(breakers instanceof CircuitBreaker) && !(breakers instanceof CircuitBreakerFactory)) {
    throw invalid('observeBreakers() needs a circuit breaker or a factory')
  }
  observed.add(breakers)
  return () => void observed.delete(breakers)
}

/** Everything at this time; how late the loop was counts anew from here. */
export function nearMetrics(): NearMetrics {
  const { heapUsed: used, heapTotal: total, external } = process.memoryUsage()
  const loop = eventLoop()
  return { breakers: breakersNow(), ...(loop && { eventLoop: loop }), heap: { used, total, external } }
}

function breakersNow(): NearMetrics['breakers'] {
  const found = new Map<string, CircuitBreaker>()
  for (const one of observed) {
    for (const breaker of one instanceof CircuitBreaker ? [one] : one.getAllBreakers().values()) {
      // A name is a label: of two breakers of one name the first one is told, and the engine's own is `model`.
      if (breaker.name !== 'model' && !found.has(breaker.name)) found.set(breaker.name, breaker)
    }
  }
  return [...found.values()].map((breaker) => {
    const { state, successfulRequests, failedRequests, timeouts, rejectedRequests } = breaker.getMetrics()
    return {
      name: breaker.name,
      state,
      success: successfulRequests,
      failure: failedRequests,
      timeout: timeouts,
      rejected: rejectedRequests,
    }
  })
}

/** Measured from the first time that it is asked for: whoever reads no metrics pays nothing. */
function eventLoop(): NearMetrics['eventLoop'] {
  if (!delay) {
    delay = monitorEventLoopDelay?.({ resolution: RESOLUTION })
    delay?.enable()
    utilization = performance.eventLoopUtilization?.()
    return undefined
  }
  // The histogram has the whole time between two looks, in nanoseconds.
  const late = (nanoseconds: number): number => Math.max(0, (nanoseconds || 0) / 1e9 - RESOLUTION / 1e3)
  const since = performance.eventLoopUtilization?.(utilization)
  utilization = performance.eventLoopUtilization?.()
  const found = {
    p50: late(delay.percentile(50)),
    p90: late(delay.percentile(90)),
    p99: late(delay.percentile(99)),
    max: late(delay.max),
    utilization: since?.utilization ?? 0,
  }
  delay.reset()
  return found
}
