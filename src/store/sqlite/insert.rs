//! Rows of new jobs, many at once.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, LazyLock};

use rusqlite::{Statement, ToSql};
use uuid::Uuid;

use super::database::Database;
use super::failure::coded;
use super::limited::limits;
use super::pack::{Entry, Line};
use super::task::Operation;
use super::{pack, sql};
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
    pub job: Job,
    pub options: Arc<str>,
    pub crc: u32,
    /// Its id, where it may be packed.
    plain: Option<Uuid>,
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
            plain: pack::is_plain(&job, &options)
                .then(|| Uuid::try_parse(&job.id).ok())
                .flatten(),
            job,
            options,
        })
    }

    /// What is packed of it, where it may be.
    fn entry(&self) -> Option<Entry<'_>> {
        Some(Entry {
            crc: self.crc,
            id: self.plain?,
            created_at: self.job.created_at,
            run_at: self.job.run_at,
            options: self.options.as_bytes(),
            data: self.job.data.text().as_bytes(),
        })
    }

    fn line(&self) -> Line<'_> {
        Line {
            queue: &self.job.queue,
            name: &self.job.name,
            priority: self.job.options.priority.into(),
        }
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
        let mut last: Option<&Job> = None;
        for NewRow { job, .. } in self.0.iter().flatten() {
            if !last.is_some_and(|last| is_like(last, job)) {
                windows.added(&job.queue, job.options.priority.into(), key(job));
            }
            last = Some(job);
        }
    }

    fn run(self, database: &mut Database) -> Result<Vec<Vec<Job>>> {
        let rows: Vec<&NewRow> = self.0.iter().flatten().collect();
        store(database, &rows)?;
        let jobs = |batch: Vec<NewRow>| batch.into_iter().map(|row| row.job).collect();
        Ok(self.0.into_iter().map(jobs).collect())
    }
}

/// Whether jobs wait in the same line.
fn is_like(one: &Job, other: &Job) -> bool {
    (one.options.priority, &one.name, &one.queue, key(one))
        == (other.options.priority, &other.name, &other.queue, key(other))
}

fn key(job: &Job) -> &str {
    job.options.fair_key.as_deref().unwrap_or("")
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

/// Stores jobs.
pub fn insert(database: &mut Database, batch: Vec<NewRow>) -> Result<Vec<Job>> {
    store(database, &batch.iter().collect::<Vec<_>>())?;
    Ok(batch.into_iter().map(|row| row.job).collect())
}

/// Stores jobs, those packed that can be.
fn store(database: &mut Database, rows: &[&NewRow]) -> Result<()> {
    let (mut seq, mut alone) = (database.next_seqs(rows.len()), 0);
    let mut from = 0;
    while from < rows.len() {
        let alike = |row: &&&NewRow| row.plain.is_some() && is_like(&row.job, &rows[from].job);
        let alike = rows[from..].iter().take_while(alike).count();
        if alike < pack::LEAST || !limits(database, &rows[from].job.queue)?.is_none() {
            from += alike.max(1);
            continue;
        }
        insert_rows(database, &rows[alone..from], seq)?;
        seq += (from - alone) as i64;
        alone = from + alike;
        let entries: Vec<Entry> = rows[from..alone].iter().filter_map(|row| row.entry()).collect();
        pack::insert(database, rows[from].line(), &entries, seq)?;
        seq += alike as i64;
        from = alone;
    }
    insert_rows(database, &rows[alone..], seq)
}

/// Stores rows, from that place on.
fn insert_rows(database: &Database, mut left: &[&NewRow], mut seq: i64) -> Result<()> {
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
    Ok(())
}

fn bind(statement: &mut Statement<'_>, before: usize, row: &NewRow, seq: i64) -> rusqlite::Result<()> {
    let NewRow { job, options, crc, .. } = row;
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
