//! Looking at jobs: one, many, and how many there are.

use rusqlite::{OptionalExtension, params};

use super::database::Database;
use super::failure::coded;
use super::rows::{Raw, optional, raws, read, with_logs};
use super::{pack, sql};
use crate::error::Result;
use crate::store::job::{Job, JobStatus};
use crate::store::job_store::{Counts, JobFilter};
use crate::store::rules::{number, status};

/// Rows among which jobs that wait are looked for first.
const NEWEST: i64 = 5_000;

/// One job.
pub fn get(database: &Database, queue: &str, id: &str) -> Result<Option<Job>> {
    let sql = concat!("SELECT ", sql!("job_columns", "get"));
    let mut rows = raws(database, sql, params![queue, id])?;
    with_logs(database, &mut rows, 0)?;
    if rows.is_empty() {
        let packed = pack::find(database, id)?.filter(|packed| packed.chunk.queue == queue);
        rows.extend(packed.map(|packed| packed.raw()));
    }
    Ok(read(rows)?.pop())
}

/// Jobs, the newest first.
pub fn list(database: &Database, queue: &str, filter: &JobFilter) -> Result<Vec<Job>> {
    let before = match &filter.cursor {
        None => i64::MAX,
        Some(id) => place(database, id)?,
    };
    let limit = filter.limit.unwrap_or(100);
    let name = &filter.name;
    let mut rows = match filter.status {
        None => raws(
            database,
            concat!("SELECT ", sql!("job_columns", "list")),
            params![queue, before, name, limit],
        ),
        Some(JobStatus::Pending) => pending(database, queue, filter, before, limit),
        Some(JobStatus::Retrying) => raws(
            database,
            concat!("SELECT ", sql!("job_columns", "list_retrying")),
            params![queue, before, name, limit],
        ),
        Some(status) => raws(
            database,
            concat!("SELECT ", sql!("job_columns", "list_status")),
            params![queue, before, name, limit, number(status)],
        ),
    }?;
    with_logs(database, &mut rows, 0)?;
    if filter.status.is_none_or(|status| status == JobStatus::Pending) {
        let packed = pack::list(database, queue, name.as_deref(), before, limit as usize)?;
        if !packed.is_empty() {
            rows.extend(packed.iter().map(pack::Packed::raw));
            rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
            rows.truncate(limit as usize);
        }
    }
    read(rows)
}

/// The place of a job, from which a list goes on.
fn place(database: &Database, id: &str) -> Result<i64> {
    if let Some(seq) = optional(database, sql!("seq_of"), [id])? {
        return Ok(seq);
    }
    if let Some(seq) = pack::place(database, id)? {
        return Ok(seq);
    }
    // It was deleted meanwhile; ids are in the order of time.
    let row: Option<(String, i64)> = database
        .statement(sql!("seq_before"))?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(coded)?;
    let newest = row.max(pack::before(database, id)?);
    Ok(newest.map_or(0, |(_, seq)| seq + 1))
}

/// Where many wait, those that are asked for are among the newest of all jobs; else all that wait are looked through.
fn pending(database: &Database, queue: &str, filter: &JobFilter, before: i64, limit: u32) -> Result<Vec<Raw>> {
    let oldest = before.min(database.last_seq() + 1) - NEWEST;
    let newest = raws(
        database,
        concat!("SELECT ", sql!("job_columns", "list_newest")),
        params![queue, before, filter.name, limit, oldest],
    )?;
    if newest.len() == limit as usize {
        return Ok(newest);
    }
    raws(
        database,
        concat!("SELECT ", sql!("job_columns", "list_pending")),
        params![queue, before, filter.name, limit],
    )
}

/// How many jobs there are.
pub fn counts(database: &Database, queue: &str) -> Result<Counts> {
    let rows: Vec<(u8, u64)> = {
        let mut statement = database.statement(sql!("counts"))?;
        statement
            .query_map([queue], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))
            .and_then(Iterator::collect)
            .map_err(coded)?
    };
    let (again, pending, oldest): (i64, i64, Option<i64>) = database
        .statement(sql!("counts_ready"))?
        .query_row([queue], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .map_err(coded)?;
    let (packed, first) = pack::count(database, queue)?;
    let mut counts = Counts {
        pending: pending as u64 + packed,
        oldest_waiting: match first.filter(|first| oldest.is_none_or(|seq| first.seq() < seq)) {
            Some(first) => Some(first.raw().job.created_at),
            None => optional(database, sql!("oldest_waiting"), [oldest])?,
        },
        ..Counts::default()
    };
    for (which, count) in rows {
        *counts.of(status(which)?) = count;
    }
    counts.retrying += again as u64;
    Ok(counts)
}
