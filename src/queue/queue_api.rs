//! What a queue answers, whether its store is owned by this process or by another.

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::Value;

use super::{Job, JobFilter, JobStatus, Limits, Metrics, NewJob, Schedule, ScheduleOptions};
use crate::error::Result;
use crate::store::{Parts, SharedState};

/// A queue, near or far.
#[async_trait]
pub trait QueueApi: Send + Sync + 'static {
    /// Stores all of the jobs or none; they are on the disk when it returns.
    async fn add(&self, jobs: Vec<NewJob>) -> Result<Vec<Job>>;

    /// Stores a batch that still arrives, all of it or none, as `JobStore::add_parts` does.
    async fn add_parts(&self, mut parts: Parts) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        while let Some(part) = parts.next().await {
            jobs.extend(part?);
        }
        self.add(jobs).await
    }

    /// Stores batches that stand alone; one that cannot be read is refused as it is.
    async fn add_each(&self, batches: Vec<Result<Vec<NewJob>>>) -> Vec<Result<Vec<Job>>> {
        let adds = batches.into_iter().map(async |batch| self.add(batch?).await);
        futures_util::future::join_all(adds).await
    }

    /// One job; `None` where there is none of that id.
    async fn get(&self, id: &str) -> Result<Option<Job>>;

    /// Jobs, the newest first.
    async fn list(&self, filter: JobFilter) -> Result<Vec<Job>>;

    /// Cancels a waiting or running job; false where it is final or unknown.
    async fn cancel(&self, id: &str) -> Result<bool>;

    /// Runs a failed, cancelled, retrying or scheduled job at once, with fresh attempts.
    async fn retry(&self, id: &str) -> Result<Job>;

    /// How the queue does.
    async fn metrics(&self) -> Result<Metrics>;

    /// Deletes final jobs that ended more than `older_than` milliseconds ago; `None` means every
    /// final status.
    async fn clean(&self, older_than: u64, status: Option<JobStatus>) -> Result<u64>;

    /// No worker takes further jobs, until it is resumed; survives a restart.
    async fn pause(&self) -> Result<()>;

    /// Workers take jobs again.
    async fn resume(&self) -> Result<()>;

    /// Sets what holds its jobs back, for all workers and across restarts.
    async fn set_limits(&self, limits: Limits) -> Result<()>;

    /// What holds its jobs back.
    async fn limits(&self) -> Result<Limits>;

    /// Adds a job again and again, in the place of a schedule of that name.
    async fn schedule(&self, id: &str, options: ScheduleOptions) -> Result<Schedule>;

    /// Ends a schedule; false where there is none of that name.
    async fn unschedule(&self, id: &str) -> Result<bool>;

    /// Its schedules, by their names.
    async fn schedules(&self) -> Result<Vec<Schedule>>;

    /// What the processes on the store share, under keys that begin with `prefix`: of the store, not of this queue.
    async fn states(&self, prefix: &str) -> Result<Vec<SharedState>>;

    /// Puts a shared value in place of that version of it, 0 where there is none; false where another one is there.
    async fn set_state(&self, key: &str, version: i64, value: Value) -> Result<bool>;
}
