//! The connection: opened, checked, migrated.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::{CachedStatement, Connection, ErrorCode};
use serde_json::json;

use super::failure::coded;
use crate::error::{Code, Error, Result};

/// In order; the number of a migration is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../sql/0001_jobs.sql"),
    include_str!("../sql/0003_states.sql"),
];

/// A file up to this size is checked page by page at opening.
const CHECKED_AT_OPENING: u64 = 64 * 1024 * 1024;

/// As much as the log may hold before it is moved into the database.
const RESERVE: usize = 4 * 1024 * 1024;

/// The connection and what a claim remembers.
pub struct Database {
    connection: Connection,
    synced: bool,
    /// The disk was full, and the log could not be emptied since.
    full: bool,
    /// Room that is given up when the disk is full, so that running jobs can still end.
    reserve: Option<PathBuf>,
    /// The fair key that was served last, for each queue and priority.
    pub served: HashMap<(String, u8), String>,
}

impl Database {
    /// A store that is gone when it is closed.
    pub fn in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory().map_err(coded)?;
        Self::ready(connection).map_err(Failure::error)
    }

    /// Opens or makes the file. A damaged one is renamed, told, and the next opening starts anew.
    pub fn open(path: &Path, now: i64) -> Result<Self> {
        match Self::try_open(path) {
            Ok(mut database) => {
                database.reserve = Some(with_suffix(path, ".reserve"));
                database.take_reserve();
                Ok(database)
            }
            Err(Failure::Newer(error)) => Err(error),
            Err(Failure::Sqlite(error)) if is_damage(&error) => Err(keep_aside(path, now, error)),
            Err(Failure::Sqlite(error)) => Err(coded(error)),
        }
    }

    fn try_open(path: &Path) -> Result<Self, Failure> {
        let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
        let connection = Connection::open(path)?;
        if size > 0 && size <= CHECKED_AT_OPENING {
            let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if answer != "ok" {
                return Err(Failure::Sqlite(damage(answer)));
            }
        }
        Self::ready(connection)
    }

    fn ready(connection: Connection) -> Result<Self, Failure> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -16_000)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(64);
        migrate(&connection)?;
        Ok(Self {
            connection,
            synced: true,
            full: false,
            reserve: None,
            served: HashMap::new(),
        })
    }

    /// The connection itself, for transactions.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether the next commits sync the disk. The pragma works when it is compiled, so it cannot
    /// be a cached statement.
    pub fn sync_commits(&mut self, synced: bool) -> Result<()> {
        if self.synced != synced {
            let level = if synced { "FULL" } else { "NORMAL" };
            self.connection
                .pragma_update(None, "synchronous", level)
                .map_err(coded)?;
            self.synced = synced;
        }
        Ok(())
    }

    /// The disk was full.
    pub const fn found_full(&mut self) {
        self.full = true;
    }

    /// After the disk was full: gives up the reserve, so that the log can be moved into the
    /// database and emptied, which frees more than that.
    pub fn make_room(&mut self) {
        if !self.full {
            return;
        }
        if let Some(reserve) = &self.reserve {
            // Where there is none, there is nothing to give up.
            let _ = std::fs::remove_file(reserve);
        }
        let moved = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        if matches!(moved, Ok(0)) {
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

enum Failure {
    Newer(Error),
    Sqlite(rusqlite::Error),
}

impl Failure {
    fn error(self) -> Error {
        match self {
            Self::Newer(error) => error,
            Self::Sqlite(error) => coded(error),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn migrate(connection: &Connection) -> Result<(), Failure> {
    let version: usize = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))? as usize;
    if version > MIGRATIONS.len() {
        return Err(Failure::Newer(Error::new(
            Code::StoreNewer,
            format!(
                "the job store has schema {version}, this version knows {}; update @elizaos/plugin-auton8n",
                MIGRATIONS.len()
            ),
        )));
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {migration}; PRAGMA user_version = {}; COMMIT",
            index + 1
        ))?;
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn damage(found: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(found))
}

fn keep_aside(path: &Path, now: i64, error: rusqlite::Error) -> Error {
    let kept = with_suffix(path, &format!(".corrupt-{now}"));
    if let Err(failed) = std::fs::rename(path, &kept) {
        return Error::new(
            Code::StoreCorrupt,
            format!(
                "the job store {} is damaged and could not be kept aside; move it away",
                path.display()
            ),
        )
        .because(failed);
    }
    for suffix in ["-wal", "-shm"] {
        // They exist only after a crash.
        let _ = std::fs::rename(with_suffix(path, suffix), with_suffix(&kept, suffix));
    }
    Error::new(
        Code::StoreCorrupt,
        format!(
            "the job store is damaged; it was kept as {}, and the next opening starts with an empty one",
            kept.display()
        ),
    )
    .with_details(json!({ "keptAs": kept.display().to_string() }))
    .because(error)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
