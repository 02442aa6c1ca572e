//! What a store of jobs must be able to do, in the words of a job's life.

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use serde_json::Value;
use tokio::sync::broadcast;

pub use super::asked::{Added, Counts, JobFilter, Retention};
pub use super::claim::{Claim, ClaimRequest, Claimed, Lease, ReadAhead};
use super::job::{Job, JobFailure, JobStatus, NewJob};
use super::limits::Limits;
pub use super::notice::Notice;
use super::plain::PlainAdds;
pub use super::released::{Promoted, Rescued};
use super::schedule::Schedule;
use super::shared_state::SharedState;
use crate::clock::SharedClock;
use crate::error::{Error, Result};

/// A batch that still arrives.
pub type Parts = BoxStream<'static, Result<Vec<NewJob>>>;

/// A store of jobs. Every answer is given after the commit that it speaks of.
///
/// `add`, `fire`, `finish`, `cancel`, `retry`, `clean` and what sets something are on the disk when they
/// return. `claim`, `report`, `renew`, `rescue`, `promote` and `prune` survive the death of the process
/// at once and a power cut a few milliseconds later.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Stores all of the jobs or none. Begins with `rules::begin_all`, which gives them their ids
    /// and knows the jobs of the batch that wait for one another.
    async fn add(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Result<Added>;

    /// Stores a batch that still arrives, all of it or none; an error among its parts refuses it. None of its jobs has
    /// a unique key, a `ref` or waits for another one.
    async fn add_parts(&self, queue: &str, mut parts: Parts, now: i64) -> Result<Added> {
        let mut jobs = Vec::new();
        while let Some(part) = parts.next().await {
            jobs.extend(part?);
        }
        self.add(queue, jobs, now).await
    }

    /// Stores batches that stand alone, each as a whole or not at all.
    async fn add_each(&self, queue: &str, batches: Vec<Vec<NewJob>>, now: i64) -> Vec<Result<Added>> {
        join_all(batches.into_iter().map(|jobs| self.add(queue, jobs, now))).await
    }

    /// The same for plain jobs, where that goes without a task.
    fn plain_adds(&self) -> Option<&dyn PlainAdds> {
        None
    }

    /// Stores jobs of another store as they are, in their order, all or none; answers how many
    /// were new. A job whose id is here already is left alone, and one that was running waits.
    async fn restore(&self, queue: &str, jobs: Vec<Job>) -> Result<u64>;

    /// Takes jobs for a worker: strictly by priority, in turns over the fair keys, first in
    /// first out in each, as far as the queue's limits allow.
    async fn claim(&self, request: ClaimRequest) -> Result<Claimed>;

    /// The same, and up to `ahead` more for when the worker has room again, where that is worth a
    /// call less and the queue has no limits.
    async fn claim_ahead(&self, request: ClaimRequest, _ahead: usize) -> Result<(Claimed, Vec<ReadAhead>)> {
        Ok((self.claim(request).await?, Vec::new()))
    }

    /// Notes that jobs which were read ahead have started, those whose lease was not lost.
    async fn begin(&self, _leases: Vec<Lease>, _now: i64) -> Result<()> {
        Ok(())
    }

    /// Whether `claim_ahead` reads ahead.
    fn reads_ahead(&self) -> bool {
        false
    }

    /// Ends an attempt, where its lease was not lost before. Jobs that waited for a job that is
    /// over (here, in `cancel`, `rescue`, `promote` or by a replacement) wait for one less; those
    /// that are to fail with it are marked in the same commit, and fail with the next `promote`.
    async fn finish(&self, finish: Finish, now: i64) -> Result<Finished>;

    /// Ends attempts, each as `finish` does.
    async fn finish_all(&self, finishes: Vec<Finish>, now: i64) -> Vec<Result<Finished>> {
        join_all(finishes.into_iter().map(|finish| self.finish(finish, now))).await
    }

    /// Stores what running jobs told; those whose lease was lost are left out.
    async fn report(&self, reports: Vec<Report>) -> Result<()>;

    /// Prolongs leases; answers those that were lost.
    async fn renew(&self, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>>;

    /// Gives back the jobs whose lease ended at or before `ended_by`. One that stalled more than
    /// `max_stalls` times fails. One that was read ahead and not noted as begun waits again as if it had not been taken.
    async fn rescue(&self, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>>;

    /// Makes due jobs ready that wait for no other job, ends those whose parent failed, and tells
    /// which schedules are due.
    async fn promote(&self, now: i64) -> Result<Promoted>;

    /// One job.
    async fn get(&self, queue: &str, id: &str) -> Result<Option<Job>>;

    /// Jobs, the newest first.
    async fn list(&self, queue: &str, filter: JobFilter) -> Result<Vec<Job>>;

    /// Cancels a job that is not final; answers it as it is then.
    async fn cancel(&self, queue: &str, id: &str, now: i64) -> Result<Option<Job>>;

    /// Makes a failed, cancelled, retrying or scheduled job ready at once.
    async fn retry(&self, queue: &str, id: &str, now: i64) -> Result<Job>;

    /// How many jobs there are.
    async fn counts(&self, queue: &str) -> Result<Counts>;

    /// Deletes final jobs that ended at or before `ended_by`; answers how many.
    async fn clean(&self, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64>;

    /// Deletes what retention does not keep; answers how many.
    async fn prune(&self, queue: &str, retention: Retention, now: i64) -> Result<u64>;

    /// Pauses or resumes a queue, for all workers and across restarts.
    async fn set_paused(&self, queue: &str, paused: bool) -> Result<()>;

    /// Is it paused?
    async fn is_paused(&self, queue: &str) -> Result<bool>;

    /// Sets the limits of a queue, for all workers and across restarts.
    async fn set_limits(&self, queue: &str, limits: Limits) -> Result<()>;

    /// The limits of a queue.
    async fn limits(&self, queue: &str) -> Result<Limits>;

    /// Stores a schedule in the place of one of its name. Where that has the same expression and
    /// time zone, its `next_at` and `last_at` stay, so that a restart misses nothing.
    async fn set_schedule(&self, schedule: Schedule) -> Result<()>;

    /// Deletes a schedule; false where there is none of that name.
    async fn remove_schedule(&self, queue: &str, id: &str) -> Result<bool>;

    /// The schedules of a queue, by their names.
    async fn schedules(&self, queue: &str) -> Result<Vec<Schedule>>;

    /// Adds the jobs of a schedule and sets when it is next due, in one commit; `None` where its
    /// `next_at` is another one now, since another process was first. Jobs that a unique key
    /// refuses are left out.
    async fn fire(
        &self,
        schedule: &Schedule,
        next_at: Option<i64>,
        jobs: Vec<NewJob>,
        now: i64,
    ) -> Result<Option<Added>>;

    /// The clock of this machine was set by so many milliseconds: what waits for a delay goes on to
    /// wait as long as before, what waits for a time of day does not. Nothing where the time is the
    /// server's.
    async fn shift(&self, _by: i64) -> Result<()> {
        Ok(())
    }

    /// The values that processes share under keys which begin with `prefix`, by their keys.
    async fn states(&self, prefix: &str, now: i64) -> Result<Vec<SharedState>>;

    /// Puts a shared value in place of that version of it, 0 where there is none; false where another version is
    /// there. It is on the disk when it returns.
    async fn set_state(&self, key: &str, version: i64, value: Value, now: i64) -> Result<bool>;

    /// Writes what waits and closes; later calls answer `CLOSED`.
    async fn close(&self);

    /// Tells what other processes do; `None` where no other process can use the store.
    fn notices(&self) -> Option<broadcast::Receiver<Notice>> {
        None
    }

    /// The store's own time, where several machines share it.
    fn clock(&self) -> Option<SharedClock> {
        None
    }

    /// Why the store cannot be reached at present.
    fn problem(&self) -> Option<Error> {
        None
    }

    /// What its administrator should know while all goes well.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Its lease was still held, so that the end counts.
    pub held: bool,
    /// Other jobs waited for this one: `promote` has something to do.
    pub released: bool,
    /// The queue has limits, so that its workers may find room now.
    pub makes_room: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Finish {
    pub lease: Lease,
    pub ending: Ending,
    /// The job is deleted instead of kept.
    pub remove: bool,
}

/// What becomes of the job.
#[derive(Clone, Debug)]
pub enum Ending {
    Completed {
        result: Value,
    },
    Failed {
        failure: JobFailure,
        result: Option<Value>,
    },
    /// `free`: the attempt is not counted.
    Retry {
        failure: JobFailure,
        run_at: i64,
        free: bool,
    },
    /// Its worker stopped: it waits again, and the attempt is not counted.
    HandedBack,
}

/// What a running job told since the last report.
#[derive(Clone, Debug)]
pub struct Report {
    pub lease: Lease,
    pub progress: Option<f64>,
    pub stage: Option<String>,
    pub iteration: Option<u32>,
    pub checkpoint: Option<Value>,
    pub lines: Vec<String>,
}
