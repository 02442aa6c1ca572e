//! Adds that look at other jobs first, because of a unique key or of parents: one transaction each.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use deadpool_postgres::Transaction;

use super::connections::{Commit, Value};
use super::failure::coded;
use super::insert::{AGAIN, PATIENCE};
use super::postgres_store::PostgresStore;
use super::rows::{get, jobs};
use super::sql;
use crate::error::{Code, Error, Result};
use crate::store::dependencies::wait;
use crate::store::job::{Job, JobStatus, OnDuplicate, OnParentFailure};
use crate::store::job_store::Added;
use crate::store::rules::{duplicate, json, number, status};
use crate::store::schedule::Schedule;

/// Whether jobs have to be added so.
pub fn is_apart(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| {
        let keyed = job.options.unique_key.is_some() && job.options.on_duplicate != OnDuplicate::Reject;
        keyed || !job.options.depends_on.is_empty()
    })
}

/// Stores the jobs.
pub async fn add(store: &PostgresStore, jobs: Vec<Job>, now: i64) -> Result<Added> {
    let started = Instant::now();
    loop {
        match add_once(store, &jobs, now).await {
            Err(error) if is_worth_again(store, &error, started) => tokio::time::sleep(AGAIN).await,
            added => return added.inspect(|added| tell(store, added)),
        }
    }
}

async fn add_once(store: &PostgresStore, jobs: &[Job], now: i64) -> Result<Added> {
    let mut connection = store.connections.connection(Commit::Synced).await?;
    let transaction = connection.transaction().await.map_err(|error| coded(&error))?;
    let added = add_within(&transaction, jobs.to_vec(), now).await?;
    transaction.commit().await.map_err(|error| coded(&error))?;
    Ok(added)
}

/// Adds the jobs of a schedule, each for itself; `None` where another process was first.
pub async fn fire(
    store: &PostgresStore,
    schedule: &Schedule,
    next_at: Option<i64>,
    jobs: Vec<Job>,
    now: i64,
) -> Result<Option<Added>> {
    let started = Instant::now();
    loop {
        match fire_once(store, schedule, next_at, &jobs, now).await {
            Err(error) if is_worth_again(store, &error, started) => tokio::time::sleep(AGAIN).await,
            fired => return fired.inspect(|added| added.iter().for_each(|added| tell(store, added))),
        }
    }
}

async fn fire_once(
    store: &PostgresStore,
    schedule: &Schedule,
    next_at: Option<i64>,
    jobs: &[Job],
    now: i64,
) -> Result<Option<Added>> {
    let mut connection = store.connections.connection(Commit::Synced).await?;
    let transaction = connection.transaction().await.map_err(|error| coded(&error))?;
    let values: [Value<'_>; 4] = [&schedule.queue, &schedule.id, &schedule.next_at, &next_at];
    let first = transaction
        .execute(sql!("schedule_fire"), &values)
        .await
        .map_err(|error| coded(&error))?;
    if first == 0 {
        return Ok(None);
    }
    let mut all = Added::default();
    for job in jobs {
        match add_within(&transaction, vec![job.clone()], now).await {
            Ok(added) => all.extend(added),
            // Told by a look at the live jobs, so that the transaction goes on.
            Err(error) if error.code() == Code::JobDuplicate && error.details().is_object() => {}
            Err(error) => return Err(error),
        }
    }
    transaction.commit().await.map_err(|error| coded(&error))?;
    Ok(Some(all))
}

/// While the server is away; and where a job of the same key was stored between the look and the
/// add, so that another look sees it.
fn is_worth_again(store: &PostgresStore, error: &Error, started: Instant) -> bool {
    let may_pass =
        error.code() == Code::StoreUnavailable || error.code() == Code::JobDuplicate && !error.details().is_object();
    may_pass && started.elapsed() < PATIENCE && !store.connections.is_closed()
}

/// Tells other processes.
fn tell(store: &PostgresStore, added: &Added) {
    if let Some(first) = added.jobs.first() {
        store.notifier.added(&first.queue, added);
    }
}

async fn add_within(transaction: &Transaction<'_>, jobs: Vec<Job>, now: i64) -> Result<Added> {
    let own: Vec<String> = jobs.iter().map(|job| job.id.clone()).collect();
    let mut added = Added::default();
    let mut keys: HashMap<String, Job> = HashMap::new();
    // The ids of those that are not stored, and of those in their place.
    let mut kept: HashMap<String, String> = HashMap::new();
    for job in jobs {
        let Some(key) = job.options.unique_key.clone() else {
            added.jobs.push(job);
            continue;
        };
        let live = match keys.get(&key) {
            Some(first) if job.options.on_duplicate == OnDuplicate::Keep => Some(first.clone()),
            Some(first) => return Err(duplicate(&first.id)),
            None => live(transaction, &job.queue, &key, &own).await?,
        };
        let job = match (live, job.options.on_duplicate) {
            (None, _) => job,
            (Some(live), OnDuplicate::Reject) => return Err(duplicate(&live.id)),
            (Some(live), OnDuplicate::Replace) => {
                added.replaced.extend(cancel(transaction, &live, now).await?);
                job
            }
            (Some(live), OnDuplicate::Keep) => {
                kept.insert(job.id, live.id.clone());
                live
            }
        };
        keys.insert(key, job.clone());
        added.jobs.push(job);
    }
    for job in &mut added.jobs {
        for parent in &mut job.options.depends_on {
            if let Some(kept) = kept.get(parent) {
                parent.clone_from(kept);
            }
        }
    }
    added.kept = kept.into_values().filter(|id| !own.contains(id)).collect();
    let mut stored: HashSet<String> = HashSet::new();
    let new = added.jobs.iter_mut();
    let new = new.filter(|job| own.contains(&job.id) && stored.insert(job.id.clone()));
    insert(transaction, new.collect(), now).await?;
    Ok(added)
}

async fn insert(transaction: &Transaction<'_>, mut new: Vec<&mut Job>, now: i64) -> Result<()> {
    let parents: Vec<String> = new.iter().flat_map(|job| job.options.depends_on.clone()).collect();
    if let (Some(first), false) = (new.first(), parents.is_empty()) {
        let queue = first.queue.clone();
        let mut statuses: HashMap<String, JobStatus> =
            new.iter().map(|job| (job.id.clone(), JobStatus::Pending)).collect();
        for row in query(transaction, sql!("parents"), &[&queue, &parents]).await? {
            statuses.insert(get(&row, 0)?, status(get::<i16>(&row, 1)? as u8)?);
        }
        for job in &mut new {
            wait(job, now, |parent| statuses.get(parent).copied())?;
        }
    }
    for job in &new {
        let (data, options) = (json(&job.data)?, json(&job.options)?);
        let (status, priority) = (i16::from(number(job.status)), i16::from(u8::from(job.options.priority)));
        let fair_key = job.options.fair_key.as_deref().unwrap_or("");
        let (code, message) = job.error.as_ref().map(|error| (&error.code, &error.message)).unzip();
        let waits_for = job.waits_for as i32;
        let values: [Value<'_>; 14] = [
            &job.id,
            &job.queue,
            &job.name,
            &data,
            &options,
            &status,
            &priority,
            &fair_key,
            &job.options.unique_key,
            &job.created_at,
            &job.run_at,
            &waits_for,
            &code,
            &message,
        ];
        query(transaction, sql!("add_apart"), &values).await?;
    }
    for job in new.iter().filter(|job| job.waits_for > 0) {
        depend(transaction, job).await?;
    }
    Ok(())
}

/// Notes what a stored job waits for.
pub async fn depend(transaction: &Transaction<'_>, job: &Job) -> Result<()> {
    let runs = job.options.on_parent_failure == OnParentFailure::Run;
    query(transaction, sql!("depend"), &[&job.id, &job.options.depends_on, &runs])
        .await
        .map(drop)
}

/// The live job that has a unique key, which nobody ends meanwhile.
async fn live(transaction: &Transaction<'_>, queue: &str, key: &str, own: &[String]) -> Result<Option<Job>> {
    let statement = concat!("SELECT ", sql!("columns", "live_for_update"));
    Ok(jobs(&query(transaction, statement, &[&queue, &key, &own]).await?)?.pop())
}

async fn cancel(transaction: &Transaction<'_>, job: &Job, now: i64) -> Result<Option<Job>> {
    let statement = sql!("cancel", "columns", "cancel_end");
    Ok(jobs(&query(transaction, statement, &[&job.queue, &job.id, &now]).await?)?.pop())
}

/// Runs a statement of a transaction.
pub async fn query(transaction: &Transaction<'_>, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>> {
    let statement = transaction.prepare_cached(sql).await.map_err(|error| coded(&error))?;
    transaction
        .query(&statement, values)
        .await
        .map_err(|error| coded(&error))
}
