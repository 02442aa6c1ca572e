//! A batch that JavaScript hands over part by part: what it handed over is stored while it writes the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream::{once, poll_fn};
use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, spawn};
use napi_derive::napi;
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::oneshot;

use super::answers::Answers;
use super::opened::Inner;
use super::written;
use crate::bindings::error::promise;
use crate::error::{Code, Error, Result};
use crate::queue::read;

/// A batch, until it is ended or given up.
#[napi]
pub struct NativeParts {
    parts: Mutex<Option<UnboundedSender<String>>>,
    answer: Mutex<Option<oneshot::Receiver<Result<String>>>>,
    ended: Arc<AtomicBool>,
}

impl NativeParts {
    /// Of that queue.
    pub fn start(inner: Arc<Inner>) -> Self {
        let (parts, mut received) = mpsc::unbounded_channel::<String>();
        let (told, answer) = oneshot::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let whole = ended.clone();
        spawn(async move {
            let parts = poll_fn(move |context| received.poll_recv(context));
            let jobs = parts.map(|part| read("the job's options", &part));
            // Where JavaScript went away in the middle, nothing of it is stored.
            let end = once(async move { whole.load(Ordering::Acquire).then(Vec::new).ok_or_else(given_up) });
            let add = async { inner.member.api().await?.add_parts(jobs.chain(end).boxed()).await };
            // Where JavaScript went away nobody waits for it.
            let _ = told.send(written(&Answers::new(&[add.await], &[false])));
        });
        Self {
            parts: Mutex::new(Some(parts)),
            answer: Mutex::new(Some(answer)),
            ended,
        }
    }
}

fn given_up() -> Error {
    Error::new(Code::Cancelled, "the batch was given up before its end")
}

#[napi]
impl NativeParts {
    /// Hands over jobs, a JSON array.
    #[napi(catch_unwind)]
    pub fn push(&self, jobs: String) {
        if let Some(parts) = &*self.parts.lock() {
            // Where it was refused already, the answer says so.
            let _ = parts.send(jobs);
        }
    }

    /// Nothing of it is stored.
    #[napi(catch_unwind)]
    pub fn abort(&self) {
        drop(self.parts.lock().take());
    }

    /// There are no more; answers as adds are, for one batch.
    #[napi]
    pub fn end<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        self.ended.store(true, Ordering::Release);
        drop(self.parts.lock().take());
        let answer = self.answer.lock().take();
        promise(env, async move {
            let over = || Error::new(Code::Closed, "the batch is over, or the queue was closed meanwhile");
            answer.ok_or_else(over)?.await.map_err(|_| over())?
        })
    }
}
