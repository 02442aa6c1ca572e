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
