//! What a breaker counted.

use super::histogram::Percentiles;
use super::phase::BreakerState;

/// Counts since the start or the last reset; percentage, average and percentiles of the window.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerMetrics {
    /// Every call, refused ones too.
    pub total_requests: u64,
    pub successful_requests: u64,
    /// Failed calls, with those that took too long.
    pub failed_requests: u64,
    pub rejected_requests: u64,
    pub timeouts: u64,
    /// Monotonic milliseconds of the last failure.
    pub last_failure_at: Option<u64>,
    /// Monotonic milliseconds of the last success.
    pub last_success_at: Option<u64>,
    pub state: BreakerState,
    pub error_percentage: f64,
    pub slow_call_percentage: f64,
    pub average_response_time: f64,
    pub percentiles: Percentiles,
}

/// Counts since the start or the last reset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub total: u64,
    pub successes: u64,
    pub failures: u64,
    pub rejected: u64,
    pub timeouts: u64,
    pub last_failure_at: Option<u64>,
    pub last_success_at: Option<u64>,
}
