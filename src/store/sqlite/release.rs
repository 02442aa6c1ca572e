//! Jobs that wait for others.

use rusqlite::params;

use super::database::Database;
use super::rows::{execute, optional};
use super::sql;
use crate::error::Result;
use crate::store::dependencies;
use crate::store::job::{Job, JobStatus, OnParentFailure};

/// Notes what a stored job waits for.
pub fn depend(database: &Database, job: &Job, seq: i64) -> Result<()> {
    if job.waits_for == 0 {
        return Ok(());
    }
    let runs = job.options.on_parent_failure == OnParentFailure::Run;
    for parent in &job.options.depends_on {
        execute(database, sql!("depend_child"), params![parent, seq, runs])?;
        execute(database, sql!("depend_parent"), [parent])?;
    }
    Ok(())
}

/// Those that waited for a job that is over wait no more for it.
pub fn release(database: &Database, seq: i64, id: &str, ended: JobStatus, now: i64) -> Result<()> {
    if ended != JobStatus::Completed {
        let failure = dependencies::failure(id);
        execute(
            database,
            sql!("release_fail"),
            params![seq, failure.code, failure.message, now],
        )?;
    }
    execute(database, sql!("release"), [seq])?;
    execute(database, sql!("release_end"), [seq]).map(drop)
}

/// The same, where others waited for it; answers whether.
pub fn release_if_parent(database: &Database, id: &str, ended: JobStatus, now: i64) -> Result<bool> {
    let parent: Option<i64> = optional(database, sql!("parent_seq"), [id])?;
    if let Some(seq) = parent {
        release(database, seq, id, ended, now)?;
    }
    Ok(parent.is_some())
}
