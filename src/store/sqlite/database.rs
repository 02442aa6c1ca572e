//! The connection: opened, checked, migrated.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection};

use super::failure::{coded, damage, is_damage};
use super::front::Held;
use super::migrations::{Failure, migrate};
use super::pack::Heads;
use super::place::Place;
use super::salvage;
use super::starts::{self, Starts};
use crate::error::{Code, Error, Result};
use crate::store::limits::Limits;

/// A file up to this size is checked page by page at opening; of a bigger one the log and the heads of packs are.
const CHECKED_AT_OPENING: u64 = 64 * 1024 * 1024;

/// As much as the log may hold before it is moved into the database.
const RESERVE: usize = 4 * 1024 * 1024;

/// Bytes of the log after which what is left to move of it is moved by the store's thread itself.
const CHECKPOINT: i64 = 32 * 1024 * 1024;

/// Bytes of a page of a new file.
const PAGE: i64 = 8_192;

const LAST_SEQ: &str = "SELECT max(coalesce((SELECT max(seq) FROM job), 0), coalesce((SELECT last FROM pack ORDER BY seq DESC LIMIT 1), 0))";

/// The connection and what a claim remembers.
pub struct Database {
    connection: Connection,
    /// None in memory.
    place: Option<Place>,
    /// What was committed may never reach the disk by a sync of the log.
    unsynced: bool,
    /// The disk was full, and the log could not be emptied since.
    full: bool,
    /// Room that is given up when the disk is full, so that running jobs can still end.
    reserve: Option<PathBuf>,
    /// The fair key that was served last, for each queue and priority.
    pub served: HashMap<(String, u8), String>,
    /// The limits of queues, as far as they were read.
    pub limits: HashMap<String, Limits>,
    last_seq: i64,
    /// Bytes of a page.
    page: usize,
    /// Pages that were filled with packed jobs.
    pub pages: u64,
    /// Which packed jobs are gone.
    pub heads: RefCell<Heads>,
    /// What is read ahead and what was taken.
    pub held: Held,
}

impl Database {
    /// A store that is gone when it is closed.
    pub fn in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory().map_err(coded)?;
        Self::ready(connection).map_err(Failure::error)
    }

    /// Opens or makes the file. A damaged one is kept aside and told; the next opening goes on with
    /// what could be read of it.
    pub fn open(path: &Path, now: i64) -> Result<Self> {
        match Self::try_open(path) {
            Ok(mut database) => {
                database.place = Some(Place::of(path));
                database.reserve = Some(with_suffix(path, ".reserve"));
                database.take_reserve();
                let notes = with_suffix(path, ".starts");
                database.front().starts = Starts::noted_in(&notes).map_err(|error| unwritable(&notes, error))?;
                starts::recover(&mut database, now)?;
                Ok(database)
            }
            Err(Failure::Newer(error)) => Err(error),
            Err(Failure::Sqlite(error)) if is_damage(&error) => Err(salvage::carry_over(path, now, error)),
            Err(Failure::Sqlite(error)) => Err(coded(error)),
        }
    }

    fn try_open(path: &Path) -> Result<Self, Failure> {
        if let Some(found) = salvage::damage_of_log(path) {
            return Err(Failure::Sqlite(damage(found)));
        }
        let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
        let checked = size > 0 && size <= CHECKED_AT_OPENING;
        let connection = Connection::open(path)?;
        if checked {
            let answer: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if answer != "ok" {
                return Err(Failure::Sqlite(damage(answer)));
            }
        }
        let database = Self::ready(connection)?;
        let found = if checked {
            salvage::damage_of_rows(&database.connection)?
        } else {
            salvage::damage_of_heads(&database.connection)?
        };
        found.map_or(Ok(database), |found| Err(Failure::Sqlite(damage(found))))
    }

    /// An empty one, in the place of a file that was moved away.
    pub fn fresh(path: &Path) -> Result<Self> {
        let connection = Connection::open(path).map_err(coded)?;
        Self::ready(connection).map_err(Failure::error)
    }

    fn ready(connection: Connection) -> Result<Self, Failure> {
        // Else each new LIMIT lets a statement be prepared anew.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Heeded by a file that is empty only.
        connection.pragma_update(None, "page_size", PAGE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Commits are written; the syncer brings them to the disk.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT / page)?;
        connection.pragma_update(None, "cache_size", -8_000)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(96);
        migrate(&connection)?;
        let last_seq = connection.query_row(LAST_SEQ, [], |row| row.get(0))?;
        Ok(Self {
            connection,
            place: None,
            unsynced: false,
            full: false,
            reserve: None,
            served: HashMap::new(),
            limits: HashMap::new(),
            last_seq,
            page: page as usize,
            pages: 0,
            heads: RefCell::default(),
            held: Held::default(),
        })
    }

    /// The first of so many places in the order of adding, which are never given again: not those of
    /// jobs that are gone either, behind which a window may look.
    pub const fn next_seqs(&mut self, count: usize) -> i64 {
        let first = self.last_seq + 1;
        self.last_seq += count as i64;
        first
    }

    /// The last place that was given.
    pub const fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// Bytes that a row may have so that it needs no second page.
    pub const fn room_of_page(&self) -> usize {
        // Of the page, of its one cell, and of the record in it.
        self.page.saturating_sub(64)
    }

    /// The connection itself, for transactions.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The log, to be synced; none where nothing is kept.
    pub fn log(path: &Path) -> Result<File> {
        let log = with_suffix(path, "-wal");
        File::open(&log).map_err(|error| unwritable(&log, error))
    }

    /// A sync of the log failed.
    pub const fn found_unsynced(&mut self) {
        self.unsynced = true;
    }

    /// The disk was full.
    pub const fn found_full(&mut self) {
        self.full = true;
    }

    /// After the disk was full: gives up the reserve, so that the log can be moved into the
    /// database and emptied, which frees more than that.
    ///
    /// After a sync failed: the same brings what the log holds to the disk by another way. Until
    /// that succeeds nothing is taken.
    pub fn mend(&mut self) -> Result<()> {
        self.place.as_ref().map_or(Ok(()), Place::check)?;
        if self.full {
            self.make_room();
        }
        if self.unsynced {
            self.empty_log().map_err(coded)?;
            self.unsynced = false;
        }
        Ok(())
    }

    fn empty_log(&self) -> rusqlite::Result<()> {
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            Ok(())
        } else {
            Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                None,
            ))
        }
    }

    fn make_room(&mut self) {
        if let Some(reserve) = &self.reserve {
            // Where there is none, there is nothing to give up.
            let _ = std::fs::remove_file(reserve);
        }
        if self.empty_log().is_ok() {
            self.full = false;
            self.take_reserve();
        }
    }

    fn take_reserve(&self) {
        let Some(reserve) = &self.reserve else { return };
        if std::fs::metadata(reserve).is_ok_and(|meta| meta.len() == RESERVE as u64) {
            return;
        }
        if std::fs::write(reserve, vec![0; RESERVE]).is_err() {
            // No room for it: what was written of it is given back.
            let _ = std::fs::remove_file(reserve);
        }
    }

    /// A statement, prepared once.
    pub fn statement(&self, sql: &'static str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(sql).map_err(coded)
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::StoreUnavailable,
        format!(
            "the job store's file {} cannot be used; look at its rights and its disk",
            path.display()
        ),
    )
    .because(error)
}

/// The path with an ending behind it.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
