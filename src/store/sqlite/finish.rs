//! What a running attempt tells, and how it ends.

use rusqlite::{OptionalExtension, params};

use super::database::Database;
use super::failure::coded;
use super::release::{release, release_if_parent};
use super::rows::{execute, optional};
use super::starts;
use super::{schedules, sql};
use crate::error::{Code, Result};
use crate::store::job::{JobFailure, JobStatus};
use crate::store::job_store::{Lease, Promoted, Report, Rescued};
use crate::store::rules::{LOG_LINES, json};

/// Due jobs that one command makes ready.
const PROMOTED: i64 = 5_000;

pub fn row(
    database: &Database,
    sql: &'static str,
    values: impl rusqlite::Params,
) -> Result<Option<(i64, bool, String)>> {
    database
        .statement(sql)?
        .query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .map_err(coded)
}

/// Stores what running jobs told.
pub fn report(database: &mut Database, reports: &[Report]) -> Result<()> {
    for report in reports {
        if let Some(start) = database.front().starts.take(&report.lease) {
            starts::write(database, &start)?;
        }
        let checkpoint = report.checkpoint.as_ref().map(json).transpose()?;
        let seq: Option<i64> = optional(
            database,
            sql!("report"),
            params![
                report.lease.id,
                report.lease.fence,
                report.progress,
                report.stage,
                report.iteration,
                checkpoint
            ],
        )?;
        if let Some(seq) = seq
            && !report.lines.is_empty()
        {
            for line in &report.lines {
                execute(database, sql!("log_add"), params![seq, line])?;
            }
            execute(database, sql!("log_trim"), params![seq, LOG_LINES])?;
        }
    }
    Ok(())
}

/// Prolongs leases; answers those that were lost.
pub fn renew(database: &mut Database, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
    let mut lost = Vec::new();
    for lease in leases {
        if database.front().starts.renew(&lease, until) {
            continue;
        }
        if execute(database, sql!("renew"), params![lease.id, lease.fence, until])? == 0 {
            lost.push(lease);
        }
    }
    Ok(lost)
}

/// Gives back, or gives up, the jobs whose lease ended.
pub fn rescue(database: &Database, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
    let found: Vec<(i64, u32, Rescued)> = {
        let mut statement = database.statement(sql!("rescue_find"))?;
        statement
            .query_map([ended_by], |row| {
                let rescued = Rescued {
                    id: row.get(1)?,
                    queue: row.get(2)?,
                    name: row.get(3)?,
                    failure: None,
                };
                Ok((row.get(0)?, row.get(4)?, rescued))
            })
            .and_then(Iterator::collect)
            .map_err(coded)?
    };
    found
        .into_iter()
        .map(|(seq, stalls, mut rescued)| {
            if stalls < max_stalls {
                execute(database, sql!("rescue_again"), [seq])?;
            } else {
                let failure = JobFailure {
                    code: Code::LeaseLost.as_str().to_owned(),
                    message: format!("its worker died {} times while it ran", stalls + 1),
                };
                execute(
                    database,
                    sql!("rescue_fail"),
                    params![seq, now, failure.code, failure.message],
                )?;
                release_if_parent(database, &rescued.id, JobStatus::Failed, now)?;
                rescued.failure = Some(failure);
            }
            Ok(rescued)
        })
        .collect()
}

/// Makes due jobs ready, ends those whose parent failed, and tells of due schedules.
pub fn promote(database: &Database, now: i64) -> Result<Promoted> {
    let mut failed = Vec::new();
    // An end may let others fail, which then are due at once.
    loop {
        let round = fail_with_parent(database, now)?;
        if round.is_empty() {
            break;
        }
        failed.extend(round);
    }
    let mut queues: Vec<String> = {
        let mut statement = database.statement(sql!("promote"))?;
        statement
            .query_map(params![now, PROMOTED], |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(coded)?
    };
    queues.sort_unstable();
    queues.dedup();
    let next_due = optional::<Option<i64>>(database, sql!("next_due"), [])?.flatten();
    Ok(Promoted {
        queues,
        failed,
        schedules: schedules::due(database, now)?,
        next_due,
    })
}

fn fail_with_parent(database: &Database, now: i64) -> Result<Vec<Rescued>> {
    let failed: Vec<(i64, Rescued)> = {
        let mut statement = database.statement(sql!("promote_failed"))?;
        statement
            .query_map(params![now, PROMOTED], |row| {
                let failure = JobFailure {
                    code: row.get(4)?,
                    message: row.get(5)?,
                };
                let rescued = Rescued {
                    id: row.get(1)?,
                    queue: row.get(2)?,
                    name: row.get(3)?,
                    failure: Some(failure),
                };
                Ok((row.get(0)?, rescued))
            })
            .and_then(Iterator::collect)
            .map_err(coded)?
    };
    for (seq, job) in &failed {
        release(database, *seq, &job.id, JobStatus::Failed, now)?;
    }
    Ok(failed.into_iter().map(|(_, job)| job).collect())
}
