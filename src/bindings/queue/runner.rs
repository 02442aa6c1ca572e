//! The attempts that run in JavaScript: one message there, one call back.

use std::collections::HashMap;
use std::fmt::{self, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use foldhash::fast::RandomState;
use napi::{Status, threadsafe_function::ThreadsafeFunctionCallMode};
use parking_lot::Mutex;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};
use tokio::sync::oneshot;

use super::QueueRunner;
use super::told::{Runs, ToRunner};
use crate::error::{Code, Error};
use crate::queue::{self, Attempt, AttemptError, Handler, Reporter, Stop, Ticket};

type Outcome = Result<Value, AttemptError>;

/// About the bytes that are told of a run beside its data, and of all of them.
const OF_RUN: usize = 80;
const OF_RUNS: usize = 500;

/// What an attempt in JavaScript answers: its number, its result, and what it threw.
struct Settled(u32, Value, Option<Thrown>);

impl<'de> Deserialize<'de> for Settled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// A number alone answered nothing.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Settled;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("the number of an attempt, or it with its result and what it threw")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Settled, E> {
        let number = u32::try_from(number).map_err(E::custom)?;
        Ok(Settled(number, Value::Null, None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Settled, A::Error> {
        let missing = |n| A::Error::invalid_length(n, &self);
        let number = all.next_element()?.ok_or_else(|| missing(0))?;
        let result = all.next_element()?.ok_or_else(|| missing(1))?;
        let thrown = all.next_element()?.ok_or_else(|| missing(2))?;
        Ok(Settled(number, result, thrown))
    }
}

/// As much of it as can always be read.
#[derive(Deserialize)]
struct Numbered(u32, IgnoredAny, IgnoredAny);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Thrown {
    message: String,
    code: Option<String>,
    abort: bool,
    retry_after: Option<u64>,
}

impl Default for Thrown {
    fn default() -> Self {
        Self {
            message: "the handler's answer is not understood".to_owned(),
            code: None,
            abort: false,
            retry_after: None,
        }
    }
}

/// The attempts that run in JavaScript.
pub struct Runner {
    call: QueueRunner,
    next: AtomicU32,
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
            running: Mutex::default(),
        }
    }

    /// Attempts ended; one that is over already is not listened to any more. Answers what is to run in their stead, as it
    /// is told otherwise.
    pub fn settle(&self, settled: &str) -> Option<String> {
        let settled = match serde_json::from_str::<Vec<Settled>>(settled) {
            Ok(settled) => settled,
            Err(_) => each_alone(settled),
        };
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
        let runs = Runs::new(wanted.iter().map(|(n, ticket)| (*n, ticket.job())));
        if !wanted.is_empty() && !self.tell(&ToRunner::Run(runs)) {
            self.end(wanted);
        }
    }
}

/// Where one answer is not understood, its attempt fails with that, and no other does.
fn each_alone(settled: &str) -> Vec<Settled> {
    let all: Vec<&RawValue> = serde_json::from_str(settled).unwrap_or_default();
    let alone = |one: &RawValue| {
        serde_json::from_str::<Settled>(one.get()).or_else(|error| {
            let Numbered(attempt, ..) = serde_json::from_str(one.get())?;
            let thrown = Thrown {
                message: format!("what the handler answered cannot be stored: {error}"),
                ..Thrown::default()
            };
            Ok::<_, serde_json::Error>(Settled(attempt, Value::Null, Some(thrown)))
        })
    };
    all.into_iter().filter_map(|one| alone(one).ok()).collect()
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
        if !runner.tell(&ToRunner::Run(Runs::new(std::iter::once((id, &attempt.job))))) {
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

#[allow(
    clippy::result_large_err,
    reason = "an attempt ends once, and its error is moved, not copied, on the way"
)]
fn outcome(result: Value, thrown: Option<Thrown>) -> Outcome {
    let Some(thrown) = thrown else {
        return match queue::check_result(&result) {
            Ok(()) => Ok(result),
            Err(error) => Err(AttemptError::Retry(Error::new(Code::HandlerFailed, error.message()))),
        };
    };
    if thrown.abort {
        let result = (!result.is_null()).then_some(result);
        return Err(AttemptError::Abort(
            Error::new(Code::JobAborted, thrown.message),
            result,
        ));
    }
    let known = thrown
        .code
        .and_then(|code| Code::ALL.iter().find(|known| known.as_str() == code));
    let error = Error::new(known.copied().unwrap_or(Code::HandlerFailed), thrown.message);
    Err(match thrown.retry_after {
        Some(delay) => AttemptError::RetryAfter(error, delay),
        None => AttemptError::Retry(error),
    })
}
