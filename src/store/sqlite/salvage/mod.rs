//! A damaged file: found at opening, and what can be read of it carried over.
//!
//! The file formats are those of `SQLite`, as <https://sqlite.org/fileformat2.html> and
//! <https://sqlite.org/walformat.html> describe them. Each row has a checksum of what never changes
//! in it, so that a row is either as it was or told as damaged.

mod log;
mod packs;
mod pages;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};
use serde_json::json;

use self::pages::Pages;
use self::record::{Cell, read_job};
use super::database::{Database, with_suffix};
use super::manage::restore;
use super::rows::execute;
use super::schedules;
use crate::error::{Code, Error, Result};
use crate::store::job::Job;
use crate::store::rules::checksum;

pub use self::log::damage_of_log;
pub use self::packs::damage_of_heads;

/// Keeps a damaged file aside and begins a new one with what can be read of it; answers what is told.
pub fn carry_over(path: &Path, now: i64, found: rusqlite::Error) -> Error {
    let kept = with_suffix(path, &format!(".corrupt-{now}"));
    if let Err(failed) = std::fs::rename(path, &kept) {
        return corrupt(format!(
            "the job store {} is damaged and could not be kept aside; move it away",
            path.display()
        ))
        .because(failed);
    }
    // They exist only after a crash; the index is made anew.
    let _ = std::fs::rename(with_suffix(path, "-wal"), with_suffix(&kept, "-wal"));
    let _ = std::fs::remove_file(with_suffix(path, "-shm"));
    let _ = std::fs::remove_file(with_suffix(path, ".starts"));
    let counts = Database::fresh(path).and_then(|mut database| {
        execute(&database, "BEGIN IMMEDIATE", [])?;
        let counts = salvage(&mut database, &kept)?;
        execute(&database, "COMMIT", [])?;
        Ok(counts)
    });
    let kept = kept.display().to_string();
    match counts {
        Ok(Counts { saved, damaged }) => corrupt(format!(
            "the job store is damaged: {saved} jobs were saved, {damaged} are damaged; the file was kept as {kept}, \
             and the next opening goes on with the saved ones"
        ))
        .with_details(json!({ "keptAs": kept, "saved": saved, "damaged": damaged }))
        .because(found),
        Err(error) => corrupt(format!(
            "the job store is damaged and could not be read; it was kept as {kept}, and the next opening starts with \
             an empty one"
        ))
        .with_details(json!({ "keptAs": kept }))
        .because(error),
    }
}

fn corrupt(message: String) -> Error {
    Error::new(Code::StoreCorrupt, message)
}

/// What is wrong with a row that the database itself holds for good.
pub fn damage_of_rows(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut statement = connection
        .prepare("SELECT id, queue, name, data, options, crc, status >= 4, finished_at IS NOT NULL FROM job")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(id) = damaged_row(row)? {
            return Ok(Some(format!("the row of the job {id} is damaged")));
        }
    }
    packs::damage_of_packs(connection)
}

fn damaged_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<String>> {
    let mut parts = [""; 5];
    for (column, part) in parts.iter_mut().enumerate() {
        let Ok(text) = row.get_ref(column)?.as_str() else {
            return Ok(Some("with a text that is none".to_owned()));
        };
        *part = text;
    }
    let (crc, over, ended): (Option<u32>, bool, bool) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let good = crc.is_none_or(|crc| crc == checksum(parts)) && over == ended;
    Ok((!good).then(|| parts[0].to_owned()))
}

/// What became of the rows of a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    saved: u64,
    damaged: u64,
}

/// Carries over what can be read of the file at `from`, which is only looked at.
fn salvage(database: &mut Database, from: &Path) -> Result<Counts> {
    let pages = Pages::read(from);
    let mut jobs: BTreeMap<i64, Job> = BTreeMap::new();
    let mut known: BTreeSet<i64> = BTreeSet::new();
    let mut packs = packs::Found::default();
    for page in pages.newest_first() {
        for cell in page.cells(&pages) {
            match cell {
                Cell::Row { seq, values } => {
                    if jobs.contains_key(&seq) {
                        continue;
                    }
                    known.insert(seq);
                    if let Some(job) = values.as_deref().and_then(read_job) {
                        jobs.insert(seq, job);
                    }
                }
                Cell::Named { seq } => drop(known.insert(seq)),
                Cell::Head { seq, values } => packs.head(seq, &values, page.current),
                Cell::Chunk { seq, bytes } => packs.chunk(seq, &bytes, page.current),
            }
        }
    }
    let (packed, places) = packs.rest();
    // Where it is a row too, it was taken out of its pack.
    jobs.extend(
        packed
            .into_iter()
            .filter(|(seq, _)| !known.contains(seq))
            .collect::<Vec<_>>(),
    );
    known.extend(places);
    let mut saved = 0;
    for job in jobs.into_values() {
        let queue = job.queue.clone();
        // A second copy of a row, or one whose unique key another has: it was moved or removed.
        execute(database, "SAVEPOINT saved", [])?;
        match restore(database, &queue, vec![job]) {
            Ok(count) => saved += count,
            Err(error) => {
                tracing::warn!("a job of a damaged store was not taken over: {error}");
                execute(database, "ROLLBACK TO saved", [])?;
            }
        }
        execute(database, "RELEASE saved", [])?;
    }
    settings(database, from);
    Ok(Counts {
        saved,
        damaged: (known.len() as u64).saturating_sub(saved),
    })
}

/// Pauses, limits and schedules, as far as the database itself can still read them.
fn settings(database: &Database, from: &Path) {
    let copied = (|| -> rusqlite::Result<()> {
        let old = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut queues = old.prepare("SELECT name, paused, limits FROM queue")?;
        let mut rows = queues.query([])?;
        while let Some(row) = rows.next()? {
            let values: (String, bool, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            database.connection().execute(
                "INSERT OR IGNORE INTO queue (name, paused, limits) VALUES (?1, ?2, ?3)",
                params![values.0, values.1, values.2],
            )?;
        }
        let mut schedules = old.prepare(schedules::COLUMNS)?;
        let mut rows = schedules.query([])?;
        while let Some(row) = rows.next()? {
            let texts: Vec<String> = (0..6).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?;
            let times: (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
            database.connection().execute(
                schedules::SET,
                params![
                    texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], times.0, times.1
                ],
            )?;
        }
        Ok(())
    })();
    if let Err(error) = copied {
        tracing::warn!("not all pauses, limits and schedules of a damaged store could be read: {error}");
    }
}
