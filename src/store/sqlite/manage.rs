//! What users ask of a queue: look, cancel, retry, clean.

use rusqlite::params;

use super::add::live;
use super::database::Database;
use super::failure::coded;
use super::lists::get;
use super::release::{depend, release_if_parent};
use super::rows::{execute, jobs, optional};
use super::{limited, pack, sql};
use crate::error::Result;
use crate::store::job::{Job, JobStatus};
use crate::store::job_store::Retention;
use crate::store::rules::{
    FINAL, checksum, duplicate, is_ready, json, not_again, not_found, number, resume, status, value,
};
use crate::store::shared_state::SharedState;

/// Stores jobs of another store.
pub fn restore(database: &mut Database, queue: &str, jobs: Vec<Job>) -> Result<u64> {
    let mut restored = 0;
    for job in jobs {
        if pack::find(database, &job.id)?.is_some() {
            continue;
        }
        let mut job = resume(queue, job);
        // Of its parents, those wait here that came before it.
        job.waits_for = live_parents(database, &job)?;
        let (code, message) = job.error.as_ref().map(|error| (&error.code, &error.message)).unzip();
        let (data, options) = (job.data.text(), json(&job.options)?);
        let values = params![
            job.id,
            job.queue,
            job.name,
            data,
            options,
            number(job.status),
            is_ready(job.status),
            u8::from(job.options.priority),
            job.options.fair_key.as_deref().unwrap_or(""),
            job.options.unique_key,
            job.attempts,
            job.progress,
            job.stage,
            job.iteration,
            json(&job.checkpoint)?,
            job.result.as_ref().map(json).transpose()?,
            code,
            message,
            job.created_at,
            job.run_at,
            job.started_at,
            job.finished_at,
            job.waits_for,
            checksum([&job.id, &job.queue, &job.name, data, &options]),
            database.next_seqs(1),
        ];
        if execute(database, sql!("restore"), values)? > 0 {
            restored += 1;
            let seq: Option<i64> = optional(database, sql!("seq_of"), [&job.id])?;
            if let Some(seq) = seq {
                depend(database, &job, seq)?;
            }
            for line in &job.log {
                execute(database, sql!("log_add"), params![seq, line])?;
            }
        }
    }
    Ok(restored)
}

fn live_parents(database: &Database, job: &Job) -> Result<u32> {
    let mut live = 0;
    for parent in job.options.depends_on.iter().filter(|_| job.waits_for > 0) {
        pack::by_id(database, parent)?;
        let found: Option<u8> = optional(database, sql!("status_of"), params![job.queue, parent])?;
        let status = found.map(status).transpose()?;
        live += u32::from(status.is_some_and(|status| !status.is_final()));
    }
    Ok(live)
}

/// Cancels a job that is not final.
pub fn cancel(database: &Database, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
    pack::by_id(database, id)?;
    let job = jobs(database, sql!("cancel", "job_columns"), params![queue, id, now])?.pop();
    if job.is_some() {
        release_if_parent(database, id, JobStatus::Cancelled, now)?;
    }
    Ok(job)
}

/// Makes a job ready at once.
pub fn retry(database: &Database, queue: &str, id: &str, now: i64) -> Result<Job> {
    let Some(job) = get(database, queue, id)? else {
        return Err(not_found(id));
    };
    if let (true, Some(key)) = (job.status.is_final(), &job.options.unique_key)
        && let Some(other) = live(database, queue, key)?
    {
        return Err(duplicate(&other));
    }
    jobs(database, sql!("retry_now", "job_columns"), params![queue, id, now])?
        .pop()
        .ok_or_else(|| not_again(job.status))
}

/// The values that processes share.
pub fn states(database: &Database, prefix: &str, now: i64) -> Result<Vec<SharedState>> {
    type Row = (String, i64, String, i64);
    let rows: Vec<Row> = database
        .statement(sql!("states"))?
        .query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .and_then(Iterator::collect)
        .map_err(coded)?;
    let state = |(key, version, text, at): Row| {
        let (value, age) = (value(&text)?, now.saturating_sub(at));
        Ok(SharedState {
            key,
            version,
            value,
            age,
        })
    };
    rows.into_iter().map(state).collect()
}

/// Deletes final jobs that ended at or before `ended_by`.
pub fn clean(database: &Database, queue: &str, ended_by: i64, statuses: &[JobStatus]) -> Result<u64> {
    let mut deleted = 0;
    for status in statuses.iter().filter(|status| status.is_final()) {
        deleted += execute(database, sql!("clean"), params![queue, number(*status), ended_by])?;
    }
    Ok(deleted as u64)
}

/// Deletes what retention does not keep.
pub fn prune(database: &mut Database, queue: &str, retention: Retention, now: i64) -> Result<u64> {
    limited::prune(database, queue, now)?;
    let mut deleted = 0;
    let keep = i64::try_from(retention.count).unwrap_or(i64::MAX);
    for status in FINAL {
        deleted += execute(database, sql!("prune_count"), params![queue, number(status), keep])?;
        let before = now.saturating_sub(retention.age);
        deleted += execute(database, sql!("prune_age"), params![queue, number(status), before])?;
    }
    Ok(deleted as u64)
}

/// Puts a shared value in place of that version of it.
pub fn set_state(database: &Database, key: &str, version: i64, text: &str, now: i64) -> Result<bool> {
    Ok(execute(database, sql!("set_state"), params![key, version, text, now])? > 0)
}

/// Delays go on as they were where the clock was set.
pub fn shift(database: &Database, by: i64) -> Result<()> {
    execute(database, sql!("shift"), [by]).map(drop)
}
