//! Random histories of the state machine against a plain model of it, with a clock turned by hand.

use proptest::prelude::*;

use super::{Breaker, BreakerEvent, BreakerOptions, BreakerState, Outcome, Permit};

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Acquire,
    End {
        which: usize,
        outcome: Outcome,
        duration: f64,
        retry_after: Option<u64>,
    },
    Poll,
    /// Another process goes on, so long after.
    Restart(u64),
    ForceOpen,
    ForceClose,
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => Just(Outcome::Timeout),
        1 => Just(Outcome::Ignored)
    ];
    let end = (
        0_usize..8,
        outcome,
        prop_oneof![Just(1.0), Just(80.0)],
        prop_oneof![9 => Just(None), 1 => Just(Some(900_u64))],
    )
        .prop_map(|(which, outcome, duration, retry_after)| Step::End {
            which,
            outcome,
            duration,
            retry_after,
        });
    let step = prop_oneof![
        3 => (0_u64..150).prop_map(Step::Wait),
        8 => Just(Step::Acquire),
        8 => end,
        1 => Just(Step::Poll),
        1 => (0_u64..200).prop_map(Step::Restart),
        1 => prop_oneof![3 => Just(Step::ForceClose), 1 => Just(Step::ForceOpen), 1 => Just(Step::Reset)],
    ];
    prop::collection::vec(step, 0..200)
}

/// The rules of the contract, written as slowly and as plainly as possible.
struct Model {
    options: BreakerOptions,
    state: BreakerState,
    era: u64,
    open_until: u64,
    in_a_row: u32,
    /// Time, failed, slow of every call of this era of being closed.
    calls: Vec<(u64, bool, bool)>,
    good_trials: u32,
    reopenings: u32,
    trials: Vec<(u32, u64)>,
    totals: [u64; 5],
}

impl Model {
    fn enter(&mut self, state: BreakerState) {
        self.state = state;
        self.era += 1;
        self.in_a_row = 0;
        self.good_trials = 0;
        self.trials.clear();
        if state == BreakerState::Closed {
            self.reopenings = 0;
            self.calls.clear();
        }
    }

    /// Twice as long after each failed trial, but never above 1,000.
    fn open_time(&self) -> u64 {
        (0..self.reopenings).fold(self.options.reset_timeout, |time, _| (time * 2).min(1_000))
    }

    fn poll(&mut self, now: u64) -> bool {
        let due = self.state == BreakerState::Open && now >= self.open_until;
        if due {
            self.enter(BreakerState::HalfOpen);
        }
        due
    }

    fn acquire(&mut self, id: u32, now: u64) -> bool {
        self.poll(now);
        self.totals[0] += 1;
        let allowed = match self.state {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            BreakerState::HalfOpen => {
                self.trials.retain(|(_, until)| now < *until);
                let free = self.trials.len() < self.options.half_open_max as usize;
                if free {
                    self.trials.push((id, now + self.options.lease_ms()));
                }
                free
            }
        };
        self.totals[3] += u64::from(!allowed);
        allowed
    }

    fn end(
        &mut self,
        id: u32,
        era: u64,
        outcome: Outcome,
        duration: f64,
        retry: Option<u64>,
        now: u64,
    ) -> Vec<BreakerEvent> {
        let failed = matches!(outcome, Outcome::Failure | Outcome::Timeout);
        let mut events = match outcome {
            Outcome::Success => vec![BreakerEvent::Success],
            Outcome::Failure => vec![BreakerEvent::Failure],
            Outcome::Timeout => vec![BreakerEvent::Timeout, BreakerEvent::Failure],
            Outcome::Ignored => vec![],
        };
        self.totals[1] += u64::from(outcome == Outcome::Success);
        self.totals[2] += u64::from(failed);
        self.totals[4] += u64::from(outcome == Outcome::Timeout);
        let is_trial = era == self.era && self.trials.iter().any(|(trial, until)| *trial == id && now < *until);
        if era == self.era {
            self.trials.retain(|(trial, _)| *trial != id);
        }
        if era != self.era || outcome == Outcome::Ignored {
            return events;
        }
        self.calls.push((now, failed, duration >= 50.0));
        let mut open = false;
        if self.state == BreakerState::Closed {
            self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
            let width = self.options.rolling_window_size / 10;
            let inside: Vec<_> = match self.options.rolling_window_calls {
                Some(most) => self.calls.iter().rev().take(most as usize).collect(),
                None => self
                    .calls
                    .iter()
                    .filter(|(at, ..)| at / width + 10 > now / width)
                    .collect(),
            };
            let volume = self
                .options
                .volume_threshold
                .min(self.options.rolling_window_calls.unwrap_or(u32::MAX));
            let share = |part: usize| part as f64 * 100.0 / inside.len() as f64;
            let failures = inside.iter().filter(|(_, failed, _)| *failed).count();
            let slow = inside.iter().filter(|(.., slow)| *slow).count();
            open = self.in_a_row >= self.options.failure_threshold
                || inside.len() >= volume as usize && (share(failures) >= 50.0 || share(slow) >= 80.0);
        } else if is_trial && failed {
            open = true;
        } else if is_trial {
            self.good_trials += 1;
            if self.good_trials == self.options.success_threshold {
                self.enter(BreakerState::Closed);
                events.push(BreakerEvent::Close);
            }
        }
        if open {
            self.reopenings = if self.state == BreakerState::HalfOpen {
                self.reopenings + 1
            } else {
                0
            };
            self.enter(BreakerState::Open);
            self.open_until = now + self.open_time().max(retry.unwrap_or(0));
            events.push(BreakerEvent::Open);
        }
        events
    }
}

fn options() -> impl Strategy<Value = BreakerOptions> {
    let calls = prop_oneof![Just(None), (1_u32..15).prop_map(Some)];
    (1_u32..6, 1_u32..4, 1_u32..12, 1_u32..4, calls).prop_map(|(failures, successes, volume, half_open_max, calls)| {
        BreakerOptions {
            rolling_window_calls: calls,
            reset_backoff: 2.0,
            reset_timeout_max: Some(1_000),
            failure_threshold: failures,
            success_threshold: successes,
            volume_threshold: volume,
            half_open_max,
            reset_timeout: 300,
            rolling_window_size: 1_000,
            timeout: 100,
            slow_call_duration: Some(50),
            slow_call_percentage: Some(80.0),
            ..BreakerOptions::default()
        }
    })
}

/// Hands gathered successes over, as the border does.
fn tell(breaker: &Breaker, batch: &mut Vec<f64>, at: u64) {
    // One millisecond lies six doublings above the smallest.
    let cells = vec![6 * 8 + 1; batch.len()];
    breaker.record_successes(&cells, batch.drain(..).sum(), at);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn it_behaves_like_the_plain_model(options in options(), steps in steps()) {
        let mut breaker = Breaker::new("model", options.clone()).unwrap();
        let mut model = Model {
            options, state: BreakerState::Closed, era: 0, open_until: 0, in_a_row: 0, calls: Vec::new(),
            good_trials: 0, reopenings: 0, trials: Vec::new(), totals: [0; 5],
        };
        let mut now = 5_000_u64;
        let mut held: Vec<(Permit, u32, u64)> = Vec::new();
        let mut next_id = 0;
        for step in steps {
            match step {
                Step::Wait(ms) => now += ms,
                Step::Poll => prop_assert_eq!(breaker.poll(now).is_some(), model.poll(now)),
                Step::Acquire => {
                    let got = breaker.try_acquire(now);
                    prop_assert_eq!(got.is_ok(), model.acquire(next_id, now));
                    if let Ok(permit) = got {
                        held.push((permit, next_id, model.era));
                        next_id += 1;
                    }
                }
                Step::End { which, outcome, duration, retry_after } => if !held.is_empty() {
                    let (permit, id, era) = held.remove(which % held.len());
                    let events = breaker.record_with(permit, outcome, duration, retry_after, now);
                    prop_assert_eq!(events, model.end(id, era, outcome, duration, retry_after, now));
                },
                Step::ForceOpen => {
                    breaker.force_open(now);
                    model.enter(BreakerState::Open);
                    model.open_until = now + model.open_time();
                }
                Step::Restart(away) => {
                    let kept = breaker.snapshot(now);
                    breaker = Breaker::new("model", model.options.clone()).unwrap();
                    now += away;
                    breaker.restore(kept, away, now);
                    held.clear();
                    let (was, reopenings) = (model.state, model.reopenings);
                    model.calls.clear();
                    model.totals = [0; 5];
                    model.enter(if was == BreakerState::HalfOpen { BreakerState::Open } else { was });
                    model.reopenings = reopenings;
                    model.open_until = if was == BreakerState::HalfOpen { now } else { model.open_until.max(now) };
                }
                Step::ForceClose => {
                    breaker.force_close();
                    model.enter(BreakerState::Closed);
                }
                Step::Reset => {
                    breaker.reset();
                    model.enter(BreakerState::Closed);
                    model.totals = [0; 5];
                }
            }
            prop_assert_eq!(breaker.state(), model.state);
            let found = breaker.metrics(now);
            let totals = [found.total_requests, found.successful_requests, found.failed_requests,
                found.rejected_requests, found.timeouts];
            prop_assert_eq!(totals, model.totals);
        }
    }

    #[test]
    fn gathered_successes_decide_like_single_ones(options in options(), story in prop::collection::vec((any::<bool>(), 0_u64..40), 0..150)) {
        let single = Breaker::new("single", options.clone()).unwrap();
        let gathering = Breaker::new("gathering", options).unwrap();
        let (mut now, mut batch, mut at) = (5_000_u64, Vec::new(), 0_u64);
        for (failed, wait) in story {
            now += wait;
            let outcome = if failed { Outcome::Failure } else { Outcome::Success };
            if let Ok(permit) = single.try_acquire(now) {
                single.record(permit, outcome, 1.0, now);
            }
            let width = gathering.bucket_ms();
            if !batch.is_empty() && at / width != now / width {
                tell(&gathering, &mut batch, at);
            }
            let room = if batch.is_empty() { gathering.harmless_successes(now) } else { gathering.harmless_successes(at) };
            if !failed && gathering.state() == BreakerState::Closed && (batch.len() as u64) < room {
                at = if batch.is_empty() { now } else { at };
                batch.push(1.0);
            } else {
                tell(&gathering, &mut batch, at.max(1));
                if let Ok(permit) = gathering.try_acquire(now) {
                    gathering.record(permit, outcome, 1.0, now);
                }
            }
            prop_assert_eq!(single.state(), gathering.state());
        }
    }
}

#[test]
fn a_trial_that_hangs_loses_its_place_and_its_say() {
    let breaker = Breaker::new(
        "b",
        BreakerOptions {
            reset_timeout: 10,
            success_threshold: 1,
            timeout: 50,
            ..Default::default()
        },
    )
    .unwrap();
    breaker.force_open(0);
    let hanging = breaker.try_acquire(10).unwrap();
    assert!(breaker.try_acquire(109).is_err());
    let second = breaker.try_acquire(110).unwrap();
    assert!(breaker.record(hanging, Outcome::Failure, 105.0, 115).len() == 1);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(
        breaker.record(second, Outcome::Success, 1.0, 116),
        [BreakerEvent::Success, BreakerEvent::Close]
    );
}

#[test]
fn an_isolated_breaker_stays_open_until_a_hand_closes_it() {
    let breaker = Breaker::new("b", BreakerOptions::default()).unwrap();
    assert_eq!(breaker.isolate(), Some(BreakerEvent::Open));
    assert_eq!(breaker.poll(u64::MAX), None);
    assert!(breaker.try_acquire(u64::MAX).is_err());
    assert_eq!(breaker.force_close(), Some(BreakerEvent::Close));
    assert!(breaker.try_acquire(0).is_ok());
}
