//! Stores how runs ended, many in one command, then tells it.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::{prune, tell};
use super::hub::Shared;
use super::outcome::{self, ending};
use super::running::Stop;
use super::ticket::{Hold, Outcome, Ticket};
use crate::error::Code;
use crate::store::{Ending, Finish};

/// The store is asked again after its disk was full.
const AGAIN: Duration = Duration::from_millis(250);

/// A run that ended, and what it still holds of its worker.
pub struct Ended {
    ticket: Arc<Ticket>,
    outcome: Option<Outcome>,
    took: i64,
    _hold: Hold,
}

impl Ended {
    /// Without an outcome the job is handed back.
    pub fn new(ticket: Arc<Ticket>, outcome: Option<Outcome>, hold: Hold) -> Self {
        Self {
            took: ticket.took(),
            ticket,
            outcome,
            _hold: hold,
        }
    }

    pub fn ticket(&self) -> &Arc<Ticket> {
        &self.ticket
    }

    /// What becomes of its job; nothing where that was decided elsewhere.
    fn finish(&mut self) -> Option<Finish> {
        let shared = self.ticket.shared();
        let stopped = shared.running.stopped(self.ticket.lease());
        if matches!(stopped, Some(Stop::Cancelled | Stop::LeaseLost)) {
            return None;
        }
        // The error of one that was asked to stop says nothing about the job.
        let outcome = self
            .outcome
            .take()
            .filter(|outcome| outcome.is_ok() || stopped.is_none());
        let options = &self.ticket.job().options;
        let ending = match outcome {
            Some(outcome) => {
                let (counted, now) = (self.ticket.counted(), shared.clock.now_ms());
                ending(outcome, options, counted, now, fastrand::f64())
            }
            None => Ending::HandedBack,
        };
        Some(Finish {
            lease: self.ticket.lease().clone(),
            remove: Shared::removes(self.ticket.core(), options, &ending),
            ending,
        })
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
    let mut finishes: Vec<(usize, Finish)> = ended
        .iter_mut()
        .enumerate()
        .filter_map(|(index, one)| Some((index, one.finish()?)))
        .collect();
    while !finishes.is_empty() {
        finishes = attempt(&shared, &ended, finishes).await;
        if !finishes.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    shared.running.end_all(ended.iter().map(|one| one.ticket.lease()));
    if let Some(first) = ended.first() {
        prune(&shared, first.ticket.core(), ended.len() as u64).await;
    }
}

/// Answers those that are to be tried again.
async fn attempt(shared: &Shared, ended: &[Ended], finishes: Vec<(usize, Finish)>) -> Vec<(usize, Finish)> {
    let all = finishes.iter().map(|(_, finish)| finish.clone()).collect();
    let answers = shared.store.finish_all(all, shared.clock.now_ms()).await;
    let mut again = Vec::new();
    for ((index, mut finish), answer) in finishes.into_iter().zip(answers) {
        let one = &ended[index];
        match answer {
            Ok(finished) if finished.held => {
                tell(
                    shared,
                    one.ticket.core(),
                    one.ticket.job(),
                    finish.ending,
                    finished,
                    one.took,
                );
            }
            Ok(_) => tracing::debug!("a job ended after its lease was lost"),
            Err(error) if matches!(error.code(), Code::StoreFull | Code::StoreUnavailable) => {
                tracing::warn!("the end of a job is not stored yet: {error}");
                again.push((index, finish));
            }
            Err(error) if error.code() == Code::Closed => {}
            // The answer itself cannot be stored: that is the job's failure.
            Err(error) if !matches!(finish.ending, Ending::Failed { .. }) => {
                finish.ending = Ending::Failed {
                    failure: outcome::failure(&error),
                    result: None,
                };
                again.push((index, finish));
            }
            Err(error) => tracing::error!("the end of a job cannot be stored: {error}"),
        }
    }
    again
}
