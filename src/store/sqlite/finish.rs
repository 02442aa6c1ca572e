//! What a running attempt tells, and how it ends.

use rusqlite::params;

use super::database::Database;
use super::failure::coded;
use super::rows::{execute, json, optional};
use super::sql;
use crate::error::{Code, Result};
use crate::store::job::JobFailure;
use crate::store::job_store::{Ending, Finish, Lease, Promoted, Report, Rescued};

/// The lines of a job's log that are kept.
const LOG_LINES: i64 = 200;
/// Due jobs that one command makes ready.
const PROMOTED: i64 = 5_000;

/// Ends an attempt; false where its lease was lost.
pub fn finish(database: &Database, finish: &Finish, now: i64) -> Result<bool> {
    let Lease { id, fence } = &finish.lease;
    let changed = match &finish.ending {
        Ending::Completed { result } => execute(database, sql!("complete"), params![id, fence, json(result)?, now])?,
        Ending::Failed { failure, result } => {
            let result = result.as_ref().map(json).transpose()?;
            execute(
                database,
                sql!("fail"),
                params![id, fence, result, now, failure.code, failure.message],
            )?
        }
        Ending::Retry { failure, run_at, free } => execute(
            database,
            sql!("retry_later"),
            params![id, fence, run_at, failure.code, failure.message, u8::from(*free)],
        )?,
        Ending::HandedBack => execute(database, sql!("hand_back"), params![id, fence])?,
    };
    if changed > 0 && finish.remove {
        execute(database, sql!("remove"), params![id])?;
    }
    Ok(changed > 0)
}

/// Stores what running jobs told.
pub fn report(database: &Database, reports: &[Report]) -> Result<()> {
    for report in reports {
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
pub fn renew(database: &Database, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
    let mut lost = Vec::new();
    for lease in leases {
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
                rescued.failure = Some(failure);
            }
            Ok(rescued)
        })
        .collect()
}

/// Makes due jobs ready.
pub fn promote(database: &Database, now: i64) -> Result<Promoted> {
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
    Ok(Promoted { queues, next_due })
}
