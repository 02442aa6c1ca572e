//! What users ask of a queue: look, cancel, retry, clean.

use redis::Value;

use super::PREFIX;
use super::redis_store::RedisStore;
use super::rows::{items, jobs, number, parts, text, unexpected};
use super::scripts::{self, CANCEL, CLEAN, COUNTS, GET, LIMITS_PRUNE, LIST, PRUNE, RETRY};
use crate::error::Result;
use crate::store::job::{Job, JobStatus};
use crate::store::job_store::{Counts, JobFilter, Notice, Retention};
use crate::store::rules::{self, FINAL, duplicate, not_again, not_found};

const STATUSES: std::ops::RangeInclusive<u8> = 0..=6;

/// As `JobStore` says.
pub async fn set_paused(store: &RedisStore, queue: &str, paused: bool) -> Result<()> {
    let word = if paused { "SADD" } else { "SREM" };
    let command = redis::cmd(word).arg(format!("{PREFIX}:paused")).arg(queue).to_owned();
    store.command(&command).await?;
    store.notifier.tell(Notice::Paused(queue.to_owned(), paused));
    Ok(())
}

/// As `JobStore` says.
pub async fn is_paused(store: &RedisStore, queue: &str) -> Result<bool> {
    let is_member = redis::cmd("SISMEMBER")
        .arg(format!("{PREFIX}:paused"))
        .arg(queue)
        .to_owned();
    Ok(store.command(&is_member).await? == Value::Int(1))
}

/// As `JobStore` says.
pub async fn get(store: &RedisStore, queue: &str, id: &str) -> Result<Option<Job>> {
    let mut call = scripts::call(&GET);
    call.arg(queue).arg(id);
    Ok(jobs(store.call(&call, &GET, true).await?)?.pop())
}

/// As `JobStore` says.
pub async fn list(store: &RedisStore, queue: &str, filter: JobFilter) -> Result<Vec<Job>> {
    // Bytes would be sent as one text.
    let statuses: Vec<u32> = match filter.status {
        Some(status) => vec![rules::number(status).into()],
        None => STATUSES.map(u32::from).collect(),
    };
    let limit = filter.limit.unwrap_or(100) as usize;
    let (mut found, mut before) = (Vec::new(), String::new());
    let mut cursor = filter.cursor.unwrap_or_default();
    loop {
        let mut call = scripts::call(&LIST);
        call.arg(queue)
            .arg(&before)
            .arg(&cursor)
            .arg(filter.name.as_ref().map_or_else(String::new, |name| format!("={name}")))
            .arg(limit - found.len())
            .arg(&statuses);
        let [go_on, rows] = parts(store.call(&call, &LIST, true).await?)?;
        found.extend(jobs(rows)?);
        text(&go_on).ok_or_else(unexpected)?.clone_into(&mut before);
        cursor.clear();
        if before.is_empty() || found.len() >= limit {
            return Ok(found);
        }
    }
}

/// As `JobStore` says.
pub async fn cancel(store: &RedisStore, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
    let mut call = scripts::call(&CANCEL);
    call.arg(queue).arg(id).arg(now);
    let job = jobs(store.call(&call, &CANCEL, false).await?)?.pop();
    if job.is_some() {
        store.notifier.tell(Notice::Cancelled(id.to_owned()));
        // Others may have waited for it, or for its place.
        store.notifier.tell(Notice::Due);
        store.notifier.ready([queue.to_owned()]);
    }
    Ok(job)
}

/// As `JobStore` says.
pub async fn retry(store: &RedisStore, queue: &str, id: &str, now: i64) -> Result<Job> {
    let mut call = scripts::call(&RETRY);
    call.arg(queue).arg(id).arg(now);
    let [word, of_it, rows] = parts(store.call(&call, &RETRY, false).await?)?;
    match text(&word) {
        Some("none") => Err(not_found(id)),
        Some("state") => Err(not_again(rules::status(number(&of_it).ok_or_else(unexpected)?)?)),
        Some("duplicate") => Err(duplicate(text(&of_it).ok_or_else(unexpected)?)),
        _ => {
            store.notifier.ready([queue.to_owned()]);
            jobs(rows)?.pop().ok_or_else(unexpected)
        }
    }
}

/// As `JobStore` says.
pub async fn counts(store: &RedisStore, queue: &str) -> Result<Counts> {
    let mut call = scripts::call(&COUNTS);
    call.arg(queue);
    let answer = items(store.call(&call, &COUNTS, true).await?)?;
    let count = |status| {
        let count = answer.get(usize::from(rules::number(status))).and_then(number);
        count.ok_or_else(unexpected)
    };
    Ok(Counts {
        pending: count(JobStatus::Pending)?,
        scheduled: count(JobStatus::Scheduled)?,
        running: count(JobStatus::Running)?,
        retrying: count(JobStatus::Retrying)?,
        completed: count(JobStatus::Completed)?,
        failed: count(JobStatus::Failed)?,
        cancelled: count(JobStatus::Cancelled)?,
        oldest_waiting: answer.get(usize::from(*STATUSES.end()) + 1).and_then(number),
    })
}

/// As `JobStore` says.
pub async fn clean(store: &RedisStore, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64> {
    let mut deleted = 0;
    for status in statuses.into_iter().filter(|status| status.is_final()) {
        let mut after = "0".to_owned();
        while !after.is_empty() {
            let mut call = scripts::call(&CLEAN);
            call.arg(queue).arg(rules::number(status)).arg(ended_by).arg(&after);
            let [count, go_on] = parts(store.call(&call, &CLEAN, true).await?)?;
            deleted += number::<u64>(&count).ok_or_else(unexpected)?;
            text(&go_on).ok_or_else(unexpected)?.clone_into(&mut after);
        }
    }
    Ok(deleted)
}

/// As `JobStore` says.
pub async fn prune(store: &RedisStore, queue: &str, retention: Retention, now: i64) -> Result<u64> {
    let mut windows = scripts::call(&LIMITS_PRUNE);
    windows.arg(queue).arg(now);
    store.call(&windows, &LIMITS_PRUNE, true).await?;
    let (mut deleted, before) = (0, now.saturating_sub(retention.age));
    for status in FINAL {
        let mut more = true;
        while more {
            let mut call = scripts::call(&PRUNE);
            call.arg(queue)
                .arg(rules::number(status))
                .arg(retention.count)
                .arg(before);
            let [count, surplus] = parts(store.call(&call, &PRUNE, true).await?)?;
            deleted += number::<u64>(&count).ok_or_else(unexpected)?;
            more = number(&surplus).is_some_and(|surplus: i64| surplus > 0);
        }
    }
    Ok(deleted)
}
