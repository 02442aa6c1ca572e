//! What users ask of a queue: add, look, cancel, retry, clean.

use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, LazyLock};

use rusqlite::{Statement, ToSql, params};

use super::database::Database;
use super::failure::coded;
use super::rows::{execute, jobs, optional};
use super::sql;
use crate::error::{Error, Result};
use crate::store::job::{Job, JobOptions, JobStatus, NewJob};
use crate::store::job_store::{Counts, JobFilter, Retention};
use crate::store::rules::{FINAL, begin, duplicate, is_ready, json, not_again, not_found, number, resume, status};

/// The values of a row, and the rows of one statement.
const COLUMNS: usize = 13;
const ROWS: usize = 25;

/// `add.sql` with so many rows.
static MANY: LazyLock<String> = LazyLock::new(|| {
    let (insert, _) = sql!("add").split_once("VALUES").unwrap_or_default();
    let row = |row: usize| {
        let values = (1..=COLUMNS).map(|column| format!("?{}", row * COLUMNS + column));
        format!("({})", values.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<_> = (0..ROWS).map(row).collect();
    format!("{insert} VALUES {}", rows.join(", "))
});

/// A job that is to be stored, with its texts.
#[derive(Debug)]
pub struct NewRow {
    job: Job,
    data: String,
    options: Arc<str>,
}

impl NewRow {
    /// Writes jobs as JSON, on the caller's time.
    pub fn all(queue: &str, new: Vec<NewJob>, now: i64) -> Result<Vec<Self>> {
        let mut rows: Vec<Self> = Vec::with_capacity(new.len());
        for new in new {
            let job = begin(queue, new, now);
            let (data, options) = (json(&job.data)?, options(&job.options, rows.last())?);
            rows.push(Self { job, data, options });
        }
        Ok(rows)
    }
}

/// Jobs that come together mostly have the same.
fn options(options: &JobOptions, last: Option<&NewRow>) -> Result<Arc<str>> {
    match last {
        Some(last) if last.job.options == *options => Ok(last.options.clone()),
        _ => Ok(json(options)?.into()),
    }
}

/// Stores batches that stand alone; each is stored as a whole or refused.
pub fn add_each(database: &mut Database, batches: Vec<Result<Vec<NewRow>>>) -> Result<Vec<Result<Vec<Job>>>> {
    let add = |batch| match batch {
        Ok(batch) => add(database, batch),
        Err(error) => Ok(Err(error)),
    };
    batches.into_iter().map(add).collect()
}

/// Stores one batch that still arrives; an error undoes nothing here.
pub fn add_streamed(database: &mut Database, parts: &Receiver<Result<Vec<NewRow>>>) -> Result<Vec<Job>> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(add(database, part?)??);
    }
    Ok(all)
}

fn add(database: &mut Database, batch: Vec<NewRow>) -> Result<Result<Vec<Job>>> {
    for row in &batch {
        let (priority, key) = (row.job.options.priority, row.job.options.fair_key.as_deref());
        database
            .windows
            .added(&row.job.queue, priority.into(), key.unwrap_or(""));
    }
    // Only a unique key can be refused.
    if batch.iter().all(|row| row.job.options.unique_key.is_none()) {
        return insert(database, batch).map(Ok);
    }
    match refusal(database, &batch)? {
        None => insert(database, batch).map(Ok),
        Some(error) => Ok(Err(error)),
    }
}

fn insert(database: &mut Database, batch: Vec<NewRow>) -> Result<Vec<Job>> {
    let mut seq = database.next_seqs(batch.len());
    for rows in batch.chunks(ROWS) {
        // One statement keeps its place in each index from row to row, where new rows mostly are last.
        let mut statement = database.statement(if rows.len() == ROWS { &MANY } else { sql!("add") })?;
        for single in rows.chunks(if rows.len() == ROWS { ROWS } else { 1 }) {
            for (place, row) in single.iter().enumerate() {
                bind(&mut statement, place * COLUMNS, row, seq).map_err(coded)?;
                seq += 1;
            }
            statement.raw_execute().map_err(coded)?;
        }
    }
    Ok(batch.into_iter().map(|row| row.job).collect())
}

fn bind(statement: &mut Statement<'_>, before: usize, row: &NewRow, seq: i64) -> rusqlite::Result<()> {
    let NewRow { job, data, options } = row;
    let ready = job.status != JobStatus::Scheduled;
    let values: [&dyn ToSql; COLUMNS] = [
        &job.id,
        &job.queue,
        &job.name,
        data,
        &&**options,
        &number(job.status),
        &ready,
        &u8::from(job.options.priority),
        &job.options.fair_key.as_deref().unwrap_or(""),
        &job.options.unique_key,
        &job.created_at,
        &job.run_at,
        &seq,
    ];
    for (place, value) in values.into_iter().enumerate() {
        statement.raw_bind_parameter(before + place + 1, value)?;
    }
    Ok(())
}

/// The live job that one of the batch stands against, in the store or in the batch itself.
fn refusal(database: &Database, batch: &[NewRow]) -> Result<Option<Error>> {
    let mut own = HashMap::new();
    for row in batch {
        let Some(key) = &row.job.options.unique_key else {
            continue;
        };
        if let Some(id) = own.insert(key, &row.job.id) {
            return Ok(Some(duplicate(id)));
        }
        let live: Option<String> = optional(database, sql!("find_unique"), params![row.job.queue, key])?;
        if let Some(id) = live {
            return Ok(Some(duplicate(&id)));
        }
    }
    Ok(None)
}

/// Stores jobs of another store.
pub fn restore(database: &mut Database, queue: &str, jobs: Vec<Job>) -> Result<u64> {
    let mut restored = 0;
    for job in jobs.into_iter().map(|job| resume(queue, job)) {
        let (code, message) = job.error.as_ref().map(|error| (&error.code, &error.message)).unzip();
        let values = params![
            job.id,
            job.queue,
            job.name,
            json(&job.data)?,
            json(&job.options)?,
            number(job.status),
            is_ready(job.status),
            u8::from(job.options.priority),
            job.options.fair_key.as_deref().unwrap_or(""),
            job.options.unique_key,
            job.attempts,
            job.progress,
            job.stage,
            job.iteration,
            json(&job.checkpoint)?,
            job.result.as_ref().map(json).transpose()?,
            code,
            message,
            job.created_at,
            job.run_at,
            job.started_at,
            job.finished_at,
        ];
        if execute(database, sql!("restore"), values)? > 0 {
            restored += 1;
            let seq: Option<i64> = optional(database, sql!("seq_of"), [&job.id])?;
            for line in &job.log {
                execute(database, sql!("log_add"), params![seq, line])?;
            }
        }
    }
    database.find_seq()?;
    Ok(restored)
}

/// One job.
pub fn get(database: &Database, queue: &str, id: &str) -> Result<Option<Job>> {
    Ok(jobs(
        database,
        concat!("SELECT ", sql!("job_columns", "get")),
        params![queue, id],
    )?
    .pop())
}

/// Jobs, the newest first.
pub fn list(database: &Database, queue: &str, filter: &JobFilter) -> Result<Vec<Job>> {
    let before: i64 = match &filter.cursor {
        None => i64::MAX,
        Some(id) => match optional(database, sql!("seq_of"), [id])? {
            Some(seq) => seq,
            // It was deleted meanwhile; ids are in the order of time.
            None => optional(database, sql!("seq_before"), [id])?.unwrap_or(0),
        },
    };
    let limit = filter.limit.unwrap_or(100);
    match filter.status {
        None => jobs(
            database,
            concat!("SELECT ", sql!("job_columns", "list")),
            params![queue, before, filter.name, limit],
        ),
        Some(status) => jobs(
            database,
            concat!("SELECT ", sql!("job_columns", "list_status")),
            params![queue, before, filter.name, limit, number(status)],
        ),
    }
}

/// Cancels a job that is not final.
pub fn cancel(database: &Database, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
    Ok(jobs(database, sql!("cancel", "job_columns"), params![queue, id, now])?.pop())
}

/// Makes a job ready at once.
pub fn retry(database: &Database, queue: &str, id: &str, now: i64) -> Result<Job> {
    let Some(job) = get(database, queue, id)? else {
        return Err(not_found(id));
    };
    if let (true, Some(key)) = (job.status.is_final(), &job.options.unique_key) {
        let live: Option<String> = optional(database, sql!("find_unique"), params![queue, key])?;
        if let Some(other) = live {
            return Err(duplicate(&other));
        }
    }
    jobs(database, sql!("retry_now", "job_columns"), params![queue, id, now])?
        .pop()
        .ok_or_else(|| not_again(job.status))
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
    let mut counts = Counts {
        oldest_waiting: optional(database, sql!("oldest_waiting"), [queue])?,
        ..Counts::default()
    };
    for (which, count) in rows {
        *match status(which)? {
            JobStatus::Pending => &mut counts.pending,
            JobStatus::Scheduled => &mut counts.scheduled,
            JobStatus::Running => &mut counts.running,
            JobStatus::Retrying => &mut counts.retrying,
            JobStatus::Completed => &mut counts.completed,
            JobStatus::Failed => &mut counts.failed,
            JobStatus::Cancelled => &mut counts.cancelled,
        } = count;
    }
    Ok(counts)
}

/// Deletes final jobs that ended at or before `ended_by`.
pub fn clean(database: &Database, queue: &str, ended_by: i64, statuses: &[JobStatus]) -> Result<u64> {
    let mut deleted = 0;
    for status in statuses.iter().filter(|status| status.is_final()) {
        deleted += execute(database, sql!("clean"), params![queue, number(*status), ended_by])?;
    }
    Ok(deleted as u64)
}

/// Deletes what retention does not keep.
pub fn prune(database: &Database, queue: &str, retention: Retention, now: i64) -> Result<u64> {
    let mut deleted = 0;
    let keep = i64::try_from(retention.count).unwrap_or(i64::MAX);
    for status in FINAL {
        deleted += execute(database, sql!("prune_count"), params![queue, number(status), keep])?;
        let before = now.saturating_sub(retention.age);
        deleted += execute(database, sql!("prune_age"), params![queue, number(status), before])?;
    }
    Ok(deleted as u64)
}
