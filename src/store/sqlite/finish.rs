//! What a running attempt tells, and how it ends.

use rusqlite::{OptionalExtension, params};

use super::database::Database;
use super::failure::coded;
use super::limited::limits;
use super::release::{release, release_if_parent};
use super::rows::{execute, optional};
use super::starts::{self, Start};
use super::{schedules, sql};
use crate::error::{Code, Result};
use crate::store::job::{JobFailure, JobStatus};
use crate::store::job_store::{Ending, Finish, Finished, Lease, Promoted, Report, Rescued};
use crate::store::rules::{LOG_LINES, json};

/// Due jobs that one command makes ready.
const PROMOTED: i64 = 5_000;

/// Ends attempts, each where its lease was not lost.
pub fn finish_all(database: &mut Database, finishes: &[Finish], now: i64) -> Result<Vec<Result<Finished>>> {
    let mut answers = Vec::with_capacity(finishes.len());
    for finish in finishes {
        match text(&finish.ending) {
            Ok(result) => answers.push(Ok(finish_one(database, finish, result.as_ref(), now)?)),
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

fn finish_one(database: &mut Database, finish: &Finish, result: Option<&String>, now: i64) -> Result<Finished> {
    if let Some(start) = database.starts.take(&finish.lease) {
        if end_started(database, &start, finish, result, now)? {
            // Only jobs of queues without limits are read ahead.
            return Ok(Finished {
                held: true,
                released: false,
                makes_room: false,
            });
        }
        starts::write(database, &start)?;
    }
    let Lease { id, fence } = &finish.lease;
    let (ended, held) = match &finish.ending {
        Ending::Completed { .. } => {
            let values = params![id, fence, result, now];
            (JobStatus::Completed, row(database, sql!("complete"), values)?)
        }
        Ending::Failed { failure, .. } => {
            let values = params![id, fence, result, now, failure.code, failure.message];
            (JobStatus::Failed, row(database, sql!("fail"), values)?)
        }
        Ending::Retry { failure, run_at, free } => {
            let values = params![id, fence, run_at, failure.code, failure.message, u8::from(*free)];
            (JobStatus::Retrying, row(database, sql!("retry_later"), values)?)
        }
        Ending::HandedBack => {
            // It is before others that were read ahead.
            database.windows.clear();
            let held = row(database, sql!("hand_back"), params![id, fence])?;
            (JobStatus::Pending, held)
        }
    };
    let Some((seq, parent, queue)) = held else {
        return Ok(Finished {
            held: false,
            released: false,
            makes_room: false,
        });
    };
    if parent {
        release(database, seq, id, ended, now)?;
    }
    if finish.remove {
        execute(database, sql!("remove"), params![id])?;
    }
    Ok(Finished {
        held: true,
        released: parent,
        makes_room: !limits(database, &queue)?.is_none(),
    })
}

/// Ends a job whose row still waits, so that start and end are one; false where it is not so simple.
fn end_started(database: &Database, start: &Start, finish: &Finish, result: Option<&String>, now: i64) -> Result<bool> {
    match &finish.ending {
        _ if start.parent => return Ok(false),
        Ending::Completed { .. } | Ending::Failed { .. } if finish.remove => {
            execute(database, sql!("remove_started"), [start.seq])?;
        }
        Ending::Completed { .. } => {
            let values = params![start.seq, start.fence, start.at, result, now];
            execute(database, sql!("complete_started"), values)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn row(database: &Database, sql: &'static str, values: impl rusqlite::Params) -> Result<Option<(i64, bool, String)>> {
    database
        .statement(sql)?
        .query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .map_err(coded)
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
                    ran: true,
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
                    ran: true,
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
