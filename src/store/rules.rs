//! What every store has in common: how a new job begins, how things are written, how refusals are told.

use uuid::Uuid;

use super::job::{Job, JobStatus, NewJob};
use crate::error::{Code, Error, Result};

/// The lines of a job's log that are kept.
pub const LOG_LINES: i64 = 200;

/// The statuses of jobs that are over.
pub const FINAL: [JobStatus; 3] = [JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled];

/// A job as it is stored first.
pub fn begin(queue: &str, new: NewJob, now: i64) -> Job {
    let NewJob {
        name, data, options, ..
    } = new;
    let run_at = options
        .run_at
        .unwrap_or_else(|| now.saturating_add_unsigned(options.delay.unwrap_or(0)));
    let mut job = Job::waiting(Uuid::now_v7().to_string(), queue.to_owned(), name);
    if run_at > now {
        job.status = JobStatus::Scheduled;
    }
    Job {
        data,
        options,
        created_at: now,
        run_at,
        ..job
    }
}

/// A job of another store, as it begins here.
pub fn resume(queue: &str, mut job: Job) -> Job {
    queue.clone_into(&mut job.queue);
    if job.status == JobStatus::Running {
        job.status = JobStatus::Pending;
    }
    job
}

/// Whether workers may take it: one that waits for its time may not.
pub const fn is_ready(status: JobStatus) -> bool {
    matches!(status, JobStatus::Pending)
}

/// The number that stands for a status in a database.
pub const fn number(status: JobStatus) -> u8 {
    match status {
        JobStatus::Pending => 0,
        JobStatus::Scheduled => 1,
        JobStatus::Running => 2,
        JobStatus::Retrying => 3,
        JobStatus::Completed => 4,
        JobStatus::Failed => 5,
        JobStatus::Cancelled => 6,
    }
}

/// The status behind a number.
pub fn status(number: u8) -> Result<JobStatus> {
    Ok(match number {
        0 => JobStatus::Pending,
        1 => JobStatus::Scheduled,
        2 => JobStatus::Running,
        3 => JobStatus::Retrying,
        4 => JobStatus::Completed,
        5 => JobStatus::Failed,
        6 => JobStatus::Cancelled,
        other => return Err(damaged(format!("the status {other} is not known"))),
    })
}

/// A checksum of what never changes in a job, so that a damaged row is not taken for a good one: of
/// its id, queue, name, data and options.
pub fn checksum(parts: [&str; 5]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize()
}

/// JSON as it is stored.
pub fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(Code::OptionInvalid, "the job cannot be written as JSON").because(error))
}

/// Stored JSON as it was.
pub fn value<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(error.to_string()))
}

/// A row is not what it should be.
pub fn damaged(what: impl Into<String>) -> Error {
    Error::new(Code::StoreCorrupt, "a row of the job store is damaged").because(what.into())
}

/// A live job has the key.
pub fn duplicate(id: &str) -> Error {
    Error::new(
        Code::JobDuplicate,
        format!("the job {id} is live and has the same unique key; wait for it or cancel it"),
    )
    .with_details(serde_json::json!({ "jobId": id }))
}

/// There is no such job.
pub fn not_found(id: &str) -> Error {
    Error::new(Code::JobNotFound, format!("there is no job {id:?} in this queue"))
}

/// The job cannot be run again now.
pub fn not_again(status: JobStatus) -> Error {
    Error::new(
        Code::JobState,
        "only a failed, cancelled, retrying or scheduled job can be run again; this one is not",
    )
    .with_details(serde_json::json!({ "status": status }))
}

/// The error as it is told to each of those who waited for one commit.
pub fn again(error: &Error) -> Error {
    let copy = Error::new(error.code(), error.message()).with_details(error.details().clone());
    match std::error::Error::source(error) {
        Some(cause) => copy.because(cause.to_string()),
        None => copy,
    }
}

/// The store was closed.
pub fn closed() -> Error {
    Error::new(Code::Closed, "the job store is closed; open the queue again")
}
