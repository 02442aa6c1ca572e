//! The adds of a queue, in the order in which JavaScript hands them over: read by one task, which sends each to the store
//! before it reads the next one, and answered by a message when they are stored.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use napi::bindgen_prelude::spawn;
use serde_json::value::RawValue;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::answers::Answers;
use super::opened::Inner;
use super::told::ToRunner;
use crate::bindings::error::message_of;
use crate::error::{Code, Error, Result};
use crate::queue::{Job, NewJob, OnDuplicate, read};

/// A number of the caller's, and a JSON array of batches.
pub type Adds = (u32, String);

/// Takes the adds of a queue, until what is answered is dropped.
pub fn start(inner: Arc<Inner>) -> UnboundedSender<Adds> {
    let (adds, mut received) = mpsc::unbounded_channel::<Adds>();
    spawn(async move {
        while let Some((number, batches)) = received.recv().await {
            let mut add = Box::pin(add(inner.clone(), number, batches));
            // It reaches the store before the next one does, or waits for an owner of it.
            if (&mut add).now_or_never().is_none() {
                tokio::spawn(add);
            }
        }
    });
    adds
}

async fn add(inner: Arc<Inner>, number: u32, batches: String) {
    let batches = batches_of(&batches);
    let keeps: Vec<_> = batches.iter().map(may_keep).collect();
    // A panic would leave its callers without an answer, and end the task of all others.
    let answers = AssertUnwindSafe(stored(&inner, batches)).catch_unwind().await;
    let answers = answers.unwrap_or_else(|_| keeps.iter().map(|_| Err(failed())).collect());
    let answers = &Answers::new(&answers, &keeps);
    inner.runner.tell(&ToRunner::Added { number, answers });
}

async fn stored(inner: &Inner, batches: Vec<Result<Vec<NewJob>>>) -> Vec<Result<Vec<Job>>> {
    match inner.member.api().await {
        Ok(api) => api.add_each(batches).await,
        Err(error) => batches.iter().map(|_| Err(copy(&error))).collect(),
    }
}

fn failed() -> Error {
    Error::new(
        Code::Internal,
        "adding jobs failed inside of the engine, and it is not known whether they are stored; look, and report this",
    )
}

/// Each stands alone: one that cannot be read refuses no other.
fn batches_of(text: &str) -> Vec<Result<Vec<NewJob>>> {
    if let Ok(all) = serde_json::from_str::<Vec<Vec<NewJob>>>(text) {
        return all.into_iter().map(Ok).collect();
    }
    let each: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    each.into_iter()
        .map(|batch| read("the job's options", batch.get()))
        .collect()
}

fn may_keep(batch: &Result<Vec<NewJob>>) -> bool {
    let keeps = |job: &NewJob| job.options.on_duplicate == OnDuplicate::Keep;
    batch.as_ref().is_ok_and(|jobs| jobs.iter().any(keeps))
}

fn copy(error: &Error) -> Error {
    Error::new(error.code(), message_of(error)).with_details(error.details().clone())
}
