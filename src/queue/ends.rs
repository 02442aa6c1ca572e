//! Stores how runs ended, many in one command, then tells it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::attempt::{prune, tell};
use super::hub::Shared;
use super::outcome::{self, ending};
use super::running::Stop;
use super::ticket::{Hold, Outcome, Ticket};
use crate::error::Code;
use crate::store::{Ending, Finish};

/// The store is asked again after its disk was full.
const AGAIN: Duration = Duration::from_millis(250);

/// The first end is stored at once; those that follow so soon go together, or so many.
const TOGETHER: Duration = Duration::from_millis(1);
const MOST: usize = 128;

/// A run that ended, and what it still holds of its worker.
pub struct Ended {
    ticket: Arc<Ticket>,
    outcome: Option<Outcome>,
    took: i64,
    _hold: Hold,
}

impl Ended {
    /// Without an outcome the job is handed back.
    pub fn new(ticket: Arc<Ticket>, outcome: Option<Outcome>, hold: Hold, until: u64) -> Self {
        Self {
            took: ticket.took(until),
            ticket,
            outcome,
            _hold: hold,
        }
    }

    /// What becomes of its job; nothing where that was decided elsewhere.
    fn ending(&mut self, now: i64) -> Option<Ending> {
        let stopped = self.ticket.stopped();
        if matches!(stopped, Some(Stop::Cancelled | Stop::LeaseLost)) {
            return None;
        }
        // The error of one that was asked to stop says nothing about the job.
        let outcome = self
            .outcome
            .take()
            .filter(|outcome| outcome.is_ok() || stopped.is_none());
        Some(match outcome {
            Some(Ok(result)) => Ending::Completed { result },
            Some(outcome) => {
                let options = &self.ticket.job().options;
                ending(outcome, options, self.ticket.counted(), now, fastrand::f64())
            }
            None => Ending::HandedBack,
        })
    }

    fn finish(&self, ending: Ending) -> Finish {
        Finish {
            lease: (**self.ticket.lease()).clone(),
            remove: Shared::removes(self.ticket.core(), &self.ticket.job().options, &ending),
            ending,
        }
    }
}

/// Ends that wait to be stored together.
#[derive(Default)]
pub struct Ends {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: Vec<Ended>,
    /// A task stores them.
    gathered: bool,
}

/// Stores the ends of runs of one store soon, many together.
pub fn gather(shared: &Arc<Shared>, ended: Vec<Ended>) {
    if ended.is_empty() {
        return;
    }
    let mut waiting = shared.ends.waiting.lock();
    waiting.all.extend(ended);
    let many = (waiting.all.len() >= MOST).then(|| std::mem::take(&mut waiting.all));
    let begins = many.is_none() && !std::mem::replace(&mut waiting.gathered, true);
    drop(waiting);
    if let Some(many) = many {
        shared.runtime.spawn(store(many));
    }
    if begins {
        shared.runtime.spawn(store_gathered(shared.clone()));
    }
}

async fn store_gathered(shared: Arc<Shared>) {
    loop {
        let ended = {
            let mut waiting = shared.ends.waiting.lock();
            waiting.gathered = !waiting.all.is_empty();
            std::mem::take(&mut waiting.all)
        };
        if ended.is_empty() {
            return;
        }
        tokio::spawn(store(ended));
        tokio::time::sleep(TOGETHER).await;
    }
}

/// Stores the ends of runs of one store, and tells them.
pub async fn store(mut ended: Vec<Ended>) {
    let Some(shared) = ended.first().map(|one| one.ticket.shared().clone()) else {
        return;
    };
    if ended.iter().any(|one| one.ticket.reported())
        && let Err(error) = shared.reports.flush(&*shared.store).await
    {
        tracing::warn!("the last reports of jobs were not stored: {error}");
    }
    let now = shared.clock.now_ms();
    let mut endings: Vec<(usize, Ending)> = ended
        .iter_mut()
        .enumerate()
        .filter_map(|(index, one)| Some((index, one.ending(now)?)))
        .collect();
    while !endings.is_empty() {
        endings = attempt(&shared, &ended, endings).await;
        if !endings.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    shared.running.end_all(ended.iter().map(|one| &**one.ticket.lease()));
    if let Some(first) = ended.first() {
        prune(&shared, first.ticket.core(), ended.len() as u64).await;
    }
}

/// Answers those that are to be tried again.
async fn attempt(shared: &Shared, ended: &[Ended], endings: Vec<(usize, Ending)>) -> Vec<(usize, Ending)> {
    let all = endings
        .iter()
        .map(|(index, ending)| ended[*index].finish(ending.clone()))
        .collect();
    let answers = shared.store.finish_all(all, shared.clock.now_ms()).await;
    let now = shared.clock.now_ms();
    let mut again = Vec::new();
    for ((index, mut ending), answer) in endings.into_iter().zip(answers) {
        let one = &ended[index];
        match answer {
            Ok(finished) if finished.held => {
                let when = (now, one.took);
                tell(shared, one.ticket.core(), one.ticket.job(), ending, finished, when);
            }
            Ok(_) => tracing::debug!("a job ended after its lease was lost"),
            Err(error) if matches!(error.code(), Code::StoreFull | Code::StoreUnavailable) => {
                tracing::warn!("the end of a job is not stored yet: {error}");
                again.push((index, ending));
            }
            Err(error) if error.code() == Code::Closed => {}
            // The answer itself cannot be stored: that is the job's failure.
            Err(error) if !matches!(ending, Ending::Failed { .. }) => {
                ending = Ending::Failed {
                    failure: outcome::failure(&error),
                    result: None,
                };
                again.push((index, ending));
            }
            Err(error) => tracing::error!("the end of a job cannot be stored: {error}"),
        }
    }
    again
}
