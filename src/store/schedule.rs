//! A job that is added again and again, at the times of a cron expression.

use serde::{Deserialize, Serialize};

use super::job::NewJob;

/// A schedule as it is stored. When it is next due is decided by the queue; a store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    pub queue: String,
    /// Its name in the queue.
    pub id: String,
    pub cron: String,
    /// A name of the IANA database, such as `Europe/Berlin`.
    pub time_zone: String,
    pub missed: Missed,
    pub job: NewJob,
    /// When it is due, in milliseconds since 1970; `None` where its expression has no further time.
    pub next_at: Option<i64>,
    /// For what time it last added a job.
    pub last_at: Option<i64>,
}

/// What becomes of times at which no process was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// One job for all of them.
    #[default]
    Once,
    /// None.
    Skip,
    /// A job for each of them, up to a bound.
    All,
}
