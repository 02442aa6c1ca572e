//! What a running attempt tells, and how it ends.

use rusqlite::params;

use super::database::Database;
use super::failure::coded;
use super::rows::{execute, optional};
use super::{sql, starts};
use crate::error::{Code, Result};
use crate::store::job::JobFailure;
use crate::store::job_store::{Ending, Finish, Lease, Promoted, Report, Rescued};
use crate::store::rules::{LOG_LINES, json};

/// Due jobs that one command makes ready.
const PROMOTED: i64 = 5_000;

/// Ends attempts; answers, for each, whether its lease was still held.
pub fn finish_all(database: &mut Database, finishes: &[Finish], now: i64) -> Result<Vec<Result<bool>>> {
    let mut answers = Vec::with_capacity(finishes.len());
    for finish in finishes {
        match text(&finish.ending) {
            Ok(result) => answers.push(Ok(finish_one(database, finish, result, now)?)),
            // It cannot be stored, which is no matter of the others.
            Err(error) => answers.push(Err(error)),
        }
    }
    Ok(answers)
}

fn text(ending: &Ending) -> Result<Option<String>> {
    match ending {
        Ending::Completed { result } => json(result).map(Some),
        Ending::Failed { result, .. } => result.as_ref().map(json).transpose(),
        Ending::Retry { .. } | Ending::HandedBack => Ok(None),
    }
}

fn finish_one(database: &mut Database, finish: &Finish, result: Option<String>, now: i64) -> Result<bool> {
    if let Some(start) = database.starts.take(&finish.lease) {
        // Its row still waits: start and end are one.
        match &finish.ending {
            Ending::Completed { .. } | Ending::Failed { .. } if finish.remove => {
                execute(database, sql!("remove_started"), [start.seq])?;
                return Ok(true);
            }
            Ending::Completed { .. } => {
                let values = params![start.seq, start.fence, start.at, result, now];
                execute(database, sql!("complete_started"), values)?;
                return Ok(true);
            }
            _ => starts::write(database, &start)?,
        }
    }
    let Lease { id, fence } = &finish.lease;
    let changed = match &finish.ending {
        Ending::Completed { .. } => execute(database, sql!("complete"), params![id, fence, result, now])?,
        Ending::Failed { failure, .. } => execute(
            database,
            sql!("fail"),
            params![id, fence, result, now, failure.code, failure.message],
        )?,
        Ending::Retry { failure, run_at, free } => execute(
            database,
            sql!("retry_later"),
            params![id, fence, run_at, failure.code, failure.message, u8::from(*free)],
        )?,
        Ending::HandedBack => {
            // It is before others that were read ahead.
            database.windows.clear();
            execute(database, sql!("hand_back"), params![id, fence])?
        }
    };
    if changed > 0 && finish.remove {
        execute(database, sql!("remove"), params![id])?;
    }
    Ok(changed > 0)
}

/// Stores what running jobs told.
pub fn report(database: &mut Database, reports: &[Report]) -> Result<()> {
    for report in reports {
        if let Some(start) = database.starts.take(&report.lease) {
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
        if database.starts.renew(&lease, until) {
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
