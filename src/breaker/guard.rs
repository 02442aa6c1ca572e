//! A guarded call for Rust.

use std::future::Future;
use std::time::Duration;

use super::machine::Breaker;
use super::outcome::{BreakerEvent, Outcome, Permit};
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};

/// Runs `call` behind the breaker, for at most `timeout`.
///
/// It is `BREAKER_OPEN` when refused and `TIMEOUT` when it took too long (the call is dropped). Other
/// errors come back as they are, and `classify` says what each means; a failure whose details have
/// `retryAfterMs` lengthens the open time. A future that is dropped gives its place back.
pub async fn guard<T>(
    breaker: &Breaker,
    clock: &SharedClock,
    timeout: Duration,
    call: impl Future<Output = Result<T>>,
    classify: impl Fn(&Error) -> Outcome,
) -> Result<T> {
    let started = clock.monotonic_ms();
    if let Some(event) = breaker.poll(started) {
        breaker.tell(&[event]);
    }
    let permit = breaker
        .try_acquire(started)
        .inspect_err(|_| breaker.tell(&[BreakerEvent::Rejected]))?;
    let mut held = Held {
        breaker,
        clock,
        started,
        permit: Some(permit),
    };
    let Ok(result) = tokio::time::timeout(timeout, call).await else {
        held.end(Outcome::Timeout, None);
        let ms = timeout.as_millis();
        return Err(Error::new(Code::Timeout, format!("Operation timed out after {ms} ms")));
    };
    match &result {
        Ok(_) => held.end(Outcome::Success, None),
        Err(error) => held.end(classify(error), error.details()["retryAfterMs"].as_u64()),
    }
    result
}

/// A permit that is given back in every case.
struct Held<'a> {
    breaker: &'a Breaker,
    clock: &'a SharedClock,
    started: u64,
    permit: Option<Permit>,
}

impl Held<'_> {
    fn end(&mut self, outcome: Outcome, retry_after_ms: Option<u64>) {
        if let Some(permit) = self.permit.take() {
            let now = self.clock.monotonic_ms();
            let duration = now.saturating_sub(self.started) as f64;
            let events = self.breaker.record_with(permit, outcome, duration, retry_after_ms, now);
            self.breaker.tell(&events);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.end(Outcome::Ignored, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::BreakerEvent::{Close, Failure, HalfOpen, Open, Rejected, Success};
    use crate::breaker::{BreakerOptions, BreakerState};
    use crate::clock::ManualClock;
    use std::sync::Arc;

    fn breaker(options: BreakerOptions) -> (Breaker, Arc<ManualClock>, SharedClock) {
        let clock = ManualClock::at(1_000);
        let shared: SharedClock = clock.clone();
        (Breaker::new("model", options).unwrap(), clock, shared)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_times_out_and_a_hanging_one_is_dropped() {
        let (breaker, _, clock) = breaker(BreakerOptions {
            failure_threshold: 1,
            ..Default::default()
        });
        let call = std::future::pending::<Result<()>>();
        let error = guard(&breaker, &clock, Duration::from_millis(50), call, |_| Outcome::Failure)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (Code::Timeout, "Operation timed out after 50 ms")
        );
        assert_eq!(breaker.state(), BreakerState::Open);
        let refused = guard(&breaker, &clock, LONG, async { Ok(1) }, |_| Outcome::Failure)
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (Code::BreakerOpen, "Circuit breaker 'model' is open")
        );
        assert_eq!(breaker.metrics(0).timeouts, 1);
    }

    #[tokio::test]
    async fn retry_after_lengthens_the_open_time_and_ignored_errors_do_not_count() {
        let (breaker, clock, shared) = breaker(BreakerOptions {
            failure_threshold: 1,
            success_threshold: 1,
            reset_timeout: 100,
            ..Default::default()
        });
        let heard = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        breaker.set_listener(move |_, event| ear.lock().push(event));
        let wrong = async { Err::<(), _>(Error::new(Code::ModelUnauthorized, "401")) };
        assert!(
            guard(&breaker, &shared, LONG, wrong, |_| Outcome::Ignored)
                .await
                .is_err()
        );
        assert_eq!(breaker.state(), BreakerState::Closed);
        let busy = async {
            let details = serde_json::json!({ "retryAfterMs": 5_000 });
            Err::<(), _>(Error::new(Code::ModelRateLimited, "429").with_details(details))
        };
        assert!(
            guard(&breaker, &shared, LONG, busy, |_| Outcome::Failure)
                .await
                .is_err()
        );
        clock.advance(4_999);
        assert!(
            guard(&breaker, &shared, LONG, async { Ok(()) }, |_| { Outcome::Failure })
                .await
                .is_err()
        );
        clock.advance(1);
        assert!(
            guard(&breaker, &shared, LONG, async { Ok(()) }, |_| { Outcome::Failure })
                .await
                .is_ok()
        );
        assert_eq!(*heard.lock(), [Failure, Open, Rejected, HalfOpen, Success, Close]);
    }

    #[tokio::test]
    async fn a_dropped_trial_gives_its_place_back() {
        let (breaker, clock, shared) = breaker(BreakerOptions {
            reset_timeout: 10,
            ..Default::default()
        });
        breaker.force_open(1_000);
        clock.advance(10);
        let hanging = guard(&breaker, &shared, LONG, std::future::pending::<Result<()>>(), |_| {
            Outcome::Failure
        });
        assert!(futures_util::poll!(Box::pin(hanging)).is_pending());
        assert!(
            guard(&breaker, &shared, LONG, async { Ok(()) }, |_| { Outcome::Failure })
                .await
                .is_ok()
        );
    }
}
