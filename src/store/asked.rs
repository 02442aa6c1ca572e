//! What users ask of a store, and what it answers.

use serde::{Deserialize, Serialize};

use super::job::{Job, JobStatus};

/// What became of an add.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Added {
    /// One for each that was to be added, in their order.
    pub jobs: Vec<Job>,
    /// Ids of those among them that were there already.
    pub kept: Vec<String>,
    /// Live jobs that were replaced, and are cancelled now.
    pub replaced: Vec<Job>,
}

impl Added {
    /// Takes over what another add did.
    pub fn extend(&mut self, other: Self) {
        self.jobs.extend(other.jobs);
        self.kept.extend(other.kept);
        self.replaced.extend(other.replaced);
    }
}

impl From<Vec<Job>> for Added {
    fn from(jobs: Vec<Job>) -> Self {
        Self {
            jobs,
            ..Self::default()
        }
    }
}

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JobFilter {
    pub status: Option<JobStatus>,
    pub name: Option<String>,
    /// 1 to 1000; 100 where it is not given.
    pub limit: Option<u32>,
    /// The id of the last job of the page before.
    pub cursor: Option<String>,
}

/// How many jobs of each status there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub pending: u64,
    pub scheduled: u64,
    pub running: u64,
    pub retrying: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// When the job that waits longest was added.
    pub oldest_waiting: Option<i64>,
}

impl Counts {
    /// The count of a status.
    pub const fn of(&mut self, status: JobStatus) -> &mut u64 {
        match status {
            JobStatus::Pending => &mut self.pending,
            JobStatus::Scheduled => &mut self.scheduled,
            JobStatus::Running => &mut self.running,
            JobStatus::Retrying => &mut self.retrying,
            JobStatus::Completed => &mut self.completed,
            JobStatus::Failed => &mut self.failed,
            JobStatus::Cancelled => &mut self.cancelled,
        }
    }
}

/// What is kept of final jobs, for each status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Retention {
    /// At most so many.
    pub count: u64,
    /// At most so long, in milliseconds.
    pub age: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            count: 10_000,
            age: 7 * 24 * 3_600_000,
        }
    }
}
