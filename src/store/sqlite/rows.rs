//! Rows to jobs and back.

use rusqlite::Row;
use serde_json::Value;

use super::database::Database;
use super::failure::coded;
use super::sql;
use crate::error::Result;
use crate::store::job::{Job, JobFailure, JobOptions, JobStatus};
use crate::store::job_data::JobData;
use crate::store::job_store::{Claim, Lease};
use crate::store::rules::{checksum, damaged, number, status, value};

/// A row as it lies there. Its texts are read into values by whoever asked, not by the store's thread.
#[derive(Debug)]
pub struct Raw {
    pub seq: i64,
    data: String,
    options: String,
    pub status: u8,
    checkpoint: Option<String>,
    result: Option<String>,
    error: Option<(String, String)>,
    pub job: Job,
    pub fence: i64,
    stalls: u32,
    crc: Option<u32>,
    /// Others wait for it.
    pub parent: bool,
}

impl Raw {
    /// Of a job that lay packed.
    pub fn packed(seq: i64, job: Job, data: String, options: String, crc: u32) -> Self {
        Self {
            seq,
            data,
            options,
            status: number(JobStatus::Pending),
            checkpoint: None,
            result: None,
            error: None,
            job,
            fence: 0,
            stalls: 0,
            crc: Some(crc),
            parent: false,
        }
    }

    /// Its data, its options and their checksum.
    pub fn texts(&self) -> (&str, &str, Option<u32>) {
        (&self.data, &self.options, self.crc)
    }

    /// Names its attempt, where it was claimed.
    pub fn lease(&self) -> Lease {
        Lease {
            id: self.job.id.clone(),
            fence: self.fence,
        }
    }

    /// Refuses a row that is not what was stored once.
    pub fn checked(self) -> Result<Self> {
        let parts = [&self.job.id, &self.job.queue, &self.job.name, &self.data, &self.options];
        match self.crc {
            Some(crc) if crc != checksum(parts.map(String::as_str)) => Err(damaged("its checksum is another one")),
            _ => Ok(self),
        }
    }

    /// About how big it is.
    pub fn bytes(&self) -> usize {
        let texts = [&self.checkpoint, &self.result].into_iter().flatten();
        self.data.len() + self.options.len() + texts.map(String::len).sum::<usize>()
    }
}

/// A row of the columns of `job_columns.sql`.
pub fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let code: Option<String> = row.get(13)?;
    let message: Option<String> = row.get(14)?;
    Ok(Raw {
        seq: row.get(0)?,
        data: row.get(4)?,
        options: row.get(5)?,
        status: row.get(6)?,
        checkpoint: row.get(11)?,
        result: row.get(12)?,
        error: code.zip(message),
        fence: row.get(19)?,
        stalls: row.get(20)?,
        parent: row.get(22)?,
        crc: row.get(23)?,
        job: Job {
            id: row.get(1)?,
            queue: row.get(2)?,
            name: row.get(3)?,
            data: JobData::default(),
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
    })
}

/// The options that were read last, since rows that come together mostly have the same.
#[derive(Default)]
pub struct LastOptions(String, JobOptions);

impl LastOptions {
    /// Reads options.
    pub fn read(&mut self, text: &str) -> Result<JobOptions> {
        if self.0 != text {
            self.1 = value(text)?;
            text.clone_into(&mut self.0);
        }
        Ok(self.1.clone())
    }
}

/// The job of a row.
pub fn finished(raw: Raw, last: &mut LastOptions) -> Result<Claim> {
    let mut job = raw.job;
    job.data = JobData::from_text(raw.data).map_err(|error| damaged(error.to_string()))?;
    job.options = last.read(&raw.options)?;
    job.status = status(raw.status)?;
    job.checkpoint = raw.checkpoint.as_deref().map_or(Ok(Value::Null), value)?;
    job.result = raw.result.as_deref().map(value).transpose()?;
    job.error = raw.error.map(|(code, message)| JobFailure { code, message });
    Ok(Claim {
        job: Box::new(job),
        fence: raw.fence,
        stalls: raw.stalls,
    })
}

/// Runs a statement that answers the columns of `job_columns.sql`.
pub fn raws(database: &Database, sql: &'static str, parameters: impl rusqlite::Params) -> Result<Vec<Raw>> {
    let mut statement = database.statement(sql)?;
    statement
        .query_map(parameters, raw)
        .and_then(Iterator::collect)
        .map_err(coded)
}

/// The same as jobs, without what only a worker needs.
pub fn jobs(database: &Database, sql: &'static str, parameters: impl rusqlite::Params) -> Result<Vec<Job>> {
    let mut rows = raws(database, sql, parameters)?;
    with_logs(database, &mut rows, 0)?;
    read(rows)
}

/// Jobs of rows.
pub fn read(rows: Vec<Raw>) -> Result<Vec<Job>> {
    let mut last = LastOptions::default();
    rows.into_iter().map(|row| Ok(*finished(row, &mut last)?.job)).collect()
}

/// Reads the logs of jobs that may have one: those that told something in more than `silent` attempts.
pub fn with_logs<'a>(database: &Database, rows: impl IntoIterator<Item = &'a mut Raw>, silent: u32) -> Result<()> {
    for row in rows {
        if row.job.attempts > silent || row.job.progress > 0.0 {
            row.job.log = log(database, row.seq)?;
        }
    }
    Ok(())
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
