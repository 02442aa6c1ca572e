//! What of a breaker outlives its process.

use serde::{Deserialize, Serialize};

use super::machine::Breaker;
use super::phase::{BreakerState, Phase};

/// A breaker's state, without its window: after a restart only what was decided counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerSnapshot {
    pub state: BreakerState,
    /// Milliseconds that it would stay open; none where only a hand closes it.
    #[serde(default)]
    pub open_for: Option<u64>,
    /// How often in a row trials failed.
    #[serde(default)]
    pub reopenings: u32,
}

impl Breaker {
    /// What to keep.
    pub fn snapshot(&self, now: u64) -> BreakerSnapshot {
        let state = self.state.lock();
        let open_for = match state.phase {
            Phase::Open { until } => until.map(|until| until.saturating_sub(now)),
            Phase::HalfOpen { .. } => Some(0),
            Phase::Closed { .. } => None,
        };
        BreakerSnapshot {
            state: state.phase.state(),
            open_for,
            reopenings: state.reopenings,
        }
    }

    /// Goes on from what was kept `elapsed_ms` ago. Trials that were under way are over, so it opens for them anew.
    pub fn restore(&self, kept: BreakerSnapshot, elapsed_ms: u64, now: u64) {
        let state = &mut *self.state.lock();
        state.reopenings = kept.reopenings.min(1_000);
        let rest = kept.open_for.map(|ms| ms.min(86_400_000).saturating_sub(elapsed_ms));
        match kept.state {
            BreakerState::Closed => state.enter(Phase::CLOSED),
            BreakerState::Open => state.enter(Phase::Open {
                until: rest.map(|ms| now.saturating_add(ms)),
            }),
            BreakerState::HalfOpen => state.enter(Phase::Open { until: Some(now) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{BreakerOptions, Outcome};

    fn breaker() -> Breaker {
        let options = serde_json::json!({ "failureThreshold": 1, "resetTimeout": 1_000, "resetBackoff": 3 });
        Breaker::new("b", BreakerOptions::from_value(options).unwrap()).unwrap()
    }

    fn fail(breaker: &Breaker, now: u64) {
        let permit = breaker.try_acquire(now).unwrap();
        breaker.record(permit, Outcome::Failure, 1.0, now);
    }

    #[test]
    fn an_open_breaker_goes_on_where_it_was() {
        let first = breaker();
        fail(&first, 100);
        fail(&first, 1_100);
        let kept = first.snapshot(1_600);
        assert_eq!(
            kept,
            BreakerSnapshot {
                state: BreakerState::Open,
                open_for: Some(2_500),
                reopenings: 1
            }
        );
        let text = serde_json::to_string(&kept).unwrap();
        let second = breaker();
        second.restore(serde_json::from_str(&text).unwrap(), 500, 7);
        assert_eq!((second.state(), second.due_in(7)), (BreakerState::Open, Some(2_000)));
        fail(&second, 2_007);
        assert_eq!(second.due_in(2_007), Some(9_000));
    }

    #[test]
    fn an_isolated_one_stays_so_and_a_half_open_one_tries_again() {
        let first = breaker();
        first.isolate();
        let second = breaker();
        second.restore(first.snapshot(0), u64::MAX, 0);
        assert_eq!(second.poll(u64::MAX), None);
        first.force_open(0);
        assert!(first.poll(1_000).is_some());
        second.restore(first.snapshot(1_000), 0, 50);
        assert!(second.poll(50).is_some());
    }
}
