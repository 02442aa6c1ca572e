//! The adds of a queue, in the order in which JavaScript hands them over, answered by a message when they are stored.
//! Plain jobs go to the store at once; all others are read by one task, which sends each to the store before it reads the
//! next one.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use napi::bindgen_prelude::spawn;
use serde_json::value::RawValue;
use tokio::sync::mpsc::{self, UnboundedSender};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::answers::Answers;
use super::opened::Inner;
use super::told::ToRunner;
use crate::bindings::error::message_of;
use crate::error::{Code, Error, Result};
use crate::queue::{Job, NewJob, OnDuplicate, PlainAdded, PlainJobs, read};

/// Where the adds of a queue go.
pub struct Adds {
    inner: Arc<Inner>,
    task: UnboundedSender<ToTask>,
    /// How many were sent to the task and have not reached the store, which nothing may overtake.
    on_their_way: Arc<AtomicUsize>,
}

/// Batches that stand alone.
type Batches = Vec<Result<Vec<NewJob>>>;

/// What the task is sent, with a number of the caller's.
enum ToTask {
    Any(u32, String),
    Plain(u32, PlainJobs),
}

impl Adds {
    /// Takes the adds of a queue, until it is dropped.
    pub fn new(inner: Arc<Inner>) -> Self {
        let (task, mut received) = mpsc::unbounded_channel();
        let on_their_way = Arc::<AtomicUsize>::default();
        let adds = Self {
            inner: inner.clone(),
            task,
            on_their_way: on_their_way.clone(),
        };
        spawn(async move {
            while let Some(sent) = received.recv().await {
                let (number, batches) = match sent {
                    ToTask::Any(number, text) => (number, batches_of(&text)),
                    ToTask::Plain(number, jobs) => {
                        (number, jobs.to_new().into_iter().map(|job| Ok(vec![job])).collect())
                    }
                };
                let mut add = Box::pin(add(inner.clone(), number, batches));
                // It reaches the store before the next one does, or waits for an owner of it.
                if (&mut add).now_or_never().is_none() {
                    tokio::spawn(add);
                }
                on_their_way.fetch_sub(1, Ordering::Release);
            }
        });
        adds
    }

    /// Adds the batches of a JSON array.
    pub fn any(&self, number: u32, batches: String) {
        self.send(ToTask::Any(number, batches));
    }

    /// Adds plain jobs, each alone, of a JSON array in which names and data take turns.
    pub fn plain(&self, number: u32, jobs: String) {
        let inner = &self.inner;
        let Some(jobs) = PlainJobs::read(jobs) else {
            return tell(inner, number, &[Err(failed())], &[false]);
        };
        if self.on_their_way.load(Ordering::Acquire) > 0 {
            return self.send(ToTask::Plain(number, jobs));
        }
        let (count, to) = (jobs.count(), inner.clone());
        let sent = inner.member.add_plain(jobs, move |answer| match answer {
            Ok(added) => {
                let at = added.at;
                let ids = &ids_of(&added);
                to.runner.tell(&ToRunner::AddedPlain { number, at, ids });
            }
            Err(error) => {
                let refused: Vec<_> = (0..count).map(|_| Err(copy(&error))).collect();
                tell(&to, number, &refused, &vec![false; count]);
            }
        });
        if let Err(jobs) = sent {
            self.send(ToTask::Plain(number, jobs));
        }
    }

    fn send(&self, adds: ToTask) {
        self.on_their_way.fetch_add(1, Ordering::Release);
        // The task ends with this sender.
        let _ = self.task.send(adds);
    }
}

/// All of them in one text, each of which has the same length.
fn ids_of(added: &PlainAdded) -> String {
    let mut ids = String::with_capacity(added.ids.len() * Hyphenated::LENGTH);
    let mut id = Uuid::encode_buffer();
    for each in &added.ids {
        ids.push_str(each.hyphenated().encode_lower(&mut id));
    }
    ids
}

fn tell(inner: &Inner, number: u32, answers: &[Result<Vec<Job>>], keeps: &[bool]) {
    let answers = &Answers::new(answers, keeps);
    inner.runner.tell(&ToRunner::Added { number, answers });
}

async fn add(inner: Arc<Inner>, number: u32, batches: Batches) {
    let keeps: Vec<_> = batches.iter().map(may_keep).collect();
    // A panic would leave its callers without an answer, and end the task of all others.
    let answers = AssertUnwindSafe(stored(&inner, batches)).catch_unwind().await;
    let answers = answers.unwrap_or_else(|_| keeps.iter().map(|_| Err(failed())).collect());
    tell(&inner, number, &answers, &keeps);
}

async fn stored(inner: &Inner, batches: Batches) -> Vec<Result<Vec<Job>>> {
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
fn batches_of(text: &str) -> Batches {
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
