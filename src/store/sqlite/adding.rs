//! The ways in which adds reach the store's thread: all that were called together are sent before
//! any is waited for.

use std::sync::mpsc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::add::add;
use super::database::Database;
use super::insert::{self, NewRow, PlainAdds};
use super::sqlite_store::SqliteStore;
use super::task::Task;
use super::writer::{Care, Durability};
use crate::error::Result;
use crate::store::job::NewJob;
use crate::store::job_store::Added;
use crate::store::rules::{again, closed};

/// Jobs of a big batch that are prepared at a time.
const PART: usize = 1_000;

/// How a batch is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Together with others.
    Plain,
    /// Written while the rest of it is prepared.
    Big,
    /// Its unique keys and what it waits for are looked at.
    Special,
}

/// The way of a batch.
pub fn way(batch: &[NewJob]) -> Way {
    let special = |job: &NewJob| job.options.unique_key.is_some() || !job.options.depends_on.is_empty();
    if batch.iter().any(special) {
        Way::Special
    } else if batch.len() > PART {
        Way::Big
    } else {
        Way::Plain
    }
}

/// The answers to the batches that went one way together.
pub type Answers = BoxFuture<'static, Vec<Result<Added>>>;

impl SqliteStore {
    /// Stores batches that are plain.
    pub(super) fn add_plain(&self, queue: &str, batches: Vec<Vec<NewJob>>, now: i64) -> Option<Answers> {
        if batches.is_empty() {
            return None;
        }
        let (mut refused, mut rows) = (Vec::new(), Vec::with_capacity(batches.len()));
        for (place, batch) in batches.into_iter().enumerate() {
            match NewRow::all(queue, batch, now) {
                Ok(batch) => rows.push(batch),
                Err(error) => refused.push((place, error)),
            }
        }
        let count = rows.len();
        let (caller, answer) = oneshot::channel();
        let sent = self.send(Durability::Synced, Care::Apart, Task::new(PlainAdds(rows), caller));
        let answers = async move {
            let stored = match sent {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(closed())),
                Err(error) => Err(error),
            };
            let mut answers: Vec<Result<Added>> = match stored {
                Ok(stored) => stored.into_iter().map(|jobs| Ok(jobs.into())).collect(),
                Err(error) => (0..count).map(|_| Err(again(&error))).collect(),
            };
            for (place, error) in refused {
                // In the order of their places, so each finds its own.
                answers.insert(place, Err(error));
            }
            answers
        };
        Some(answers.boxed())
    }

    /// Stores a big batch, which is written while the rest of it is prepared.
    pub(super) fn add_big(&self, queue: &str, mut jobs: Vec<NewJob>, now: i64) -> Answers {
        let (parts, received) = mpsc::channel();
        let (caller, answer) = oneshot::channel();
        let task = Task::new(
            move |database: &mut Database| insert::add_streamed(database, &received),
            caller,
        );
        let sent = self.send(Durability::Synced, Care::Order, task);
        let queue = queue.to_owned();
        let answers = async move {
            sent?;
            while !jobs.is_empty() {
                let rest = jobs.split_off(PART.min(jobs.len()));
                // Nobody receives any more where it was refused already.
                let _ = parts.send(NewRow::all(&queue, std::mem::replace(&mut jobs, rest), now));
            }
            drop(parts);
            answer.await.map_err(|_| closed())?.map(Added::from)
        };
        answers.map(|answer| vec![answer]).boxed()
    }

    /// Stores a batch by itself.
    pub(super) fn add_special(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Answers {
        let queue = queue.to_owned();
        let (caller, answer) = oneshot::channel();
        let task = Task::new(move |database: &mut Database| add(database, &queue, jobs, now), caller);
        let sent = self.send(Durability::Synced, Care::Order, task);
        let answers = async move {
            sent?;
            answer.await.map_err(|_| closed())?
        };
        answers.map(|answer| vec![answer]).boxed()
    }
}
