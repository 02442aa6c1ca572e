//! New jobs, and what their unique keys and their parents mean for them.

use std::collections::{HashMap, HashSet};

use rusqlite::params;

use super::database::Database;
use super::manage::{cancel, get};
use super::release::depend;
use super::rows::{execute, optional};
use super::sql;
use crate::error::Result;
use crate::store::dependencies::{begin_all, wait};
use crate::store::job::{Job, JobStatus, NewJob, OnDuplicate};
use crate::store::job_store::Added;
use crate::store::rules::{checksum, duplicate, is_ready, json, number, status};

/// Stores the jobs.
pub fn add(database: &Database, queue: &str, new: Vec<NewJob>, now: i64) -> Result<Added> {
    let jobs = begin_all(queue, new, now)?;
    let mut added = Added::default();
    let mut keys: HashMap<String, Job> = HashMap::new();
    // The ids of those that are not stored, and of those in their place.
    let mut kept: HashMap<String, String> = HashMap::new();
    for job in jobs {
        let Some(key) = job.options.unique_key.clone() else {
            added.jobs.push(job);
            continue;
        };
        let job = match (keys.get(&key), job.options.on_duplicate) {
            (Some(first), OnDuplicate::Keep) => {
                kept.insert(job.id, first.id.clone());
                first.clone()
            }
            (Some(first), _) => return Err(duplicate(&first.id)),
            (None, policy) => match live(database, queue, &key)? {
                None => job,
                Some(id) if policy == OnDuplicate::Reject => return Err(duplicate(&id)),
                Some(id) if policy == OnDuplicate::Replace => {
                    added.replaced.extend(cancel(database, queue, &id, now)?);
                    job
                }
                Some(id) => {
                    kept.insert(job.id.clone(), id.clone());
                    get(database, queue, &id)?.unwrap_or(job)
                }
            },
        };
        keys.insert(key, job.clone());
        added.jobs.push(job);
    }
    insert_all(database, &mut added.jobs, &kept, now)?;
    added.kept = kept.into_values().collect();
    Ok(added)
}

fn insert_all(database: &Database, jobs: &mut [Job], kept: &HashMap<String, String>, now: i64) -> Result<()> {
    let existing: HashSet<&str> = kept.values().map(String::as_str).collect();
    let new: HashSet<String> = jobs
        .iter()
        .map(|job| job.id.clone())
        .filter(|id| !existing.contains(id.as_str()))
        .collect();
    let mut seqs = Vec::new();
    for job in jobs.iter_mut().filter(|job| new.contains(&job.id)) {
        if !job.options.depends_on.is_empty() {
            for parent in &mut job.options.depends_on {
                if let Some(kept) = kept.get(parent) {
                    parent.clone_from(kept);
                }
            }
            let mut statuses: HashMap<String, JobStatus> = HashMap::new();
            for parent in &job.options.depends_on {
                let known = if new.contains(parent) {
                    Some(JobStatus::Pending)
                } else {
                    status_of(database, &job.queue, parent)?
                };
                statuses.extend(known.map(|status| (parent.clone(), status)));
            }
            wait(job, now, |parent| statuses.get(parent).copied())?;
        }
        insert(database, job)?;
        if job.waits_for > 0 {
            seqs.push((job.clone(), database.connection().last_insert_rowid()));
        }
    }
    seqs.iter().try_for_each(|(job, seq)| depend(database, job, *seq))
}

fn insert(database: &Database, job: &Job) -> Result<()> {
    let (data, options) = (json(&job.data)?, json(&job.options)?);
    let (code, message) = job.error.as_ref().map(|error| (&error.code, &error.message)).unzip();
    execute(
        database,
        sql!("add"),
        params![
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
            job.created_at,
            job.run_at,
            job.waits_for,
            code,
            message,
            checksum([&job.id, &job.queue, &job.name, &data, &options]),
        ],
    )
    .map(drop)
}

/// The live job that has a unique key.
pub fn live(database: &Database, queue: &str, key: &str) -> Result<Option<String>> {
    optional(database, sql!("find_unique"), params![queue, key])
}

fn status_of(database: &Database, queue: &str, id: &str) -> Result<Option<JobStatus>> {
    let found: Option<u8> = optional(database, sql!("status_of"), params![queue, id])?;
    found.map(status).transpose()
}
