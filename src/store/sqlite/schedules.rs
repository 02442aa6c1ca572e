//! Schedules of jobs that are added again and again.

use rusqlite::params;

use super::add::add;
use super::database::Database;
use super::failure::coded;
use super::rows::execute;
use super::sql;
use crate::error::{Code, Result};
use crate::store::job::NewJob;
use crate::store::job_store::Added;
use crate::store::rules::{json, value};
use crate::store::schedule::Schedule;

/// What a schedule is read with, and what it is stored with.
pub const COLUMNS: &str = sql!("schedule_columns");
pub const SET: &str = sql!("schedule_set");

/// Stores one.
pub fn set(database: &Database, schedule: &Schedule) -> Result<()> {
    let values = params![
        schedule.queue,
        schedule.id,
        schedule.cron,
        schedule.time_zone,
        json(&schedule.missed)?,
        json(&schedule.job)?,
        schedule.next_at,
        schedule.last_at,
    ];
    execute(database, SET, values).map(drop)
}

/// Deletes one; false where there is none.
pub fn remove(database: &Database, queue: &str, id: &str) -> Result<bool> {
    Ok(execute(database, sql!("schedule_remove"), [queue, id])? > 0)
}

/// Those of a queue.
pub fn list(database: &Database, queue: &str) -> Result<Vec<Schedule>> {
    read(database, sql!("schedule_columns", "schedule_list"), [queue])
}

/// Those that are due.
pub fn due(database: &Database, now: i64) -> Result<Vec<Schedule>> {
    read(database, sql!("schedule_columns", "schedule_due"), [now])
}

fn read(database: &Database, sql: &'static str, values: impl rusqlite::Params) -> Result<Vec<Schedule>> {
    let rows: Vec<(Schedule, String, String)> = {
        let mut statement = database.statement(sql)?;
        statement
            .query_map(values, |row| {
                let schedule = Schedule {
                    queue: row.get(0)?,
                    id: row.get(1)?,
                    cron: row.get(2)?,
                    time_zone: row.get(3)?,
                    next_at: row.get(6)?,
                    last_at: row.get(7)?,
                    ..Schedule::default()
                };
                Ok((schedule, row.get(4)?, row.get(5)?))
            })
            .and_then(Iterator::collect)
            .map_err(coded)?
    };
    rows.into_iter()
        .map(|(schedule, missed, job)| {
            Ok(Schedule {
                missed: value(&missed)?,
                job: value(&job)?,
                ..schedule
            })
        })
        .collect()
}

/// Adds the jobs of one; `None` where its time is another one now.
pub fn fire(
    database: &mut Database,
    schedule: &Schedule,
    next_at: Option<i64>,
    jobs: Vec<NewJob>,
    now: i64,
) -> Result<Option<Added>> {
    let Schedule { queue, id, .. } = schedule;
    let values = params![queue, id, schedule.next_at, next_at];
    if execute(database, sql!("schedule_fire"), values)? == 0 {
        return Ok(None);
    }
    let mut all = Added::default();
    for job in jobs {
        match add(database, queue, vec![job], now) {
            Ok(added) => all.extend(added),
            Err(error) if error.code() == Code::JobDuplicate => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(all))
}
