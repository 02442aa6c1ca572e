//! Adds of many callers as one call of a script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Cmd, Value};

use super::links::Links;
use super::record;
use super::rows::{items, jobs, string, text, unexpected};
use super::scripts::{self, ADD};
use crate::error::{Code, Error, Result};
use crate::store::dependencies;
use crate::store::job::{Job, JobStatus, OnDuplicate, OnParentFailure};
use crate::store::job_store::Added;
use crate::store::rules::{again, duplicate, json, number};

/// How long an add waits for a server that is away. Each job has its id, so a repetition after an
/// answer that got lost adds nothing twice.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(100);
/// Servers refuse more in one call, unless they are set otherwise.
const MOST: usize = 512 * 1024 * 1024;

/// The jobs of one call: all of them are stored or none.
#[derive(Debug)]
pub struct Add {
    queue: String,
    jobs: Vec<Job>,
    records: Vec<String>,
}

impl Add {
    /// Writes the records, on the caller's time.
    pub fn new(queue: &str, jobs: Vec<Job>) -> Result<Self> {
        let records = jobs.iter().map(record::write).collect::<Result<_>>()?;
        let add = Self {
            queue: queue.to_owned(),
            jobs,
            records,
        };
        if add.bytes() > MOST {
            return Err(Error::new(
                Code::OptionInvalid,
                "the jobs of one call are together too big for Redis, which takes 512 MiB; add fewer at once",
            ));
        }
        Ok(add)
    }

    /// About how big it is.
    pub fn bytes(&self) -> usize {
        self.records.iter().map(|text| text.len() + 100).sum()
    }

    /// Nothing can come in its way.
    fn is_plain(&self) -> bool {
        self.jobs.iter().all(is_plain)
    }
}

fn is_plain(job: &Job) -> bool {
    let options = &job.options;
    job.status == JobStatus::Pending && options.unique_key.is_none() && options.depends_on.is_empty()
}

fn lane(job: &Job) -> (&str, u8, &str) {
    let options = &job.options;
    let key = options.fair_key.as_deref().unwrap_or_default();
    (&job.name, u8::from(options.priority), key)
}

/// Adds a job to a call, as `adding.lua` reads it.
pub fn push(call: &mut Cmd, job: &Job, record: &str) -> Result<()> {
    let options = &job.options;
    call.arg(&job.id)
        .arg(record)
        .arg(&job.name)
        .arg(u8::from(options.priority))
        .arg(options.fair_key.as_deref().unwrap_or_default())
        .arg(options.unique_key.as_deref().unwrap_or_default())
        .arg(number(job.status))
        .arg(job.created_at)
        .arg(job.run_at)
        .arg(match options.on_duplicate {
            OnDuplicate::Reject => "reject",
            OnDuplicate::Replace => "replace",
            OnDuplicate::Keep => "keep",
        })
        .arg(parents(job)?)
        .arg(runs_anyway(job));
    Ok(())
}

/// Those that it waits for as JSON, or nothing.
pub fn parents(job: &Job) -> Result<String> {
    if job.options.depends_on.is_empty() {
        Ok(String::new())
    } else {
        json(&job.options.depends_on)
    }
}

/// Whether it runs when one of them failed.
pub fn runs_anyway(job: &Job) -> u8 {
    u8::from(job.options.on_parent_failure == OnParentFailure::Run)
}

/// What `add_all` of `adding.lua` answers of jobs.
pub fn outcome(answer: Value, stored: Vec<Job>) -> Result<Added> {
    if text(&answer) == Some("") {
        return Ok(stored.into());
    }
    let mut answer = items(answer)?.into_iter();
    let mut next = || answer.next().ok_or_else(unexpected);
    match text(&next()?) {
        Some("duplicate") => Err(duplicate(&string(&next()?)?)),
        Some("missing") => Err(dependencies::no_parent(&string(&next()?)?)),
        _ => Ok(Added {
            jobs: jobs(next()?)?,
            kept: items(next()?)?.iter().map(string).collect::<Result<_>>()?,
            replaced: jobs(next()?)?,
        }),
    }
}

/// Stores the adds; answers each with its jobs or its refusal.
pub async fn add(links: Arc<Links>, adds: Vec<Add>) -> Vec<Result<Added>> {
    let started = Instant::now();
    let mut repeated = false;
    loop {
        match attempt(&links, &adds, repeated).await {
            Ok(answers) => {
                return adds
                    .into_iter()
                    .zip(answers)
                    .map(|(add, answer)| match answer {
                        Some(answer) => outcome(answer, add.jobs),
                        None => Ok(add.jobs.into()),
                    })
                    .collect();
            }
            Err(error)
                if error.code() == Code::StoreUnavailable && started.elapsed() < PATIENCE && !links.is_closed() =>
            {
                // The server may have done it, and only its answer was lost.
                repeated = true;
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return adds.iter().map(|_| Err(again(&error))).collect(),
        }
    }
}

/// Answers what became of those adds in whose way something could be.
pub(super) async fn attempt(links: &Links, adds: &[Add], repeated: bool) -> Result<Vec<Option<Value>>> {
    let mut call = scripts::call(&ADD);
    call.arg(u8::from(repeated));
    for chunk in adds.chunk_by(|one, next| one.is_plain() && next.is_plain() && one.queue == next.queue) {
        if chunk.iter().all(Add::is_plain) {
            push_plain(&mut call, chunk);
            continue;
        }
        for add in chunk {
            call.arg("any").arg(&add.queue).arg(add.jobs.len());
            for (job, record) in add.jobs.iter().zip(&add.records) {
                push(&mut call, job, record)?;
            }
        }
    }
    let mut answers = items(links.send(&call, Some(&ADD), false).await?)?.into_iter();
    let answer = |add: &Add| {
        if add.is_plain() {
            Ok(None)
        } else {
            answers.next().map(Some).ok_or_else(unexpected)
        }
    };
    adds.iter().map(answer).collect()
}

/// Adds plain adds of a queue to a call, each lane's neighbours together.
fn push_plain(call: &mut Cmd, adds: &[Add]) {
    let all = adds.iter().flat_map(|add| add.jobs.iter().zip(&add.records));
    let all: Vec<(&Job, &String)> = all.collect();
    for group in all.chunk_by(|(one, _), (next, _)| lane(one) == lane(next)) {
        let Some((first, _)) = group.first() else { continue };
        let (name, priority, key) = lane(first);
        call.arg("plain")
            .arg(&first.queue)
            .arg(name)
            .arg(priority)
            .arg(key)
            .arg(group.len());
        for (job, record) in group {
            call.arg(&job.id).arg(record);
        }
    }
}
