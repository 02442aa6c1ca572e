//! The breaker, as JavaScript sees it.
//!
//! The guarded function is called in JavaScript; one call here costs a fraction of a microsecond, and
//! successes of a quiet closed breaker arrive in batches.

use std::sync::Arc;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use serde_json::Value;

use super::error::BorderError;
use crate::breaker::{Breaker, BreakerMetrics, BreakerOptions, BreakerSnapshot, BreakerState, Outcome, Permit};
use crate::error::{Code, Error};

/// Checks options of a breaker without making one.
#[napi(catch_unwind)]
pub fn check_breaker_options(options: Value) -> Result<(), BorderError> {
    BreakerOptions::from_value(options)?;
    Ok(())
}

/// What a breaker counted; times are monotonic milliseconds of the caller.
#[napi(object, object_from_js = false)]
pub struct BreakerCounts {
    pub total_requests: i64,
    pub successful_requests: i64,
    pub failed_requests: i64,
    pub rejected_requests: i64,
    pub timeouts: i64,
    pub last_failure_at: Option<i64>,
    pub last_success_at: Option<i64>,
    pub error_percentage: f64,
    pub slow_call_percentage: f64,
    pub average_response_time: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
}

impl From<BreakerMetrics> for BreakerCounts {
    fn from(metrics: BreakerMetrics) -> Self {
        Self {
            total_requests: metrics.total_requests as i64,
            successful_requests: metrics.successful_requests as i64,
            failed_requests: metrics.failed_requests as i64,
            rejected_requests: metrics.rejected_requests as i64,
            timeouts: metrics.timeouts as i64,
            last_failure_at: metrics.last_failure_at.map(|at| at as i64),
            last_success_at: metrics.last_success_at.map(|at| at as i64),
            error_percentage: metrics.error_percentage,
            slow_call_percentage: metrics.slow_call_percentage,
            average_response_time: metrics.average_response_time,
            p50: metrics.percentiles.p50,
            p90: metrics.percentiles.p90,
            p95: metrics.percentiles.p95,
            p99: metrics.percentiles.p99,
        }
    }
}

/// The state machine of one breaker. `now` is monotonic milliseconds; states are 0 closed, 1 open,
/// 2 half-open.
#[napi]
pub struct BreakerHandle {
    inner: Arc<Breaker>,
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl BreakerHandle {
    #[napi(constructor, catch_unwind)]
    pub fn new(name: String, options: Value) -> Result<Self, BorderError> {
        let inner = Arc::new(Breaker::new(name, BreakerOptions::from_value(options)?)?);
        Ok(Self { inner })
    }

    /// Milliseconds of the buckets in which gathered successes must not mix.
    #[napi(catch_unwind)]
    pub fn bucket_ms(&self) -> f64 {
        self.inner.bucket_ms() as f64
    }

    /// The permit, or -1 when refused.
    #[napi(catch_unwind)]
    pub fn acquire(&self, now: f64) -> f64 {
        self.inner.try_acquire(now as u64).map_or(-1.0, packed)
    }

    /// Takes the outcome of a permit (0 success, 1 failure, 2 timeout, 3 ignored).
    #[napi(catch_unwind)]
    pub fn record(&self, permit: f64, outcome: u32, duration: f64, retry_after: f64, now: f64) -> u32 {
        let retry_after = (retry_after > 0.0).then_some(retry_after as u64);
        self.inner
            .record_with(unpacked(permit), outcome_of(outcome), duration, retry_after, now as u64);
        self.standing(now)
    }

    /// Takes the outcome of a call that began and ended in the present closed state.
    #[napi(catch_unwind)]
    pub fn record_closed(&self, outcome: u32, duration: f64, retry_after: f64, now: f64) -> u32 {
        match self.inner.try_acquire(now as u64) {
            Ok(permit) => self.record(packed(permit), outcome, duration, retry_after, now),
            Err(_) => self.standing(now),
        }
    }

    /// Takes the outcome of a call that began closed and ended after a change of state.
    #[napi(catch_unwind)]
    pub fn record_late(&self, outcome: u32, now: f64) {
        self.inner.record_late(outcome_of(outcome), now as u64);
    }

    /// Counts calls that were refused while it was known to be open.
    #[napi(catch_unwind)]
    pub fn record_rejected(&self, count: u32) {
        self.inner.record_rejected(u64::from(count));
    }

    /// Takes `count` gathered successes, which began at `at`: the cell of the histogram of each, and their
    /// milliseconds together.
    #[napi(catch_unwind)]
    pub fn record_successes(&self, cells: Uint8Array, count: u32, total: f64, at: f64, now: f64) -> u32 {
        let cells = cells.get(..count as usize).unwrap_or_default();
        self.inner.record_successes(cells, total, at as u64);
        self.standing(now)
    }

    /// The state in the lowest two bits, above them how many successes may be gathered.
    #[napi(catch_unwind)]
    pub fn standing(&self, now: f64) -> u32 {
        (self.inner.harmless_successes(now as u64).min(1_000) as u32) << 2 | self.state()
    }

    /// Turns half-open when it is time and answers the state.
    #[napi(catch_unwind)]
    pub fn poll(&self, now: f64) -> u32 {
        self.inner.poll(now as u64);
        self.state()
    }

    /// The state.
    #[napi(catch_unwind)]
    pub fn state(&self) -> u32 {
        match self.inner.state() {
            BreakerState::Closed => 0,
            BreakerState::Open => 1,
            BreakerState::HalfOpen => 2,
        }
    }

    /// Milliseconds until it turns half-open, or -1.
    #[napi(catch_unwind)]
    pub fn due_in(&self, now: f64) -> f64 {
        self.inner.due_in(now as u64).map_or(-1.0, |ms| ms as f64)
    }

    #[napi(catch_unwind)]
    pub fn force_open(&self, now: f64) {
        self.inner.force_open(now as u64);
    }

    #[napi(catch_unwind)]
    pub fn isolate(&self) {
        self.inner.isolate();
    }

    #[napi(catch_unwind)]
    pub fn force_close(&self) {
        self.inner.force_close();
    }

    #[napi(catch_unwind)]
    pub fn reset(&self) {
        self.inner.reset();
    }

    /// What to keep for another process: state, `openFor` and `reopenings`.
    #[napi(catch_unwind)]
    pub fn snapshot(&self, now: f64) -> Value {
        serde_json::json!(self.inner.snapshot(now as u64))
    }

    /// Goes on from what was kept `elapsed` milliseconds ago.
    #[napi(catch_unwind)]
    pub fn restore(&self, kept: Value, elapsed: f64, now: f64) -> Result<(), BorderError> {
        let kept: BreakerSnapshot = serde_json::from_value(kept).map_err(|error| {
            Error::new(
                Code::OptionInvalid,
                format!("Circuit breaker option initialState: {error}"),
            )
        })?;
        self.inner.restore(kept, elapsed as u64, now as u64);
        Ok(())
    }

    #[napi(catch_unwind)]
    pub fn metrics(&self, now: f64) -> BreakerCounts {
        self.inner.metrics(now as u64).into()
    }
}

const fn outcome_of(number: u32) -> Outcome {
    match number {
        0 => Outcome::Success,
        1 => Outcome::Failure,
        2 => Outcome::Timeout,
        _ => Outcome::Ignored,
    }
}

/// A permit has 20 and 32 bits, so a JavaScript number holds it.
fn packed(permit: Permit) -> f64 {
    let (id, generation) = permit.into_parts();
    (u64::from(generation) << 32 | u64::from(id)) as f64
}

fn unpacked(packed: f64) -> Permit {
    let packed = packed as u64;
    Permit::from_parts(packed as u32, (packed >> 32) as u32)
}
