//! What a worker has read ahead: jobs that it holds, and starts when it has room again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::hub::Shared;
use super::running::Stop;
use crate::error::Code;
use crate::store::{Ending, Finish, Lease, ReadAhead};

/// So many milliseconds of work are read ahead, by the rate of the last ones: whatever else is to
/// run, and whoever else is idle, waits no longer for what is held here.
const HORIZON: f64 = 50.0;
/// A job that is held longer is given back: the jobs that run take longer than was foreseen.
const STALE: u64 = 500;
/// At most four jobs for each that runs, within these bounds.
const MOST: (usize, usize) = (100, 500);
/// The rate is that of at least so many milliseconds.
const WINDOW: u64 = 10;
/// The store is asked again after it was away.
const AGAIN: Duration = Duration::from_millis(250);

/// The jobs that a worker holds, the next one first.
pub struct Ahead {
    waiting: VecDeque<(u64, ReadAhead)>,
    most: usize,
    stale: u64,
    /// When the present window began, and how many jobs had ended then.
    window: (u64, u64),
    per_ms: f64,
}

impl Ahead {
    /// Nothing yet; leases last so many milliseconds.
    pub fn new(concurrency: usize, lease: u64, now: u64) -> Self {
        Self {
            waiting: VecDeque::new(),
            most: (4 * concurrency).clamp(MOST.0, MOST.1),
            // A process that was frozen meanwhile must not start what others have by then.
            stale: STALE.min(lease / 3),
            window: (now, 0),
            per_ms: 0.0,
        }
    }

    /// Measures: so many jobs have ended since the worker began.
    pub fn ended(&mut self, total: u64, now: u64) {
        let (since, before) = self.window;
        let passed = now.saturating_sub(since);
        if passed >= WINDOW {
            self.per_ms = total.saturating_sub(before) as f64 / passed as f64;
            self.window = (now, total);
        }
    }

    /// How many more are to be read; none while half of them are there.
    pub fn wants(&self) -> usize {
        let wanted = ((self.per_ms * HORIZON) as usize).min(self.most);
        if self.waiting.len() * 2 <= wanted {
            wanted - self.waiting.len()
        } else {
            0
        }
    }

    pub fn push(&mut self, all: Vec<ReadAhead>, now: u64) {
        self.waiting.extend(all.into_iter().map(|one| (now, one)));
    }

    /// The next one.
    pub fn pop(&mut self) -> Option<ReadAhead> {
        self.waiting.pop_front().map(|(_, one)| one)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How long the first one may still be held.
    pub fn lasts(&self, now: u64) -> Option<Duration> {
        let (since, _) = self.waiting.front()?;
        Some(Duration::from_millis((since + self.stale).saturating_sub(now)))
    }

    /// All of them, which are not held any more.
    pub fn take(&mut self) -> Vec<ReadAhead> {
        self.waiting.drain(..).map(|(_, one)| one).collect()
    }

    /// Those of that priority and worse.
    pub fn take_from(&mut self, priority: u8) -> Vec<ReadAhead> {
        let (stay, go): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, one)| u8::from(one.claim.job.options.priority) < priority);
        self.waiting = stay;
        go.into_iter().map(|(_, one)| one).collect()
    }
}

/// The lease of a job that is held.
pub fn lease(held: &ReadAhead) -> Lease {
    Lease {
        id: held.claim.job.id.clone(),
        fence: held.claim.fence,
    }
}

/// Gives jobs back that did not start: they wait again in their places, and nothing is counted.
pub async fn give_back(shared: &Arc<Shared>, core: &Arc<Core>, held: Vec<ReadAhead>) {
    if held.is_empty() {
        return;
    }
    let leases: Vec<Lease> = held.iter().map(lease).collect();
    let is_held = |lease: &&Lease| !matches!(shared.running.stopped(lease), Some(Stop::Cancelled | Stop::LeaseLost));
    let mut left: Vec<Lease> = leases.iter().filter(is_held).cloned().collect();
    while !left.is_empty() {
        let finishes = left.iter().map(|lease| Finish {
            lease: lease.clone(),
            ending: Ending::HandedBack,
            remove: false,
        });
        let answers = shared.store.finish_all(finishes.collect(), shared.clock.now_ms()).await;
        let is_away = |code| matches!(code, Code::StoreFull | Code::StoreUnavailable);
        left = left
            .into_iter()
            .zip(answers)
            .filter(|(_, answer)| answer.as_ref().is_err_and(|error| is_away(error.code())))
            .map(|(lease, _)| lease)
            .collect();
        if !left.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    shared.running.end_all(leases.iter());
    core.wake();
}

/// Notes that jobs which were read ahead began, while they run.
pub async fn note(shared: Arc<Shared>, mut begun: Vec<Lease>) {
    while !begun.is_empty() {
        match shared.store.begin(begun.clone(), shared.clock.now_ms()).await {
            Err(error) if error.code() == Code::StoreUnavailable => {
                tokio::time::sleep(AGAIN).await;
                begun.retain(|lease| shared.running.is_running(lease));
            }
            Err(error) if error.code() != Code::Closed => {
                tracing::warn!("the start of jobs was not noted: {error}");
                return;
            }
            _ => return,
        }
    }
}
