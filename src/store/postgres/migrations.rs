//! The schema, brought up to date by one process at a time.

use tokio_postgres::Client;

use super::failure::coded;
use crate::error::{Code, Error, Result};

/// In order; the number of a migration is its place, from 1.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_jobs.sql"),
    include_str!("migrations/0002_limits_dependencies_schedules.sql"),
    include_str!("migrations/0003_states.sql"),
    include_str!("migrations/0004_read_ahead.sql"),
];

/// Any number that other programs are unlikely to lock.
const LOCK: i64 = 0x6175_746f_6e38;
const OLDEST: i32 = 150_000;

/// Runs what was not run yet; a server or a schema that does not fit is refused and left alone.
pub async fn migrate(client: &mut Client) -> Result<()> {
    let row = client
        .query_one("SELECT current_setting('server_version_num')::int", &[])
        .await
        .map_err(|e| coded(&e))?;
    let version: i32 = row.get(0);
    if version < OLDEST {
        return Err(Error::new(
            Code::StoreUnsupported,
            format!(
                "the job store needs PostgreSQL 15 or newer; this server is {}.{}",
                version / 10_000,
                version % 10_000
            ),
        ));
    }
    let transaction = client.transaction().await.map_err(|e| coded(&e))?;
    let run = async {
        transaction
            .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
            .await?;
        let known: bool = transaction
            .query_one("SELECT to_regclass('auton8n.migration') IS NOT NULL", &[])
            .await?
            .get(0);
        if !known {
            let table = "CREATE SCHEMA IF NOT EXISTS auton8n; \
                CREATE TABLE auton8n.migration (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";
            transaction.batch_execute(table).await?;
        }
        let row = transaction
            .query_one("SELECT coalesce(max(number), 0) FROM auton8n.migration", &[])
            .await?;
        let number: i32 = row.get(0);
        for (index, migration) in MIGRATIONS.iter().enumerate().skip(number as usize) {
            transaction.batch_execute(migration).await?;
            let number = index as i32 + 1;
            transaction
                .execute("INSERT INTO auton8n.migration (number) VALUES ($1)", &[&number])
                .await?;
        }
        Ok::<_, tokio_postgres::Error>(number)
    };
    let number = run.await.map_err(|e| coded(&e))?;
    if number as usize > MIGRATIONS.len() {
        return Err(Error::new(
            Code::StoreNewer,
            format!(
                "the job store has schema {number}, this version knows {}; update @elizaos/plugin-auton8n",
                MIGRATIONS.len()
            ),
        ));
    }
    transaction.commit().await.map_err(|e| coded(&e))
}
