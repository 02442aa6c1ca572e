//! The attempts that run in JavaScript: one message there, one call back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use napi::Status;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use super::QueueRunner;
use crate::error::{Code, Error, Result};
use crate::queue::{self, Attempt, AttemptError, Handler, Reporter};

/// What an attempt in JavaScript answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settled {
    ok: bool,
    result: Value,
    message: String,
    code: Option<String>,
    abort: bool,
    retry_after: Option<u64>,
}

impl Default for Settled {
    fn default() -> Self {
        let message = "the handler's answer is not understood".to_owned();
        Self {
            ok: false,
            result: Value::Null,
            message,
            code: None,
            abort: false,
            retry_after: None,
        }
    }
}

/// What JavaScript is told.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ToRunner<'a> {
    Run { attempt: u32, job: &'a queue::Job },
    Abort { attempt: u32 },
    Active { worker: u32, active: bool },
}

/// The attempts that run in JavaScript.
pub struct Runner {
    call: QueueRunner,
    next: AtomicU32,
    running: Mutex<HashMap<u32, Running>>,
}

struct Running {
    settle: oneshot::Sender<Settled>,
    reporter: Arc<dyn Reporter>,
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

    /// An attempt ended; one that is over already is not listened to any more.
    pub fn settle(&self, attempt: u32, settled: &str) {
        let running = self.running.lock().remove(&attempt);
        if let Some(running) = running {
            let _ = running.settle.send(serde_json::from_str(settled).unwrap_or_default());
        }
    }

    /// The reporter of an attempt that runs.
    pub fn reporter(&self, attempt: u32) -> Option<Arc<dyn Reporter>> {
        self.running
            .lock()
            .get(&attempt)
            .map(|running| running.reporter.clone())
    }

    /// Sends a message; false where JavaScript does not listen any more.
    pub fn tell(&self, message: &ToRunner<'_>) -> bool {
        serde_json::to_string(message)
            .is_ok_and(|text| self.call.call(text, ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok)
    }
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
            Running {
                settle,
                reporter: attempt.reporter,
            },
        );
        let _forget = Forget(runner, id);
        let gone = || Error::new(Code::Closed, "JavaScript went away while the job ran");
        if !runner.tell(&ToRunner::Run {
            attempt: id,
            job: &attempt.job,
        }) {
            return Err(AttemptError::Retry(gone()));
        }
        let settled = tokio::select! {
            settled = &mut settled => settled,
            () = attempt.token.cancelled() => {
                runner.tell(&ToRunner::Abort { attempt: id });
                settled.await
            }
        };
        outcome(settled.map_err(|_| AttemptError::Retry(gone()))?)
    }
}

#[allow(
    clippy::result_large_err,
    reason = "an attempt ends once, and its error is moved, not copied, on the way"
)]
fn outcome(settled: Settled) -> Result<Value, AttemptError> {
    if settled.ok {
        return Ok(settled.result);
    }
    if settled.abort {
        let result = (!settled.result.is_null()).then_some(settled.result);
        return Err(AttemptError::Abort(
            Error::new(Code::JobAborted, settled.message),
            result,
        ));
    }
    let known = settled
        .code
        .and_then(|code| Code::ALL.iter().find(|known| known.as_str() == code));
    let error = Error::new(known.copied().unwrap_or(Code::HandlerFailed), settled.message);
    Err(match settled.retry_after {
        Some(delay) => AttemptError::RetryAfter(error, delay),
        None => AttemptError::Retry(error),
    })
}
