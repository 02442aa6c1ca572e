//! What JavaScript is told: to run attempts, to abort one, of a worker's activity, what became of adds.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::answers::Answers;
use crate::queue::{Job, JobFailure, JobOptions, JobStatus, Stop};

/// A message.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ToRunner<'a> {
    Run(Runs<'a>),
    Abort {
        attempt: u32,
        code: &'static str,
        message: &'static str,
    },
    Active {
        worker: u32,
        active: bool,
    },
    Added {
        number: u32,
        #[serde(flatten)]
        answers: &'a Answers<'a>,
    },
    /// Plain adds, all of them: their ids one after the other, and when that was.
    AddedPlain {
        number: u32,
        at: i64,
        ids: &'a str,
    },
}

/// Attempts that are to be run. What many of them share is written once, and times as the difference to one of them:
/// small whole numbers are read much faster than big ones.
#[derive(Serialize)]
pub struct Runs<'a> {
    at: i64,
    options: Vec<&'a JobOptions>,
    names: Vec<&'a str>,
    each: Flat<'a>,
}

/// Of each attempt its number, the job's id, the places of its name and its options, its data, attempts, when it was
/// added, may run and started, and what few jobs have, else 0.
struct Flat<'a>(Vec<ToRun<'a>>, i64);

struct ToRun<'a> {
    attempt: u32,
    job: &'a Job,
    name: usize,
    options: usize,
}

#[derive(Serialize)]
struct Rest<'a> {
    status: JobStatus,
    progress: f64,
    log: &'a [String],
    error: Option<&'a JobFailure>,
}

impl ToRunner<'_> {
    /// To abort an attempt.
    pub fn abort(attempt: u32, why: Stop) -> Self {
        let (code, message) = why.told();
        Self::Abort {
            attempt,
            code: code.as_str(),
            message,
        }
    }
}

impl<'a> Runs<'a> {
    /// To run these jobs under these numbers.
    pub fn new(jobs: impl Iterator<Item = (u32, &'a Job)>) -> Self {
        let (mut options, mut names, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for (attempt, job) in jobs {
            runs.push(ToRun {
                attempt,
                job,
                name: place(job.name.as_str(), &mut names),
                options: place(&job.options, &mut options),
            });
        }
        // When they start: that of a job may be anything, where it was brought from elsewhere.
        let at = runs.first().and_then(|first| first.job.started_at).unwrap_or_default();
        Self {
            at,
            options,
            names,
            each: Flat(runs, at),
        }
    }
}

impl Serialize for Flat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(runs, at) = self;
        let mut all = serializer.serialize_seq(None)?;
        for ToRun {
            attempt,
            job,
            name,
            options,
        } in runs
        {
            all.serialize_element(attempt)?;
            all.serialize_element(&job.id)?;
            all.serialize_element(name)?;
            all.serialize_element(options)?;
            all.serialize_element(&job.data)?;
            all.serialize_element(&job.attempts)?;
            all.serialize_element(&job.created_at.saturating_sub(*at))?;
            all.serialize_element(&job.run_at.saturating_sub(*at))?;
            all.serialize_element(&job.started_at.map(|started| started.saturating_sub(*at)))?;
            let is_plain = job.status == JobStatus::Running && job.progress == 0.0 && job.log.is_empty();
            if is_plain && job.error.is_none() {
                all.serialize_element(&0)?;
            } else {
                all.serialize_element(&Rest {
                    status: job.status,
                    progress: job.progress,
                    log: &job.log,
                    error: job.error.as_ref(),
                })?;
            }
        }
        all.end()
    }
}

/// The place of something among those that differ; jobs that come together mostly have the same.
pub fn place<'a, T: PartialEq + ?Sized>(one: &'a T, all: &mut Vec<&'a T>) -> usize {
    if all.last().is_none_or(|last| *last != one) {
        all.push(one);
    }
    all.len() - 1
}
