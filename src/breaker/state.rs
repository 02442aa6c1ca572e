//! The memory of a breaker and the steps that change it.

use super::metrics::Counters;
use super::outcome::{BreakerEvent, GENERATIONS, Outcome, Permit};
use super::phase::Phase;
use super::window::Window;

/// What a breaker remembers.
pub struct State {
    pub phase: Phase,
    /// Counts changes of state, so that a call that began before one cannot decide after it.
    pub generation: u32,
    pub next_id: u32,
    pub window: Window,
    pub counters: Counters,
}

impl State {
    pub fn enter(&mut self, phase: Phase) {
        self.generation = (self.generation + 1) % GENERATIONS;
        self.phase = phase;
    }

    pub fn half_open_when_due(&mut self, now: u64) -> bool {
        let due = matches!(self.phase, Phase::Open { until: Some(until) } if until <= now);
        if due {
            self.enter(Phase::HalfOpen {
                successes: 0,
                trials: Vec::new(),
            });
        }
        due
    }

    pub fn count(&mut self, outcome: Outcome, now: u64) -> Vec<BreakerEvent> {
        let counters = &mut self.counters;
        match outcome {
            Outcome::Ignored => return Vec::new(),
            Outcome::Success => {
                counters.successes += 1;
                counters.last_success_at = Some(now);
                return vec![BreakerEvent::Success];
            }
            Outcome::Failure | Outcome::Timeout => {}
        }
        counters.failures += 1;
        counters.last_failure_at = Some(now);
        if outcome == Outcome::Timeout {
            counters.timeouts += 1;
            return vec![BreakerEvent::Timeout, BreakerEvent::Failure];
        }
        vec![BreakerEvent::Failure]
    }

    /// Gives the place of a trial back; false where its lease ran out or it is none.
    pub fn end_trial(&mut self, permit: &Permit, now: u64) -> bool {
        let Phase::HalfOpen { trials, .. } = &mut self.phase else {
            return false;
        };
        if permit.generation != self.generation {
            return false;
        }
        let held = trials.iter().any(|trial| trial.id == permit.id && trial.until > now);
        trials.retain(|trial| trial.id != permit.id);
        held
    }
}
