//! The life of a job: claim, lease, retry, schedule, rescue, prune.

mod access;
mod ahead;
mod attempt;
mod backoff;
mod check;
mod core;
mod cron;
mod ends;
mod heartbeat;
mod hub;
mod intake;
mod member;
mod notices;
mod outcome;
mod plain;
mod queue_api;
mod reading;
mod reports;
mod room;
mod running;
mod schedules;
mod seat;
mod socket;
mod start;
mod stats;
mod succession;
mod the_queue;
mod ticket;
mod worker;

#[cfg(test)]
mod ahead_tests;
#[cfg(test)]
mod succession_tests;
#[cfg(test)]
mod tests;

pub use self::access::{Access, Owner, open, open_server};
pub use self::check::result as check_result;
pub use self::core::Subscription;
pub use self::hub::{Hub, HubOptions};
pub use self::member::{Member, MemberOptions};
pub use self::queue_api::QueueApi;
pub use self::reading::read;
pub use self::running::{Stop, Why};
pub use self::schedules::ScheduleOptions;
pub use self::seat::Where;
pub use self::socket::{Methods, Peer, RemoteQueue, RpcHandler};
pub use self::stats::{Metrics, Percentiles};
pub use self::succession::{Sitter, Succession};
pub use self::the_queue::Queue;
pub use self::ticket::{Ticket, end_all, end_all_for_others};
pub use self::worker::{Worker, WorkerOptions};
pub use crate::store::{
    Backoff, Job, JobData, JobFailure, JobFilter, JobOptions, JobStatus, Limits, NewJob, OnDuplicate, PlainAdded,
    PlainJobs, Priority, Retention, Schedule,
};

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// What carries out the jobs of one name.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Runs one attempt.
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError>;

    /// Whether attempts without a time-out are given to `start` instead, many at once.
    fn takes_tickets(&self) -> bool {
        false
    }

    /// Starts attempts, each of which is ended by `end_all`; one that is not stays.
    fn start(&self, _tickets: Vec<Arc<Ticket>>) {}

    /// The attempt that was called so is over; what it still does is in vain.
    fn abort(&self, _number: u32, _why: Stop) {}
}

/// How an attempt ended that did not succeed.
#[derive(Debug)]
pub enum AttemptError {
    /// Try again after the usual delay, while attempts last.
    Retry(Error),
    /// Try again after so many milliseconds, while attempts last.
    RetryAfter(Error, u64),
    /// Put it back for so many milliseconds, or until it is retried by hand; the attempt is not
    /// counted.
    Wait(Error, u64),
    /// Final: no further attempt. `result` is kept beside the error (such as a report).
    Abort(Error, Option<Value>),
}

/// One run of a job by a worker.
pub struct Attempt {
    /// The job as it was claimed.
    pub job: Job,
    /// Cancelled when the job is cancelled, timed out, or its worker stops.
    pub token: CancellationToken,
    /// Why it was.
    pub why: Why,
    /// Whether a failure of this run is final, since no further one is left.
    pub is_last: bool,
    /// What the run tells.
    pub reporter: Arc<dyn Reporter>,
}

/// What a running job tells; each is stored and sent as an event.
pub trait Reporter: Send + Sync {
    /// 0 to 100, and, for jobs that have them, stage and iteration.
    fn progress(&self, progress: f64, stage: Option<&str>, iteration: Option<u32>);

    /// One line of the bounded log.
    fn log(&self, line: &str);

    /// State from which the next attempt goes on; durable when the next progress or the end is.
    fn checkpoint(&self, state: Value);
}
