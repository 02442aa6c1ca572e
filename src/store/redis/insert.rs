//! Adds of many callers as one call of a script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Cmd, Value};

use super::links::Links;
use super::rows::{Body, items, jobs, string, text, unexpected};
use super::scripts::{self, ADD};
use crate::error::{Code, Error, Result};
use crate::store::dependencies;
use crate::store::job::{Job, JobOptions, OnDuplicate, OnParentFailure};
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
    bodies: Vec<String>,
}

impl Add {
    /// Writes the jobs as JSON, on the caller's time.
    pub fn new(queue: &str, jobs: Vec<Job>) -> Result<Self> {
        let bodies = jobs.iter().map(body).collect::<Result<_>>()?;
        let add = Self {
            queue: queue.to_owned(),
            jobs,
            bodies,
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
        self.bodies.iter().map(|text| text.len() + 200).sum()
    }
}

/// What does not change of a job.
pub fn body(job: &Job) -> Result<String> {
    json(&Body {
        name: &job.name,
        data: &job.data,
        options: Some(&job.options).filter(|options| **options != JobOptions::default()),
    })
}

/// Adds a job to a call, as `adding.lua` reads it.
pub fn push(call: &mut Cmd, job: &Job, body: &str) -> Result<()> {
    let options = &job.options;
    call.arg(&job.id)
        .arg(body)
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
    loop {
        match attempt(&links, &adds).await {
            Ok(answers) => {
                return adds
                    .into_iter()
                    .zip(answers)
                    .map(|(add, answer)| outcome(answer, add.jobs))
                    .collect();
            }
            Err(error)
                if error.code() == Code::StoreUnavailable && started.elapsed() < PATIENCE && !links.is_closed() =>
            {
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return adds.iter().map(|_| Err(again(&error))).collect(),
        }
    }
}

async fn attempt(links: &Links, adds: &[Add]) -> Result<Vec<Value>> {
    let mut call = scripts::call(&ADD);
    for add in adds {
        call.arg(&add.queue).arg(add.jobs.len());
        for (job, body) in add.jobs.iter().zip(&add.bodies) {
            push(&mut call, job, body)?;
        }
    }
    let answers = items(links.send(&call, Some(&ADD), true).await?)?;
    if answers.len() == adds.len() {
        Ok(answers)
    } else {
        Err(unexpected())
    }
}
