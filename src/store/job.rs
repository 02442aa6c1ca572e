//! The job: a row of work.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::job_data::JobData;

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub id: String,
    pub queue: String,
    pub name: String,
    pub data: JobData,
    pub options: JobOptions,
    pub status: JobStatus,
    /// Runs so far, the present one included.
    pub attempts: u32,
    /// 0 to 100.
    pub progress: f64,
    /// The pipeline's stage, for jobs that have stages.
    pub stage: Option<String>,
    /// The pipeline's iteration, for jobs that iterate; else 0.
    pub iteration: u32,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// What the next attempt goes on from.
    pub checkpoint: Value,
    /// What a completed job answered, or what a failed one left.
    pub result: Option<Value>,
    pub error: Option<JobFailure>,
    pub created_at: i64,
    /// When it may run, in milliseconds since 1970.
    pub run_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    /// Jobs of `options.depends_on` that are not over yet; it is `scheduled` until there are none.
    #[serde(default)]
    pub waits_for: u32,
}

/// Why the last attempt of a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    pub code: String,
    pub message: String,
}

/// A job's place in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    Pending,
    Scheduled,
    Running,
    Retrying,
    Completed,
    Failed,
    Cancelled,
}

impl Job {
    /// One that waits and has told nothing yet, without data, options and times.
    pub fn waiting(id: String, queue: String, name: String) -> Self {
        Self {
            id,
            queue,
            name,
            data: JobData::default(),
            options: JobOptions::default(),
            status: JobStatus::Pending,
            attempts: 0,
            progress: 0.0,
            stage: None,
            iteration: 0,
            log: Vec::new(),
            checkpoint: Value::Null,
            result: None,
            error: None,
            created_at: 0,
            run_at: 0,
            started_at: None,
            finished_at: None,
            waits_for: 0,
        }
    }
}

impl JobStatus {
    /// Nothing happens to it any more by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Smaller runs first, strictly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Priority {
    Critical = 0,
    High = 1,
    #[default]
    Normal = 2,
    Low = 3,
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority as Self
    }
}

impl TryFrom<u8> for Priority {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0 => Ok(Self::Critical),
            1 => Ok(Self::High),
            2 => Ok(Self::Normal),
            3 => Ok(Self::Low),
            other => Err(format!("priority must be 0 to 3, not {other}")),
        }
    }
}

/// How the delay grows from attempt to attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    #[default]
    Exponential,
    Linear,
    Fixed,
}

/// How a job is to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JobOptions {
    pub priority: Priority,
    /// Milliseconds from now; `run_at` is the other way to say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<u64>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<i64>,
    /// Milliseconds an attempt may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Further attempts after the first: 3 means up to four runs.
    pub retries: u32,
    /// Milliseconds before the first retry.
    pub retry_delay: u64,
    pub retry_backoff: Backoff,
    /// 0 to 1: the share of the delay that is random.
    pub jitter: f64,
    pub remove_on_complete: bool,
    pub remove_on_fail: bool,
    /// At most one live job a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<String>,
    pub on_duplicate: OnDuplicate,
    /// Within a priority, keys take turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fair_key: Option<String>,
    /// Ids of jobs of the queue that are to be over before; in a batch also the `ref` of another job of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    pub on_parent_failure: OnParentFailure,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The trace that the job belongs to, as the headers of W3C Trace Context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

/// What becomes of a job whose unique key a live job has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicate {
    /// It is refused, with the whole batch.
    #[default]
    Reject,
    /// It takes the place of the live job, which is cancelled.
    Replace,
    /// It is not stored; the live job is answered in its place.
    Keep,
}

/// What becomes of a job when one that it waits for failed or was cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnParentFailure {
    /// It fails too, with `DEPENDENCY_FAILED`.
    #[default]
    Fail,
    /// It runs as if that job had completed.
    Run,
}

/// A trace's context on its way to another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceContext {
    pub traceparent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baggage: Option<String>,
}

impl Default for JobOptions {
    fn default() -> Self {
        Self {
            priority: Priority::Normal,
            delay: None,
            run_at: None,
            timeout: None,
            retries: 3,
            retry_delay: 1000,
            retry_backoff: Backoff::Exponential,
            jitter: 0.2,
            remove_on_complete: false,
            remove_on_fail: false,
            unique_key: None,
            on_duplicate: OnDuplicate::Reject,
            fair_key: None,
            depends_on: Vec::new(),
            on_parent_failure: OnParentFailure::Fail,
            metadata: None,
            trace: None,
        }
    }
}

/// A job that is to be stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    pub name: String,
    pub data: JobData,
    #[serde(default)]
    pub options: JobOptions,
    /// What other jobs of its batch call it in their `depends_on`; it is not stored.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}
