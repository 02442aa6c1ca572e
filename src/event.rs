//! What the engine tells: hints for listeners. The store is the truth.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that happened to a job, told after it was committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The queue's name.
    pub queue: String,
    /// The job's id.
    pub job_id: String,
    /// The job's name.
    pub name: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// It was stored.
    Added,
    /// A worker runs it.
    Started { attempt: u32 },
    /// It came further. `stage` and `iteration` are told by jobs that have them.
    Progress {
        progress: f64,
        stage: Option<String>,
        iteration: Option<u32>,
        message: Option<String>,
    },
    /// It wrote a line to its log.
    Log { line: String },
    /// It is done.
    Completed { result: Value },
    /// Its last attempt failed.
    Failed { code: String, message: String },
    /// An attempt failed; the next one starts at `run_at`.
    Retrying { code: String, message: String, run_at: i64 },
    /// It was cancelled.
    Cancelled,
    /// Its worker died or lost its lease; it runs again.
    Stalled,
}

impl EventKind {
    /// All names, each at the place that `place` answers.
    pub const NAMES: [&'static str; 9] = [
        "added",
        "started",
        "progress",
        "log",
        "completed",
        "failed",
        "retrying",
        "cancelled",
        "stalled",
    ];

    /// The place of its name among all.
    pub const fn place(&self) -> usize {
        match self {
            Self::Added => 0,
            Self::Started { .. } => 1,
            Self::Progress { .. } => 2,
            Self::Log { .. } => 3,
            Self::Completed { .. } => 4,
            Self::Failed { .. } => 5,
            Self::Retrying { .. } => 6,
            Self::Cancelled => 7,
            Self::Stalled => 8,
        }
    }

    /// Its name in `type`.
    pub const fn name(&self) -> &'static str {
        Self::NAMES[self.place()]
    }

    /// Nothing follows it.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled)
    }
}

/// A line of the engine's own log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    pub message: String,
    /// Milliseconds since 1970.
    pub at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What else it says.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub fields: serde_json::Map<String, Value>,
}

/// Where events go. An implementation never blocks: it drops what it cannot take.
pub trait EventSink: Send + Sync + 'static {
    /// Takes one event.
    fn emit(&self, event: Event);

    /// Whether it takes events of that kind at all; such as it does not take are not made.
    fn hears(&self, _kind: &EventKind) -> bool {
        true
    }

    /// Takes lines of the engine's log, redacted. Default: nowhere.
    fn log(&self, _lines: Vec<LogLine>) {}
}

/// A sink that takes nothing.
#[derive(Debug)]
pub struct NoSink;

impl EventSink for NoSink {
    fn emit(&self, _event: Event) {}

    fn hears(&self, _kind: &EventKind) -> bool {
        false
    }
}
