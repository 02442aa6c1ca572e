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
use crate::store::rules::{checksum, closed, is_ready, json, number};

/// The values of a row.
const COLUMNS: usize = 17;
/// The rows of one statement. It keeps its place in each index from row to row, where new rows mostly are last.
const MANY: usize = 64;
const SOME: usize = 8;

static ADD_MANY: LazyLock<String> = LazyLock::new(|| add_rows(MANY));
static ADD_SOME: LazyLock<String> = LazyLock::new(|| add_rows(SOME));

/// `add.sql` with so many rows.
fn add_rows(rows: usize) -> String {
    let (insert, _) = sql!("add").split_once("VALUES").unwrap_or_default();
    let row = |row: usize| {
        let values = (1..=COLUMNS).map(|column| format!("?{}", row * COLUMNS + column));
        format!("({})", values.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!("{insert} VALUES {}", rows.join(", "))
}

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
        let sizes: Vec<usize> = self.0.iter().map(Vec::len).collect();
        let mut jobs = insert(database, self.0.into_iter().flatten().collect())?.into_iter();
        Ok(sizes
            .into_iter()
            .map(|size| jobs.by_ref().take(size).collect())
            .collect())
    }
}

/// Stores one batch of such jobs that still arrives, up to an empty part; an error undoes nothing here.
pub fn add_streamed(database: &mut Database, parts: &Receiver<Result<Vec<NewRow>>>) -> Result<Vec<Job>> {
    let mut all = Vec::new();
    loop {
        // Where its sender went away in the middle, nothing of it is stored.
        let part = parts.recv().map_err(|_| closed())??;
        if part.is_empty() {
            return Ok(all);
        }
        all.extend(insert(database, part)?);
    }
}

/// Stores rows.
pub fn insert(database: &mut Database, batch: Vec<NewRow>) -> Result<Vec<Job>> {
    let (mut seq, mut left) = (database.next_seqs(batch.len()), &batch[..]);
    while !left.is_empty() {
        let (rows, sql): (usize, &'static str) = match left.len() {
            MANY.. => (MANY, &ADD_MANY),
            SOME.. => (SOME, &ADD_SOME),
            _ => (1, sql!("add")),
        };
        let mut statement = database.statement(sql)?;
        while left.len() >= rows {
            let (now, later) = left.split_at(rows);
            for (place, row) in now.iter().enumerate() {
                bind(&mut statement, place * COLUMNS, row, seq).map_err(coded)?;
                seq += 1;
            }
            statement.raw_execute().map_err(coded)?;
            left = later;
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
