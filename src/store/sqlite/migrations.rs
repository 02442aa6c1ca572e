//! The schema of the file, brought up to date.

use rusqlite::Connection;

use super::failure::coded;
use crate::error::{Code, Error, Result};

/// In order; the number of a migration is its place, from 1.
pub const MIGRATIONS: &[&str] = &[
    include_str!("../sql/0001_jobs.sql"),
    include_str!("../sql/0002_limits_dependencies_schedules.sql"),
    include_str!("../sql/0003_log_trigger.sql"),
    include_str!("../sql/0004_states.sql"),
    include_str!("../sql/0005_fewer_indexes.sql"),
    include_str!("../sql/0006_packs.sql"),
];

/// Why a file was not opened.
pub enum Failure {
    Newer(Error),
    Sqlite(rusqlite::Error),
}

impl Failure {
    /// As it is told.
    pub fn error(self) -> Error {
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

/// Does those that were not done yet.
pub fn migrate(connection: &Connection) -> Result<(), Failure> {
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
