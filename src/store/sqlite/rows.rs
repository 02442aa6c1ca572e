//! Rows to jobs and back.

use rusqlite::Row;
use serde_json::Value;

use super::database::Database;
use super::failure::coded;
use super::sql;
use crate::error::Result;
use crate::store::job::{Job, JobFailure, JobOptions, JobStatus};
use crate::store::job_store::Claim;
use crate::store::rules::{status, value};

/// A row as it lies there; text is read into values outside of the statement.
struct Raw {
    data: String,
    options: String,
    status: u8,
    checkpoint: Option<String>,
    result: Option<String>,
    error: Option<(String, String)>,
    job: Job,
    fence: i64,
    stalls: u32,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<(i64, Raw)> {
    let code: Option<String> = row.get(13)?;
    let message: Option<String> = row.get(14)?;
    let raw = Raw {
        data: row.get(4)?,
        options: row.get(5)?,
        status: row.get(6)?,
        checkpoint: row.get(11)?,
        result: row.get(12)?,
        error: code.zip(message),
        fence: row.get(19)?,
        stalls: row.get(20)?,
        job: Job {
            id: row.get(1)?,
            queue: row.get(2)?,
            name: row.get(3)?,
            data: Value::Null,
            options: JobOptions::default(),
            status: JobStatus::Pending,
            attempts: row.get(7)?,
            progress: row.get(8)?,
            stage: row.get(9)?,
            iteration: row.get(10)?,
            log: Vec::new(),
            checkpoint: Value::Null,
            result: None,
            error: None,
            created_at: row.get(15)?,
            run_at: row.get(16)?,
            started_at: row.get(17)?,
            finished_at: row.get(18)?,
            waits_for: row.get(21)?,
        },
    };
    Ok((row.get(0)?, raw))
}

fn finished(raw: Raw) -> Result<Claim> {
    let mut job = raw.job;
    job.data = value(&raw.data)?;
    job.options = value(&raw.options)?;
    job.status = status(raw.status)?;
    job.checkpoint = raw.checkpoint.as_deref().map_or(Ok(Value::Null), value)?;
    job.result = raw.result.as_deref().map(value).transpose()?;
    job.error = raw.error.map(|(code, message)| JobFailure { code, message });
    Ok(Claim {
        job,
        fence: raw.fence,
        stalls: raw.stalls,
    })
}

/// Runs a statement that answers the columns of `job_columns.sql`.
pub fn claims(database: &Database, sql: &'static str, parameters: impl rusqlite::Params) -> Result<Vec<Claim>> {
    let mut statement = database.statement(sql)?;
    let rows: Vec<(i64, Raw)> = statement
        .query_map(parameters, raw)
        .and_then(Iterator::collect)
        .map_err(coded)?;
    rows.into_iter()
        .map(|(seq, raw)| {
            let mut claim = finished(raw)?;
            // A first attempt has told nothing yet.
            if claim.job.attempts > 1 || claim.job.status != JobStatus::Running || claim.job.progress > 0.0 {
                claim.job.log = log(database, seq)?;
            }
            Ok(claim)
        })
        .collect()
}

/// The same, without what only a worker needs.
pub fn jobs(database: &Database, sql: &'static str, parameters: impl rusqlite::Params) -> Result<Vec<Job>> {
    Ok(claims(database, sql, parameters)?
        .into_iter()
        .map(|claim| claim.job)
        .collect())
}

fn log(database: &Database, seq: i64) -> Result<Vec<String>> {
    let mut statement = database.statement(sql!("log_read"))?;
    statement
        .query_map([seq], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(coded)
}

/// Runs a statement that writes; answers how many rows it changed.
pub fn execute(database: &Database, sql: &'static str, parameters: impl rusqlite::Params) -> Result<usize> {
    database.statement(sql)?.execute(parameters).map_err(coded)
}

/// The one value of the first row, if there is a row.
pub fn optional<T: rusqlite::types::FromSql>(
    database: &Database,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Option<T>> {
    use rusqlite::OptionalExtension;
    database
        .statement(sql)?
        .query_row(parameters, |row| row.get(0))
        .optional()
        .map_err(coded)
}
