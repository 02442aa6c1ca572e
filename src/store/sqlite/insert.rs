//! Rows of new jobs, many at once.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, LazyLock};

use rusqlite::{Statement, ToSql};

use super::database::Database;
use super::failure::coded;
use super::sql;
use super::task::Operation;
use crate::error::Result;
use crate::store::dependencies::begin_all;
use crate::store::job::{Job, JobOptions, NewJob};
use crate::store::rules::{checksum, is_ready, json, number};

/// The values of a row, and the rows of one statement.
const COLUMNS: usize = 17;
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
    options: Arc<str>,
    crc: u32,
}

impl NewRow {
    /// Writes jobs as JSON, on the caller's time.
    pub fn all(queue: &str, new: Vec<NewJob>, now: i64) -> Result<Vec<Self>> {
        let mut rows: Vec<Self> = Vec::with_capacity(new.len());
        for job in begin_all(queue, new, now)? {
            let row = Self::new(job, rows.last())?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Writes a job as JSON, beside the one before it.
    pub fn new(job: Job, last: Option<&Self>) -> Result<Self> {
        let options = options(&job.options, last)?;
        Ok(Self {
            crc: checksum([&job.id, &job.queue, &job.name, job.data.text(), &options]),
            job,
            options,
        })
    }
}

/// Jobs that come together mostly have the same.
fn options(options: &JobOptions, last: Option<&NewRow>) -> Result<Arc<str>> {
    match last {
        Some(last) if last.job.options == *options => Ok(last.options.clone()),
        // As what is not written is read.
        _ if *options == JobOptions::default() => Ok("{}".into()),
        _ => Ok(json(options)?.into()),
    }
}

/// Batches in which no job has a unique key or waits for another one, so that none is refused.
#[derive(Debug)]
pub struct PlainAdds(pub Vec<Vec<NewRow>>);

impl Operation<Vec<Vec<Job>>> for PlainAdds {
    fn prepare(&mut self, database: &mut Database) {
        let windows = &mut database.front().windows;
        for NewRow { job, .. } in self.0.iter().flatten() {
            let key = job.options.fair_key.as_deref().unwrap_or("");
            windows.added(&job.queue, job.options.priority.into(), key);
        }
    }

    fn run(self, database: &mut Database) -> Result<Vec<Vec<Job>>> {
        self.0.into_iter().map(|batch| insert(database, batch)).collect()
    }
}

/// Stores one batch of such jobs that still arrives; an error undoes nothing here.
pub fn add_streamed(database: &mut Database, parts: &Receiver<Result<Vec<NewRow>>>) -> Result<Vec<Job>> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(insert(database, part?)?);
    }
    Ok(all)
}

/// Stores rows.
pub fn insert(database: &mut Database, batch: Vec<NewRow>) -> Result<Vec<Job>> {
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
    let NewRow { job, options, crc } = row;
    let (code, message) = job.error.as_ref().map(|error| (&error.code, &error.message)).unzip();
    let values: [&dyn ToSql; COLUMNS] = [
        &job.id,
        &job.queue,
        &job.name,
        &job.data.text(),
        &&**options,
        &number(job.status),
        &is_ready(job.status),
        &u8::from(job.options.priority),
        &job.options.fair_key.as_deref().unwrap_or(""),
        &job.options.unique_key,
        &job.created_at,
        &job.run_at,
        &job.waits_for,
        &code,
        &message,
        crc,
        &seq,
    ];
    for (place, value) in values.into_iter().enumerate() {
        statement.raw_bind_parameter(before + place + 1, value)?;
    }
    Ok(())
}
