//! A run that costs no task of its own: its handler takes many at once, and ends them by their tickets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::attempt::{HAND_BACK, WIND_DOWN};
use super::core::Core;
use super::ends::{self, Ended};
use super::hub::Shared;
use super::reports::JobReporter;
use super::room::Slot;
use super::running::Stop;
use super::start::{Starter, Together};
use super::{AttemptError, Handler, Job, Reporter};
use crate::store::{Claim, Lease};

/// How a run ended.
pub type Outcome = Result<Value, AttemptError>;

/// A run of a job, until it is ended.
pub struct Ticket {
    job: Box<Job>,
    /// Its attempts that count, this one included.
    counted: u32,
    lease: Arc<Lease>,
    started: u64,
    starter: Arc<Starter>,
    handler: Arc<dyn Handler>,
    state: Mutex<State>,
    stopped: OnceLock<Stop>,
    number: OnceLock<u32>,
    reporter: OnceLock<Arc<JobReporter>>,
}

/// What a run holds of its worker.
pub struct Hold {
    pub slot: Slot,
    /// Its worker waits for it when it stops.
    pub _task: TaskTrackerToken,
}

enum State {
    Running(Hold),
    /// It was asked to stop; what it still answers is waited for.
    Stopping(oneshot::Sender<Outcome>),
    Over,
}

impl Ticket {
    pub(super) fn new(
        starter: &Arc<Starter>,
        handler: &Arc<dyn Handler>,
        claim: Claim,
        hold: Hold,
        started: u64,
    ) -> Arc<Self> {
        let Claim { job, fence, stalls } = claim;
        Arc::new(Self {
            counted: job.attempts.saturating_sub(stalls),
            lease: Arc::new(Lease {
                id: job.id.clone(),
                fence,
            }),
            job,
            started,
            starter: starter.clone(),
            handler: handler.clone(),
            state: Mutex::new(State::Running(hold)),
            stopped: OnceLock::new(),
            number: OnceLock::new(),
            reporter: OnceLock::new(),
        })
    }

    /// The job as it was claimed.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// What the handler calls it, to be given to `Handler::abort`; false where it was stopped before.
    pub fn call_it(&self, number: u32) -> bool {
        let _ = self.number.set(number);
        matches!(*self.state.lock(), State::Running(_))
    }

    /// What the run tells.
    pub fn reporter(&self) -> Arc<dyn Reporter> {
        self.reporter
            .get_or_init(|| {
                Arc::new(JobReporter {
                    reports: self.shared().reports.clone(),
                    core: self.core().clone(),
                    clock: self.shared().clock.clone(),
                    lease: (*self.lease).clone(),
                    name: self.job.name.clone(),
                    used: AtomicBool::new(false),
                    over: AtomicBool::new(false),
                })
            })
            .clone()
    }

    /// Whether the run told something.
    pub(super) fn reported(&self) -> bool {
        self.reporter
            .get()
            .is_some_and(|reporter| reporter.used.load(Ordering::Acquire))
    }

    pub(super) const fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.starter.shared
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.starter.core
    }

    /// Why it was asked to stop.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stopped.get().copied()
    }

    pub(super) const fn counted(&self) -> u32 {
        self.counted
    }

    /// How long it ran until then.
    pub(super) const fn took(&self, until: u64) -> i64 {
        until.saturating_sub(self.started) as i64
    }

    /// Whether its handler is done.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.state.lock(), State::Over)
    }

    fn over(&self) -> State {
        if let Some(reporter) = self.reporter.get() {
            reporter.over.store(true, Ordering::Release);
        }
        std::mem::replace(&mut *self.state.lock(), State::Over)
    }

    /// Asks it to stop; the job is decided upon here, whatever the handler does.
    pub(super) fn stop(self: &Arc<Self>, stop: Stop) {
        let _ = self.stopped.set(stop);
        let (answer, waiting) = oneshot::channel();
        let hold = {
            let mut state = self.state.lock();
            match std::mem::replace(&mut *state, State::Over) {
                State::Running(hold) => {
                    *state = State::Stopping(answer);
                    hold
                }
                other => {
                    *state = other;
                    return;
                }
            }
        };
        if let Some(number) = self.number.get() {
            self.handler.abort(*number, stop);
        }
        self.shared().runtime.spawn(self.clone().wind_down(stop, hold, waiting));
    }

    async fn wind_down(self: Arc<Self>, stop: Stop, hold: Hold, waiting: oneshot::Receiver<Outcome>) {
        if stop == Stop::HandBack {
            // What it still completes in this time counts.
            let outcome = tokio::time::timeout(HAND_BACK, waiting).await;
            let outcome = outcome.ok().and_then(Result::ok).filter(Result::is_ok);
            drop(self.over());
            let until = self.shared().clock.monotonic_ms();
            ends::store(vec![Ended::new(self, outcome, hold, until)]).await;
        } else {
            self.shared().running.end(&self.lease);
            // A handler that still winds down keeps its slot, so that deaf ones cannot pile up without bound.
            let _ = tokio::time::timeout(WIND_DOWN, waiting).await;
            drop(self.over());
            drop(hold);
        }
    }
}

/// Ends runs, all at once.
pub fn end_all(outcomes: Vec<(Arc<Ticket>, Outcome)>) {
    end(outcomes, |freed| {
        for starter in freed {
            starter.room.ended.notify_one();
        }
    });
}

/// The same. Answers jobs that their workers took in their stead: each is for its handler to start.
pub fn end_all_for_others(outcomes: Vec<(Arc<Ticket>, Outcome)>) -> Vec<Together> {
    let mut next = Vec::new();
    end(outcomes, |freed| next.extend(freed.iter().flat_map(Starter::next)));
    next
}

/// `fill` is told whose slots are free.
fn end(outcomes: Vec<(Arc<Ticket>, Outcome)>, fill: impl FnOnce(Vec<Arc<Starter>>)) {
    let Some((first, _)) = outcomes.first() else {
        return;
    };
    let shared = first.shared().clone();
    let until = shared.clock.monotonic_ms();
    let mut freed: Vec<Arc<Starter>> = Vec::new();
    let mut ended = Vec::with_capacity(outcomes.len());
    for (ticket, outcome) in outcomes {
        match ticket.over() {
            State::Running(mut hold) => {
                // Another job may run while this end is stored.
                if hold.slot.try_free() && !freed.iter().any(|one| Arc::ptr_eq(one, &ticket.starter)) {
                    freed.push(ticket.starter.clone());
                }
                ended.push(Ended::new(ticket, Some(outcome), hold, until));
            }
            State::Stopping(waiting) => drop(waiting.send(outcome)),
            State::Over => {}
        }
    }
    // While the ends are held, no worker of theirs is over.
    fill(freed);
    ends::gather(&shared, ended);
}
