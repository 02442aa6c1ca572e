//! Ends of attempts, many in one command.

use std::sync::LazyLock;

use rusqlite::{params, params_from_iter};

use super::database::Database;
use super::failure::coded;
use super::finish::row;
use super::limited::limits;
use super::pack::{self, State};
use super::release::release;
use super::rows::execute;
use super::sql;
use super::starts::{self, Start};
use super::task::Operation;
use crate::error::Result;
use crate::store::job::JobStatus;
use crate::store::job_store::{Ending, Finish, Finished, Lease};
use crate::store::rules::json;

/// The rows that one statement deletes.
const MANY: usize = 50;
const SOME: usize = 10;

static REMOVE_MANY: LazyLock<String> = LazyLock::new(|| remove_rows(MANY));
static REMOVE_SOME: LazyLock<String> = LazyLock::new(|| remove_rows(SOME));

fn remove_rows(rows: usize) -> String {
    let rows: Vec<_> = (1..=rows).map(|row| format!("?{row}")).collect();
    format!("DELETE FROM job WHERE seq IN ({})", rows.join(", "))
}

/// Attempts that end, each where its lease was not lost.
#[derive(Debug)]
pub struct Ends {
    finishes: Vec<Finish>,
    /// The starts among them whose rows do not tell them.
    starts: Vec<Option<Start>>,
    now: i64,
}

impl Ends {
    /// Of that time.
    pub const fn new(finishes: Vec<Finish>, now: i64) -> Self {
        Self {
            finishes,
            starts: Vec::new(),
            now,
        }
    }
}

impl Operation<Vec<Result<Finished>>> for Ends {
    fn prepare(&mut self, database: &mut Database) {
        let starts = &mut database.front().starts;
        self.starts = self.finishes.iter().map(|finish| starts.take(&finish.lease)).collect();
    }

    fn run(self, database: &mut Database) -> Result<Vec<Result<Finished>>> {
        let (now, mut answers) = (self.now, Vec::with_capacity(self.finishes.len()));
        let mut removed = Vec::new();
        for (finish, start) in self.finishes.iter().zip(self.starts) {
            if let Some(start) = start {
                if removes(&start, finish) {
                    if start.packed.is_none() {
                        removed.push(start.seq);
                    } else {
                        pack::end(database, start.seq)?;
                    }
                    answers.push(Ok(finished(false, false)));
                    continue;
                }
                if end_started(database, &start, finish, now)? {
                    // Only jobs of queues without limits are read ahead.
                    answers.push(Ok(finished(false, false)));
                    continue;
                }
                starts::write(database, &start)?;
            }
            match text(&finish.ending) {
                Ok(result) => answers.push(Ok(finish_one(database, finish, result.as_ref(), now)?)),
                // It cannot be stored, which is no matter of the others.
                Err(error) => answers.push(Err(error)),
            }
        }
        remove(database, &removed)?;
        Ok(answers)
    }
}

/// Whether the row of a job that it does not tell of goes with its end.
const fn removes(start: &Start, finish: &Finish) -> bool {
    let over = matches!(finish.ending, Ending::Completed { .. } | Ending::Failed { .. });
    finish.remove && over && !start.parent
}

/// Deletes rows, many in one statement.
fn remove(database: &Database, mut left: &[i64]) -> Result<()> {
    while !left.is_empty() {
        let (rows, sql): (usize, &'static str) = match left.len() {
            MANY.. => (MANY, &REMOVE_MANY),
            SOME.. => (SOME, &REMOVE_SOME),
            _ => (1, sql!("remove_started")),
        };
        let mut statement = database.statement(sql)?;
        while left.len() >= rows {
            let (now, later) = left.split_at(rows);
            statement.execute(params_from_iter(now)).map_err(coded)?;
            left = later;
        }
    }
    Ok(())
}

const fn finished(released: bool, makes_room: bool) -> Finished {
    Finished {
        held: true,
        released,
        makes_room,
    }
}

fn text(ending: &Ending) -> Result<Option<String>> {
    match ending {
        Ending::Completed { result } => json(result).map(Some),
        Ending::Failed { result, .. } => result.as_ref().map(json).transpose(),
        Ending::Retry { .. } | Ending::HandedBack => Ok(None),
    }
}

fn finish_one(database: &mut Database, finish: &Finish, result: Option<&String>, now: i64) -> Result<Finished> {
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
            database.front().windows.clear();
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
    Ok(finished(parent, !limits(database, &queue)?.is_none()))
}

/// Ends a job whose row still waits, so that start and end are one; false where it is not so simple.
fn end_started(database: &Database, start: &Start, finish: &Finish, now: i64) -> Result<bool> {
    match &finish.ending {
        _ if start.parent => return Ok(false),
        _ if finish.remove => return Ok(false),
        Ending::Completed { result } => {
            let Ok(result) = json(result) else { return Ok(false) };
            if let Some(packed) = &start.packed {
                let completed = State {
                    status: JobStatus::Completed,
                    fence: start.fence,
                    lease_until: 0,
                    started_at: Some(start.at),
                    result: Some(&result),
                    finished_at: Some(now),
                };
                return pack::take_out(database, packed, &completed);
            }
            let values = params![start.seq, start.fence, start.at, result, now];
            execute(database, sql!("complete_started"), values)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
