//! What users ask of the server: look, cancel, run again, clean.

use std::sync::Arc;

use super::connections::{Commit, Connections, Value};
use super::failure::coded;
use super::postgres_store::PostgresStore;
use super::rows::{clean as without_nul, get, jobs};
use super::sql;
use crate::error::Result;
use crate::store::JobStore;
use crate::store::job::{Job, JobStatus};
use crate::store::job_store::{Counts, JobFilter, Notice, Retention};
use crate::store::rules::{FINAL, duplicate, not_again, not_found, number, status, value};
use crate::store::shared_state::{SharedState, checked};

/// Sends notices to other processes.
pub async fn notify(connections: Arc<Connections>, payloads: Vec<String>) -> Result<()> {
    let sent = connections
        .query(Commit::Lazy, true, sql!("notify"), &[&payloads])
        .await;
    sent.map(drop)
}

/// As `JobStore` says.
pub async fn set_paused(store: &PostgresStore, queue: &str, paused: bool) -> Result<()> {
    store.query(Commit::Synced, sql!("pause"), &[&queue, &paused]).await?;
    store.notifier.tell(Notice::Paused(queue.to_owned(), paused));
    Ok(())
}

/// As `JobStore` says.
pub async fn is_paused(store: &PostgresStore, queue: &str) -> Result<bool> {
    let rows = store.query(Commit::Lazy, sql!("paused"), &[&queue]).await?;
    rows.first().map_or(Ok(false), |row| get(row, 0))
}

/// As `JobStore` says.
pub async fn get_job(store: &PostgresStore, queue: &str, id: &str) -> Result<Option<Job>> {
    if id.contains('\0') {
        return Ok(None);
    }
    let statement = concat!("SELECT ", sql!("columns", "get"));
    Ok(jobs(&store.query(Commit::Lazy, statement, &[&queue, &id]).await?)?.pop())
}

/// As `JobStore` says.
pub async fn list(store: &PostgresStore, queue: &str, filter: JobFilter) -> Result<Vec<Job>> {
    let before: i64 = match filter.cursor.as_deref().map(without_nul) {
        None => i64::MAX,
        Some(id) => match store.query(Commit::Lazy, sql!("seq_of"), &[&id]).await?.first() {
            Some(row) => get(row, 0)?,
            None => 0,
        },
    };
    let name = filter.name.as_deref().map(without_nul);
    let (limit, wanted) = (
        i64::from(filter.limit.unwrap_or(100)),
        filter.status.map(|s| i16::from(number(s))),
    );
    let values: [Value<'_>; 5] = [&queue, &before, &name, &limit, &wanted];
    jobs(
        &store
            .query(Commit::Lazy, concat!("SELECT ", sql!("columns", "list")), &values)
            .await?,
    )
}

/// As `JobStore` says.
pub async fn cancel(store: &PostgresStore, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
    let (id, statement) = (without_nul(id), sql!("cancel", "columns", "cancel_end"));
    let _call = store.call()?;
    let rows = store
        .connections
        .query(Commit::Synced, false, statement, &[&queue, &id, &now])
        .await?;
    let job = jobs(&rows)?.pop();
    if job.is_some() {
        store.notifier.tell(Notice::Cancelled(id));
        // Others may have waited for it, or for its place.
        store.notifier.tell(Notice::Due);
        store.notifier.ready([queue.to_owned()]);
    }
    Ok(job)
}

/// As `JobStore` says.
pub async fn retry(store: &PostgresStore, queue: &str, id: &str, now: i64) -> Result<Job> {
    let Some(job) = store.get(queue, id).await? else {
        return Err(not_found(id));
    };
    if let (true, Some(key)) = (job.status.is_final(), &job.options.unique_key) {
        let values: [Value<'_>; 3] = [&vec![queue], &vec![key.as_str()], &vec![id]];
        if let Some(row) = store.query(Commit::Lazy, sql!("find_unique"), &values).await?.first() {
            return Err(duplicate(get(row, 2)?));
        }
    }
    let _call = store.call()?;
    let values: [Value<'_>; 3] = [&queue, &id, &now];
    let rows = store
        .connections
        .query(Commit::Synced, false, sql!("retry", "columns"), &values)
        .await?;
    let again = jobs(&rows)?.pop().ok_or_else(|| not_again(job.status))?;
    store.notifier.ready([queue.to_owned()]);
    Ok(again)
}

/// As `JobStore` says.
pub async fn counts(store: &PostgresStore, queue: &str) -> Result<Counts> {
    let rows = store.query(Commit::Lazy, sql!("oldest_waiting"), &[&queue]).await?;
    let oldest_waiting = rows.first().map(|row| get(row, 0)).transpose()?;
    let mut counts = Counts {
        oldest_waiting,
        ..Counts::default()
    };
    for row in store.query(Commit::Lazy, sql!("counts"), &[&queue]).await? {
        *counts.of(status(get::<i16>(&row, 0)? as u8)?) = get::<i64>(&row, 1)?.unsigned_abs();
    }
    Ok(counts)
}

/// As `JobStore` says.
pub async fn states(store: &PostgresStore, prefix: &str, now: i64) -> Result<Vec<SharedState>> {
    let rows = store.query(Commit::Lazy, sql!("states"), &[&prefix]).await?;
    let state = |row| {
        let at: i64 = get(row, 3)?;
        Ok(SharedState {
            key: get(row, 0)?,
            version: get(row, 1)?,
            value: value(get(row, 2)?)?,
            age: now.saturating_sub(at),
        })
    };
    rows.iter().map(state).collect()
}

/// As `JobStore` says.
pub async fn set_state(
    store: &PostgresStore,
    key: &str,
    version: i64,
    given: &serde_json::Value,
    now: i64,
) -> Result<bool> {
    let text = checked(key, given)?;
    let values: [Value<'_>; 4] = [&key, &version, &text, &now];
    Ok(!store
        .query(Commit::Synced, sql!("set_state"), &values)
        .await?
        .is_empty())
}

/// As `JobStore` says.
pub async fn clean(store: &PostgresStore, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64> {
    let over = statuses.into_iter().filter(|status| status.is_final());
    let numbers: Vec<i16> = over.map(|status| number(status).into()).collect();
    let connection = store.connections.connection(Commit::Synced).await?;
    let deleted = connection.execute(sql!("clean"), &[&queue, &numbers, &ended_by]).await;
    deleted.map_err(|error| coded(&error))
}

/// As `JobStore` says.
pub async fn prune(store: &PostgresStore, queue: &str, retention: Retention, now: i64) -> Result<u64> {
    let (keep, before) = (
        i64::try_from(retention.count).unwrap_or(i64::MAX),
        now.saturating_sub(retention.age),
    );
    store.query(Commit::Lazy, sql!("rate_prune"), &[&queue, &now]).await?;
    let mut deleted = 0;
    for status in FINAL.map(|status| i16::from(number(status))) {
        let connection = store.connections.connection(Commit::Lazy).await?;
        let statement = connection.prepare_cached(sql!("prune")).await.map_err(|e| coded(&e))?;
        let answer = connection.execute(&statement, &[&queue, &status, &keep, &before]).await;
        deleted += answer.map_err(|error| coded(&error))?;
    }
    Ok(deleted)
}
