//! New jobs, and what their unique keys and their parents mean for them.

use std::collections::{HashMap, HashSet};

use rusqlite::params;

use super::database::Database;
use super::insert::{NewRow, insert};
use super::lists::get;
use super::manage::cancel;
use super::release::depend;
use super::rows::optional;
use super::{pack, sql};
use crate::error::Result;
use crate::store::dependencies::{begin_all, wait};
use crate::store::job::{Job, JobStatus, NewJob, OnDuplicate};
use crate::store::job_store::Added;
use crate::store::rules::{duplicate, status};

/// Stores the jobs.
pub fn add(database: &mut Database, queue: &str, new: Vec<NewJob>, now: i64) -> Result<Added> {
    let jobs = begin_all(queue, new, now)?;
    let mut added = Added::default();
    let mut keys: HashMap<String, Job> = HashMap::new();
    // The ids of those that are not stored, and of those in their place.
    let mut kept: HashMap<String, String> = HashMap::new();
    let new: HashSet<String> = jobs.iter().map(|job| job.id.clone()).collect();
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
    insert_all(database, &mut added.jobs, &new, &kept, now)?;
    added.kept = kept.into_values().filter(|id| !new.contains(id)).collect();
    Ok(added)
}

/// Stores those of the jobs that are `new`, each once.
fn insert_all(
    database: &mut Database,
    jobs: &mut [Job],
    new: &HashSet<String>,
    kept: &HashMap<String, String>,
    now: i64,
) -> Result<()> {
    let mut seqs = Vec::new();
    let mut stored: HashSet<String> = HashSet::new();
    for job in jobs {
        if !new.contains(&job.id) || !stored.insert(job.id.clone()) {
            continue;
        }
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
        insert(database, vec![NewRow::new(job.clone(), None)?])?;
        if job.waits_for > 0 {
            seqs.push((job.clone(), database.connection().last_insert_rowid()));
        }
    }
    seqs.iter().try_for_each(|(job, seq)| depend(database, job, *seq))
}

/// The live job that has a unique key.
pub fn live(database: &Database, queue: &str, key: &str) -> Result<Option<String>> {
    optional(database, sql!("find_unique"), params![queue, key])
}

fn status_of(database: &Database, queue: &str, id: &str) -> Result<Option<JobStatus>> {
    pack::by_id(database, id)?;
    let found: Option<u8> = optional(database, sql!("status_of"), params![queue, id])?;
    found.map(status).transpose()
}
