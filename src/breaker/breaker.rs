//! The state machine.

use parking_lot::Mutex;

use super::metrics::{BreakerMetrics, Counters};
use super::options::BreakerOptions;
use super::outcome::{BreakerEvent, Outcome, Permit};
use super::phase::{BreakerState, Phase, Trial};
use super::state::State;
use super::trip::TripRule;
use super::window::{Sums, Window};
use crate::error::{Code, Error, Result};

type Listener = Box<dyn Fn(&str, BreakerEvent) + Send + Sync>;

/// A circuit breaker. All its methods take monotonic milliseconds.
pub struct Breaker {
    name: String,
    pub(super) options: BreakerOptions,
    rule: TripRule,
    /// Where the chance of its open times begins.
    seed: u64,
    pub(super) state: Mutex<State>,
    listener: std::sync::OnceLock<Listener>,
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breaker")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Breaker {
    /// A closed breaker; options out of range are `OPTION_INVALID`.
    pub fn new(name: impl Into<String>, options: BreakerOptions) -> Result<Self> {
        options.check()?;
        let state = State {
            phase: Phase::CLOSED,
            generation: 0,
            next_id: 0,
            window: options
                .rolling_window_calls
                .map_or_else(|| Window::new(options.rolling_window_size), Window::of_calls),
            reopenings: 0,
            counters: Counters::default(),
        };
        Ok(Self {
            name: name.into(),
            rule: TripRule::new(&options),
            seed: fastrand::u64(..),
            options,
            state: Mutex::new(state),
            listener: std::sync::OnceLock::new(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn options(&self) -> &BreakerOptions {
        &self.options
    }

    /// The present state; it turns half-open at the next call or [`Breaker::poll`].
    pub fn state(&self) -> BreakerState {
        self.state.lock().phase.state()
    }

    /// Who hears the events of [`super::guard`]; only the first one set is kept.
    pub fn set_listener(&self, listener: impl Fn(&str, BreakerEvent) + Send + Sync + 'static) {
        // A second listener would silently hear half of the history.
        let _ = self.listener.set(Box::new(listener));
    }

    pub(super) fn tell(&self, events: &[BreakerEvent]) {
        if let Some(listener) = self.listener.get() {
            for event in events {
                listener(&self.name, *event);
            }
        }
    }

    /// Leave for a call, or `BREAKER_OPEN`. Turns half-open first when it is time: poll before it to
    /// hear of that.
    pub fn try_acquire(&self, now: u64) -> Result<Permit> {
        let state = &mut *self.state.lock();
        state.half_open_when_due(now);
        state.counters.total += 1;
        let id = state.next_id;
        let allowed = match &mut state.phase {
            Phase::Closed { .. } => true,
            Phase::Open { .. } => false,
            Phase::HalfOpen { trials, .. } => {
                trials.retain(|trial| trial.until > now);
                let free = trials.len() < self.options.half_open_max as usize;
                if free {
                    trials.push(Trial {
                        id,
                        until: now.saturating_add(self.options.lease_ms()),
                    });
                }
                free
            }
        };
        if allowed {
            state.next_id = state.next_id.wrapping_add(1);
            Ok(Permit {
                id,
                generation: state.generation,
            })
        } else {
            state.counters.rejected += 1;
            Err(Error::new(
                Code::BreakerOpen,
                format!("Circuit breaker '{}' is open", self.name),
            ))
        }
    }

    /// Takes the outcome of a call and tells what followed from it.
    #[allow(clippy::needless_pass_by_value, reason = "a permit is used up")]
    pub fn record(&self, permit: Permit, outcome: Outcome, duration_ms: f64, now: u64) -> Vec<BreakerEvent> {
        self.record_with(permit, outcome, duration_ms, None, now)
    }

    /// Like [`Breaker::record`]; where this failure opens it, it stays open at least `retry_after_ms`.
    #[allow(clippy::needless_pass_by_value, reason = "a permit is used up")]
    pub fn record_with(
        &self,
        permit: Permit,
        outcome: Outcome,
        duration_ms: f64,
        retry_after_ms: Option<u64>,
        now: u64,
    ) -> Vec<BreakerEvent> {
        let state = &mut *self.state.lock();
        let mut events = state.count(outcome, now);
        let trial = state.end_trial(&permit, now);
        if permit.generation != state.generation || outcome == Outcome::Ignored {
            return events;
        }
        let failed = outcome != Outcome::Success;
        let slow = self
            .options
            .slow_call_duration
            .is_some_and(|least| duration_ms >= least as f64);
        state.window.add(failed, slow, duration_ms, now);
        let sums = state.window.sums(now);
        let mut closes = false;
        let from_trial = matches!(state.phase, Phase::HalfOpen { .. });
        let opens = match &mut state.phase {
            Phase::Closed { failures_in_a_row } => {
                *failures_in_a_row = if failed { failures_in_a_row.saturating_add(1) } else { 0 };
                self.rule.trips(*failures_in_a_row, &sums)
            }
            Phase::Open { .. } => false,
            Phase::HalfOpen { successes, .. } => {
                if trial && !failed {
                    *successes += 1;
                    closes = *successes >= self.options.success_threshold;
                }
                trial && failed
            }
        };
        if opens {
            state.reopenings = if from_trial {
                state.reopenings.saturating_add(1)
            } else {
                0
            };
            let stays = self.open_ms(state).max(retry_after_ms.unwrap_or(0).min(86_400_000));
            state.enter(Phase::Open {
                until: Some(now.saturating_add(stays)),
            });
            events.push(BreakerEvent::Open);
        } else if closes {
            state.window.clear();
            state.reopenings = 0;
            state.enter(Phase::CLOSED);
            events.push(BreakerEvent::Close);
        }
        events
    }

    /// How long it stays open now. Chance comes from its own seed, so that a history can be told again.
    pub(super) fn open_ms(&self, state: &State) -> u64 {
        let chance = fastrand::Rng::with_seed(self.seed ^ u64::from(state.generation)).f64();
        self.options.open_ms(state.reopenings, chance)
    }

    /// Counts a call that began without a permit and ended after the state had changed: it has no say.
    pub fn record_late(&self, outcome: Outcome, now: u64) {
        let state = &mut *self.state.lock();
        state.counters.total += 1;
        state.count(outcome, now);
    }

    /// Counts calls that a caller refused by itself, knowing that it is open.
    pub fn record_rejected(&self, count: u64) {
        let state = &mut *self.state.lock();
        state.counters.total += count;
        state.counters.rejected += count;
    }

    /// Takes successes that a caller gathered while closed, none more than [`Breaker::harmless_successes`]
    /// and none slow: the cell of the histogram of each, and how long they took together. They count like
    /// permits taken and recorded at `now`.
    pub fn record_successes(&self, cells: &[u8], total_ms: f64, now: u64) {
        let count = cells.len() as u64;
        if count == 0 {
            return;
        }
        let state = &mut *self.state.lock();
        state.counters.total += count;
        state.counters.successes += count;
        state.counters.last_success_at = Some(now);
        if let Phase::Closed { failures_in_a_row } = &mut state.phase {
            *failures_in_a_row = 0;
            state.window.add_successes(cells, total_ms, now);
        }
    }

    /// How many fast successes a caller may gather before telling; 0 where each one matters.
    pub fn harmless_successes(&self, now: u64) -> u64 {
        let state = &mut *self.state.lock();
        let sums: Sums = state.window.sums(now);
        if state.phase.state() == BreakerState::Closed {
            self.rule.harmless_successes(&sums)
        } else {
            0
        }
    }

    /// Milliseconds of the buckets in which gathered successes must not mix.
    pub fn bucket_ms(&self) -> u64 {
        self.state.lock().window.width_ms()
    }

    /// Turns half-open when `resetTimeout` has passed.
    pub fn poll(&self, now: u64) -> Option<BreakerEvent> {
        self.state
            .lock()
            .half_open_when_due(now)
            .then_some(BreakerEvent::HalfOpen)
    }

    /// Milliseconds until it turns half-open; `None` where it will not by itself.
    pub fn due_in(&self, now: u64) -> Option<u64> {
        match self.state.lock().phase {
            Phase::Open { until } => until.map(|until| until.saturating_sub(now)),
            _ => None,
        }
    }

    /// What it counted.
    pub fn metrics(&self, now: u64) -> BreakerMetrics {
        let state = &mut *self.state.lock();
        let sums = state.window.sums(now);
        let counters = state.counters;
        BreakerMetrics {
            total_requests: counters.total,
            successful_requests: counters.successes,
            failed_requests: counters.failures,
            rejected_requests: counters.rejected,
            timeouts: counters.timeouts,
            last_failure_at: counters.last_failure_at,
            last_success_at: counters.last_success_at,
            state: state.phase.state(),
            error_percentage: sums.error_percentage(),
            slow_call_percentage: sums.slow_percentage(),
            average_response_time: sums.average_ms(),
            percentiles: state.window.times(now).percentiles(),
        }
    }
}
