//! What a store gave back or made ready by itself.

use super::job::JobFailure;
use super::schedule::Schedule;

/// A job that was given back, or given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    pub queue: String,
    pub id: String,
    pub name: String,
    /// It ran; else it was only read ahead.
    pub ran: bool,
    /// It failed with this: it stalled too often, or a job that it waited for failed.
    pub failure: Option<JobFailure>,
}

/// What became ready.
#[derive(Clone, Debug, Default)]
pub struct Promoted {
    pub queues: Vec<String>,
    /// Jobs that failed because one that they waited for did.
    pub failed: Vec<Rescued>,
    /// Schedules that are due; each is to be given to `fire`.
    pub schedules: Vec<Schedule>,
    /// When the next job or schedule falls due.
    pub next_due: Option<i64>,
}
