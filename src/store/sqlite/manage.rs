//! What users ask of a queue: add, look, cancel, retry, clean.

use rusqlite::params;
use uuid::Uuid;

use super::database::Database;
use super::failure::coded;
use super::rows::{execute, jobs, json, number, optional, status};
use super::sql;
use crate::error::{Code, Error, Result};
use crate::store::job::{Job, JobStatus, NewJob};
use crate::store::job_store::{Counts, JobFilter, Retention};

const FINAL: [JobStatus; 3] = [JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled];

/// Stores the jobs.
pub fn add(database: &Database, queue: &str, new: Vec<NewJob>, now: i64) -> Result<Vec<Job>> {
    new.into_iter().map(|job| add_one(database, queue, job, now)).collect()
}

fn add_one(database: &Database, queue: &str, new: NewJob, now: i64) -> Result<Job> {
    let NewJob { name, data, options } = new;
    if let Some(key) = &options.unique_key {
        let live: Option<String> = optional(database, sql!("find_unique"), params![queue, key])?;
        if let Some(id) = live {
            return Err(duplicate(&id));
        }
    }
    let run_at = options
        .run_at
        .unwrap_or_else(|| now.saturating_add_unsigned(options.delay.unwrap_or(0)));
    let later = run_at > now;
    let job = Job {
        id: Uuid::now_v7().to_string(),
        queue: queue.to_owned(),
        name,
        data,
        status: if later {
            JobStatus::Scheduled
        } else {
            JobStatus::Pending
        },
        attempts: 0,
        progress: 0.0,
        stage: None,
        iteration: 0,
        log: Vec::new(),
        checkpoint: serde_json::Value::Null,
        result: None,
        error: None,
        created_at: now,
        run_at,
        started_at: None,
        finished_at: None,
        options,
    };
    execute(
        database,
        sql!("add"),
        params![
            job.id,
            job.queue,
            job.name,
            json(&job.data)?,
            json(&job.options)?,
            number(job.status),
            !later,
            u8::from(job.options.priority),
            job.options.fair_key.as_deref().unwrap_or(""),
            job.options.unique_key,
            job.created_at,
            job.run_at
        ],
    )?;
    Ok(job)
}

fn duplicate(id: &str) -> Error {
    Error::new(
        Code::JobDuplicate,
        format!("the job {id} is live and has the same unique key; wait for it or cancel it"),
    )
    .with_details(serde_json::json!({ "jobId": id }))
}

/// One job.
pub fn get(database: &Database, queue: &str, id: &str) -> Result<Option<Job>> {
    Ok(jobs(
        database,
        concat!("SELECT ", sql!("job_columns", "get")),
        params![queue, id],
    )?
    .pop())
}

/// Jobs, the newest first.
pub fn list(database: &Database, queue: &str, filter: &JobFilter) -> Result<Vec<Job>> {
    let before: i64 = match &filter.cursor {
        None => i64::MAX,
        Some(id) => match optional(database, sql!("seq_of"), [id])? {
            Some(seq) => seq,
            // It was deleted meanwhile; ids are in the order of time.
            None => optional(database, sql!("seq_before"), [id])?.unwrap_or(0),
        },
    };
    let limit = filter.limit.unwrap_or(100);
    match filter.status {
        None => jobs(
            database,
            concat!("SELECT ", sql!("job_columns", "list")),
            params![queue, before, filter.name, limit],
        ),
        Some(status) => jobs(
            database,
            concat!("SELECT ", sql!("job_columns", "list_status")),
            params![queue, before, filter.name, limit, number(status)],
        ),
    }
}

/// Cancels a job that is not final.
pub fn cancel(database: &Database, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
    Ok(jobs(database, sql!("cancel", "job_columns"), params![queue, id, now])?.pop())
}

/// Makes a job ready at once.
pub fn retry(database: &Database, queue: &str, id: &str, now: i64) -> Result<Job> {
    let Some(job) = get(database, queue, id)? else {
        return Err(Error::new(
            Code::JobNotFound,
            format!("there is no job {id:?} in this queue"),
        ));
    };
    if let (true, Some(key)) = (job.status.is_final(), &job.options.unique_key) {
        let live: Option<String> = optional(database, sql!("find_unique"), params![queue, key])?;
        if let Some(other) = live {
            return Err(duplicate(&other));
        }
    }
    jobs(database, sql!("retry_now", "job_columns"), params![queue, id, now])?
        .pop()
        .ok_or_else(|| {
            Error::new(
                Code::JobState,
                "only a failed, cancelled, retrying or scheduled job can be run again; this one is not",
            )
            .with_details(serde_json::json!({ "status": job.status }))
        })
}

/// How many jobs there are.
pub fn counts(database: &Database, queue: &str) -> Result<Counts> {
    let rows: Vec<(u8, u64)> = {
        let mut statement = database.statement(sql!("counts"))?;
        statement
            .query_map([queue], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))
            .and_then(Iterator::collect)
            .map_err(coded)?
    };
    let mut counts = Counts {
        oldest_waiting: optional(database, sql!("oldest_waiting"), [queue])?,
        ..Counts::default()
    };
    for (which, count) in rows {
        *match status(which)? {
            JobStatus::Pending => &mut counts.pending,
            JobStatus::Scheduled => &mut counts.scheduled,
            JobStatus::Running => &mut counts.running,
            JobStatus::Retrying => &mut counts.retrying,
            JobStatus::Completed => &mut counts.completed,
            JobStatus::Failed => &mut counts.failed,
            JobStatus::Cancelled => &mut counts.cancelled,
        } = count;
    }
    Ok(counts)
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
pub fn prune(database: &Database, queue: &str, retention: Retention, now: i64) -> Result<u64> {
    let mut deleted = 0;
    let keep = i64::try_from(retention.count).unwrap_or(i64::MAX);
    for status in FINAL {
        deleted += execute(database, sql!("prune_count"), params![queue, number(status), keep])?;
        let before = now.saturating_sub(retention.age);
        deleted += execute(database, sql!("prune_age"), params![queue, number(status), before])?;
    }
    Ok(deleted as u64)
}
