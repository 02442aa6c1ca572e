//! What the store knows of the next jobs without asking the database. Workers take from it without
//! waiting for the thread that owns the connection, which may be in the middle of a commit.

use super::rows::Raw;
use super::starts::{Start, Starts};
use super::window::Windows;
use crate::store::job::JobStatus;
use crate::store::job_store::ClaimRequest;
use crate::store::rules::number;

/// Starts that are not written, and jobs that were read ahead.
#[derive(Debug, Default)]
pub struct Hot {
    pub starts: Starts,
    pub windows: Windows,
    /// The present transaction needs the rows as they are, or read some that it may undo.
    suspended: bool,
}

impl Hot {
    /// Takes all that is asked for, where it was read already and nothing stands against it.
    pub fn claim(&mut self, request: &ClaimRequest) -> Option<Vec<Raw>> {
        if self.suspended {
            return None;
        }
        let rows = self.windows.take_ready(request)?;
        match self.begin(request, rows) {
            Ok(rows) => {
                self.starts.keep_last(rows.len());
                Some(rows)
            }
            Err(rows) => {
                self.windows.give_back(&request.queue, rows);
                None
            }
        }
    }

    /// Notes that the jobs start; gives them back where there is no room for the notes.
    pub fn begin(&mut self, request: &ClaimRequest, mut rows: Vec<Raw>) -> Result<Vec<Raw>, Vec<Raw>> {
        let starts: Vec<(String, Start)> = rows
            .iter()
            .map(|row| {
                let start = Start {
                    seq: row.seq,
                    fence: row.fence + 1,
                    at: request.now,
                    lease_until: request.lease_until,
                    parent: row.parent,
                };
                (row.job.id.clone(), start)
            })
            .collect();
        if !self.starts.begin(&starts) {
            return Err(rows);
        }
        for row in &mut rows {
            row.fence += 1;
            row.status = number(JobStatus::Running);
            row.job.attempts += 1;
            row.job.started_at = Some(request.now);
        }
        Ok(rows)
    }

    /// Nothing is taken from here until the present transaction is over.
    pub const fn suspend(&mut self) {
        self.suspended = true;
    }

    /// The transaction is written.
    pub fn committed(&mut self) {
        self.starts.committed();
        self.suspended = false;
    }

    /// It is not.
    pub fn rolled_back(&mut self) {
        self.starts.rolled_back();
        self.windows.clear();
        self.suspended = false;
    }
}
