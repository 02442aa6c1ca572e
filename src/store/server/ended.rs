//! The end of an attempt on its way to a server.

use crate::error::Result;
use crate::store::job::{JobFailure, JobStatus};
use crate::store::job_store::{Ending, Finish};
use crate::store::rules::json;

/// An end, with its result as JSON.
#[derive(Debug)]
pub struct Ended {
    pub id: String,
    pub fence: i64,
    pub status: JobStatus,
    pub result: Option<String>,
    pub failure: Option<JobFailure>,
    pub at: i64,
    /// The attempt does not count.
    pub uncounted: bool,
    /// Nothing of the job is kept.
    pub remove: bool,
}

impl Ended {
    /// Writes the result as JSON, on the caller's time.
    pub fn new(finish: Finish, now: i64) -> Result<Self> {
        let Finish { lease, ending, remove } = finish;
        let (status, result, failure, at, uncounted) = match ending {
            Ending::Completed { result } => (JobStatus::Completed, Some(json(&result)?), None, now, false),
            Ending::Failed { failure, result } => {
                let result = result.as_ref().map(json).transpose()?;
                (JobStatus::Failed, result, Some(failure), now, false)
            }
            Ending::Retry { failure, run_at, free } => (JobStatus::Retrying, None, Some(failure), run_at, free),
            Ending::HandedBack => (JobStatus::Pending, None, None, now, true),
        };
        Ok(Self {
            id: lease.id,
            fence: lease.fence,
            status,
            result,
            failure,
            at,
            uncounted,
            remove,
        })
    }

    /// About how big it is.
    pub fn bytes(&self) -> usize {
        200 + self.result.as_ref().map_or(0, String::len)
    }
}
