//! The ways in which adds reach the store's thread: all that were called together are sent before
//! any is waited for.

use std::sync::mpsc;

use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::oneshot;

use super::add::add;
use super::database::Database;
use super::insert::{self, NewRow, PlainAdds};
use super::sqlite_store::SqliteStore;
use super::task::Task;
use super::writer::{Care, Durability};
use crate::error::{Code, Error, Result};
use crate::store::job::NewJob;
use crate::store::job_store::{Added, Parts};
use crate::store::rules::{again, closed};

/// Jobs of a big batch that are prepared at a time.
const PART: usize = 1_000;

/// How a batch is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Together with others.
    Plain,
    /// Written while the rest of it is prepared.
    Big,
    /// Its unique keys and what it waits for are looked at.
    Special,
}

const fn is_special(job: &NewJob) -> bool {
    job.options.unique_key.is_some() || !job.options.depends_on.is_empty()
}

/// The way of a batch.
fn way(batch: &[NewJob]) -> Way {
    if batch.iter().any(is_special) {
        Way::Special
    } else if batch.len() > PART {
        Way::Big
    } else {
        Way::Plain
    }
}

fn plain(part: Vec<NewJob>) -> Result<Vec<NewJob>> {
    if part.iter().any(is_special) {
        return Err(Error::new(
            Code::OptionInvalid,
            "jobs with a `uniqueKey` or `dependsOn` cannot be added part by part; add them in a smaller batch",
        ));
    }
    Ok(part)
}

/// The answers to the batches that went one way together.
type Answers = BoxFuture<'static, Vec<Result<Added>>>;

impl SqliteStore {
    /// Stores batches that stand alone.
    pub(super) async fn add_all(&self, queue: &str, batches: Vec<Vec<NewJob>>, now: i64) -> Vec<Result<Added>> {
        let mut waiting = Vec::new();
        let mut all_plain = Vec::new();
        for batch in batches {
            match way(&batch) {
                Way::Plain => all_plain.push(batch),
                way => {
                    // In their order, so that the first is first.
                    waiting.extend(self.add_plain(queue, std::mem::take(&mut all_plain), now));
                    waiting.push(match way {
                        Way::Big => self.add_big(queue, batch, now),
                        _ => self.add_special(queue, batch, now),
                    });
                }
            }
        }
        waiting.extend(self.add_plain(queue, all_plain, now));
        join_all(waiting).await.into_iter().flatten().collect()
    }

    /// Stores batches that are plain.
    fn add_plain(&self, queue: &str, batches: Vec<Vec<NewJob>>, now: i64) -> Option<Answers> {
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
    fn add_big(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Answers {
        let mut left = jobs.into_iter();
        let parts = std::iter::from_fn(move || {
            let part: Vec<NewJob> = left.by_ref().take(PART).collect();
            (!part.is_empty()).then_some(Ok(part))
        });
        let answer = self.add_streamed(queue, stream::iter(parts).boxed(), now);
        answer.map(|answer| vec![answer]).boxed()
    }

    /// Stores a batch that still arrives, which is written meanwhile.
    pub(super) fn add_streamed(&self, queue: &str, mut parts: Parts, now: i64) -> BoxFuture<'static, Result<Added>> {
        let (rows, received) = mpsc::channel();
        let (caller, answer) = oneshot::channel();
        let task = Task::new(
            move |database: &mut Database| insert::add_streamed(database, &received),
            caller,
        );
        let sent = self.send(Durability::Synced, Care::Order, task);
        let queue = queue.to_owned();
        let answer = async move {
            sent?;
            while let Some(part) = parts.next().await {
                if part.as_ref().is_ok_and(Vec::is_empty) {
                    continue;
                }
                let part = part.and_then(|part| NewRow::all(&queue, plain(part)?, now));
                // Nobody receives any more where it was refused already.
                if rows.send(part).is_err() {
                    break;
                }
            }
            let _ = rows.send(Ok(Vec::new()));
            answer.await.map_err(|_| closed())?.map(Added::from)
        };
        answer.boxed()
    }

    /// Stores a batch by itself.
    fn add_special(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Answers {
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
