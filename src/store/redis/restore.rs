//! Jobs of another store.

use super::insert::{parents, runs_anyway};
use super::record;
use super::redis_store::RedisStore;
use super::rows::{number, parts, text, unexpected};
use super::scripts::{self, RESTORE};
use crate::error::Result;
use crate::store::job::Job;
use crate::store::job_store::Notice;
use crate::store::rules::{self, LOG_LINES, duplicate, json, resume};

/// As `JobStore` says.
pub async fn restore(store: &RedisStore, queue: &str, jobs: Vec<Job>) -> Result<u64> {
    let mut call = scripts::call(&RESTORE);
    call.arg(queue);
    for job in jobs.into_iter().map(|job| resume(queue, job)) {
        let values = values(&job)?;
        let log = job.log.len().saturating_sub(LOG_LINES as usize);
        call.arg(&job.id)
            .arg(record::write(&job)?)
            .arg(&job.name)
            .arg(u8::from(job.options.priority))
            .arg(job.options.fair_key.as_deref().unwrap_or_default())
            .arg(job.options.unique_key.as_deref().unwrap_or_default())
            .arg(rules::number(job.status))
            .arg(job.run_at)
            .arg(if job.waits_for > 0 {
                parents(&job)?
            } else {
                String::new()
            })
            .arg(runs_anyway(&job))
            .arg(values.len() * 2);
        for (field, value) in values {
            call.arg(field).arg(value);
        }
        call.arg(job.log.len() - log).arg(&job.log[log..]);
    }
    let [restored, holder] = parts(store.call(&call, &RESTORE, false).await?)?;
    if let Some(holder) = text(&holder).filter(|id| !id.is_empty()) {
        return Err(duplicate(holder));
    }
    store.notifier.ready([queue.to_owned()]);
    store.notifier.tell(Notice::Due);
    number(&restored).ok_or_else(unexpected)
}

/// What it has beside what a new job has.
fn values(job: &Job) -> Result<Vec<(&'static str, String)>> {
    let mut values = vec![
        ("attempts", job.attempts.to_string()),
        ("progress", job.progress.to_string()),
        ("iteration", job.iteration.to_string()),
        ("checkpoint", json(&job.checkpoint)?),
    ];
    if let Some(error) = &job.error {
        values.push(("errorCode", error.code.clone()));
        values.push(("errorMessage", error.message.clone()));
    }
    let optional = [
        ("stage", job.stage.clone()),
        ("result", job.result.as_ref().map(json).transpose()?),
        ("startedAt", job.started_at.map(|at| at.to_string())),
        ("finishedAt", job.finished_at.map(|at| at.to_string())),
    ];
    values.extend(optional.into_iter().filter_map(|(field, value)| Some((field, value?))));
    Ok(values)
}
