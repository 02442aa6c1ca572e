//! Schedules, and the limits of queues.

use super::connections::{Commit, Value};
use super::postgres_store::PostgresStore;
use super::rows::get;
use super::sql;
use crate::error::Result;
use crate::store::job_store::Notice;
use crate::store::limits::Limits;
use crate::store::rules::{json, value};
use crate::store::schedule::Schedule;

/// As `JobStore` says.
pub async fn set(store: &PostgresStore, schedule: Schedule) -> Result<()> {
    let (missed, job) = (json(&schedule.missed)?, json(&schedule.job)?);
    let values: [Value<'_>; 8] = [
        &schedule.queue,
        &schedule.id,
        &schedule.cron,
        &schedule.time_zone,
        &missed,
        &job,
        &schedule.next_at,
        &schedule.last_at,
    ];
    store.query(Commit::Synced, sql!("schedule_set"), &values).await?;
    store.notifier.tell(Notice::Due);
    Ok(())
}

/// As `JobStore` says.
pub async fn remove(store: &PostgresStore, queue: &str, id: &str) -> Result<bool> {
    let rows = store
        .query(Commit::Synced, sql!("schedule_remove"), &[&queue, &id])
        .await?;
    Ok(!rows.is_empty())
}

/// As `JobStore` says.
pub async fn list(store: &PostgresStore, queue: &str) -> Result<Vec<Schedule>> {
    read(store, sql!("schedule_columns", "schedule_list"), &[&queue]).await
}

/// Those that are due.
pub async fn due(store: &PostgresStore, now: i64) -> Result<Vec<Schedule>> {
    read(store, sql!("schedule_columns", "schedule_due"), &[&now]).await
}

async fn read(store: &PostgresStore, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Schedule>> {
    let rows = store.query(Commit::Lazy, sql, values).await?;
    rows.iter()
        .map(|row| {
            Ok(Schedule {
                queue: get(row, 0)?,
                id: get(row, 1)?,
                cron: get(row, 2)?,
                time_zone: get(row, 3)?,
                missed: value(get(row, 4)?)?,
                job: value(get(row, 5)?)?,
                next_at: get(row, 6)?,
                last_at: get(row, 7)?,
            })
        })
        .collect()
}

/// As `JobStore` says.
pub async fn set_limits(store: &PostgresStore, queue: &str, limits: Limits) -> Result<()> {
    let stored = if limits.is_none() { None } else { Some(json(&limits)?) };
    store
        .query(Commit::Synced, sql!("limits_set"), &[&queue, &stored])
        .await?;
    store.notifier.tell(Notice::Limited(queue.to_owned()));
    store.notifier.ready([queue.to_owned()]);
    Ok(())
}

/// As `JobStore` says.
pub async fn limits(store: &PostgresStore, queue: &str) -> Result<Limits> {
    let rows = store.query(Commit::Lazy, sql!("limits"), &[&queue]).await?;
    let stored: Option<String> = rows.first().map_or(Ok(None), |row| get(row, 0))?;
    stored.as_deref().map_or_else(|| Ok(Limits::default()), value)
}
