//! The attempts that run in JavaScript: one message there, one call back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use foldhash::fast::RandomState;
use napi::{Status, threadsafe_function::ThreadsafeFunctionCallMode};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::oneshot;

use super::QueueRunner;
use super::settled::{self, Outcome, Settled, outcome};
use super::told::{Runs, ToRunner};
use crate::error::{Code, Error};
use crate::queue::{self, Attempt, AttemptError, Handler, Reporter, Stop, Ticket};

/// About the bytes that are told of a run beside its data, and of all of them.
const OF_RUN: usize = 80;
const OF_RUNS: usize = 500;

/// The attempts that run in JavaScript.
pub struct Runner {
    call: QueueRunner,
    next: AtomicU32,
    /// Messages with runs, so far.
    told: AtomicU32,
    running: Mutex<HashMap<u32, Running, RandomState>>,
}

enum Running {
    /// A task waits for it.
    Task {
        settle: oneshot::Sender<Outcome>,
        reporter: Arc<dyn Reporter>,
    },
    Ticket(Arc<Ticket>),
}

impl Runner {
    /// Tells JavaScript through that function.
    pub fn new(call: QueueRunner) -> Self {
        Self {
            call,
            next: AtomicU32::new(1),
            told: AtomicU32::new(0),
            running: Mutex::default(),
        }
    }

    /// Attempts ended; one that is over already is not listened to any more. Answers what is to run in their stead, as it
    /// is told otherwise. `heard` messages with runs arrived so far: behind those that are on their way, it is told too.
    pub fn settle(&self, settled: &str, heard: u32) -> Option<String> {
        let settled = settled::read(settled);
        let mut ended = Vec::with_capacity(settled.len());
        let mut all = self.running.lock();
        for Settled(attempt, result, thrown) in settled {
            match all.remove(&attempt) {
                Some(Running::Task { settle, .. }) => drop(settle.send(outcome(result, thrown))),
                Some(Running::Ticket(ticket)) => ended.push((ticket, outcome(result, thrown))),
                None => {}
            }
        }
        drop(all);
        // All handlers of a queue that is open here are this runner.
        let next = queue::end_all_for_others(ended)
            .into_iter()
            .flat_map(|(_, tickets)| tickets);
        let wanted = self.number(next.collect());
        if wanted.is_empty() {
            return None;
        }
        if self.told.load(Ordering::Acquire) != heard {
            self.tell_runs(wanted);
            return None;
        }
        let size: usize = wanted.iter().map(|(_, ticket)| ticket.job().data.text().len()).sum();
        let mut text = Vec::with_capacity(size + wanted.len() * OF_RUN + OF_RUNS);
        serde_json::to_writer(
            &mut text,
            &Runs::new(wanted.iter().map(|(n, ticket)| (*n, ticket.job()))),
        )
        .ok()?;
        String::from_utf8(text).ok()
    }

    /// The reporter of an attempt that runs.
    pub fn reporter(&self, attempt: u32) -> Option<Arc<dyn Reporter>> {
        match self.running.lock().get(&attempt)? {
            Running::Task { reporter, .. } => Some(reporter.clone()),
            Running::Ticket(ticket) => Some(ticket.reporter()),
        }
    }

    /// Sends a message; false where JavaScript does not listen any more.
    pub fn tell(&self, message: &ToRunner<'_>) -> bool {
        serde_json::to_string(message)
            .is_ok_and(|text| self.call.call(text, ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok)
    }

    /// Gives attempts their numbers; those that were stopped already end.
    fn number(&self, tickets: Vec<Arc<Ticket>>) -> Vec<(u32, Arc<Ticket>)> {
        if tickets.is_empty() {
            return Vec::new();
        }
        let first = self.next.fetch_add(tickets.len() as u32, Ordering::Relaxed);
        let numbered: Vec<(u32, Arc<Ticket>)> = (0..).map(|n| first.wrapping_add(n)).zip(tickets).collect();
        {
            let mut running = self.running.lock();
            for (number, ticket) in &numbered {
                running.insert(*number, Running::Ticket(ticket.clone()));
            }
        }
        let (wanted, stopped) = numbered
            .into_iter()
            .partition(|(number, ticket)| ticket.call_it(*number));
        self.end(stopped);
        wanted
    }

    /// Ends attempts that JavaScript is not told of.
    fn end(&self, in_vain: Vec<(u32, Arc<Ticket>)>) {
        if in_vain.is_empty() {
            return;
        }
        let ended = in_vain.into_iter().map(|(number, ticket)| {
            self.running.lock().remove(&number);
            (ticket, Err(AttemptError::Retry(gone())))
        });
        queue::end_all(ended.collect());
    }

    fn start(&self, tickets: Vec<Arc<Ticket>>) {
        let wanted = self.number(tickets);
        if !wanted.is_empty() {
            self.tell_runs(wanted);
        }
    }

    fn tell_runs(&self, wanted: Vec<(u32, Arc<Ticket>)>) {
        if !self.tell_run(Runs::new(wanted.iter().map(|(n, ticket)| (*n, ticket.job())))) {
            self.end(wanted);
        }
    }

    fn tell_run(&self, runs: Runs<'_>) -> bool {
        self.told.fetch_add(1, Ordering::AcqRel);
        self.tell(&ToRunner::Run(runs))
    }
}

fn gone() -> Error {
    Error::new(Code::Closed, "JavaScript went away while the job ran")
}

/// Ends the bookkeeping of an attempt, however it ends.
struct Forget<'a>(&'a Runner, u32);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.running.lock().remove(&self.1);
    }
}

/// The handler of every job name: it asks JavaScript.
pub struct JsHandler(pub Arc<Runner>);

#[async_trait]
impl Handler for JsHandler {
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        let runner = &*self.0;
        let id = runner.next.fetch_add(1, Ordering::Relaxed);
        let (settle, mut settled) = oneshot::channel();
        runner.running.lock().insert(
            id,
            Running::Task {
                settle,
                reporter: attempt.reporter,
            },
        );
        let _forget = Forget(runner, id);
        if !runner.tell_run(Runs::new(std::iter::once((id, &attempt.job)))) {
            return Err(AttemptError::Retry(gone()));
        }
        let settled = tokio::select! {
            settled = &mut settled => settled,
            () = attempt.token.cancelled() => {
                let why = attempt.why.get().copied().unwrap_or(Stop::Cancelled);
                runner.tell(&ToRunner::abort(id, why));
                settled.await
            }
        };
        settled.map_err(|_| AttemptError::Retry(gone()))?
    }

    fn takes_tickets(&self) -> bool {
        true
    }

    fn start(&self, tickets: Vec<Arc<Ticket>>) {
        self.0.start(tickets);
    }

    fn abort(&self, number: u32, why: Stop) {
        self.0.tell(&ToRunner::abort(number, why));
    }
}
