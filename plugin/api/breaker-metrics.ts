import type { BreakerCounts } from '#native'

export type CircuitState = 'closed' | 'open' | 'half-open'

/** Counts since the start or the last reset; percentages, average and percentiles of the rolling window. */
export interface CircuitBreakerMetrics {
  /** Every call, refused ones and those under way too. */
  totalRequests: number
  successfulRequests: number
  /** Failed calls, with those that took too long. */
  failedRequests: number
  rejectedRequests: number
  timeouts: number
  /** Calls under way now. */
  activeRequests: number
  /** Milliseconds since 1970. */
  lastFailureTime?: number
  /** Milliseconds since 1970. */
  lastSuccessTime?: number
  state: CircuitState
  errorPercentage: number
  slowCallPercentage: number
  /** Milliseconds. */
  averageResponseTime: number
  /** Milliseconds, at most a sixteenth off. */
  percentiles: { p50: number; p90: number; p95: number; p99: number }
}

/** The engine's counts with what the shim knows: calls under way, and the wall clock. */
export function metricsOf(
  counts: BreakerCounts,
  state: CircuitState,
  running: number,
  trials: number,
  now: number,
): CircuitBreakerMetrics {
  const wall = (at: number) => Math.round(Date.now() - (now - at))
  const { lastFailureAt, lastSuccessAt, p50, p90, p95, p99 } = counts
  return {
    // A trial is counted when it starts, a call of a closed breaker when it ends.
    totalRequests: counts.totalRequests + running,
    successfulRequests: counts.successfulRequests,
    failedRequests: counts.failedRequests,
    rejectedRequests: counts.rejectedRequests,
    timeouts: counts.timeouts,
    activeRequests: running + trials,
    ...(lastFailureAt != null && { lastFailureTime: wall(lastFailureAt) }),
    ...(lastSuccessAt != null && { lastSuccessTime: wall(lastSuccessAt) }),
    state,
    errorPercentage: counts.errorPercentage,
    slowCallPercentage: counts.slowCallPercentage,
    averageResponseTime: counts.averageResponseTime,
    percentiles: { p50, p90, p95, p99 },
  }
}
