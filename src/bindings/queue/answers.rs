//! What JavaScript is answered to adds. A job that is new is known there but for what it was given
//! here: `[id, createdAt, runAt, whether it waits for its time, which options]`. All options that
//! differ are written once. Any other job is written as a whole.

use serde::Serialize;
use serde_json::Value;

use super::told::place;
use crate::error::{Error, Result};
use crate::queue::{Job, JobOptions, JobStatus};

#[derive(Serialize)]
struct Answers<'a> {
    options: Vec<&'a JobOptions>,
    adds: Vec<Answer<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Jobs(Vec<Added<'a>>),
    Refused {
        code: &'static str,
        message: String,
        details: &'a Value,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Added<'a> {
    New(&'a str, i64, i64, bool, usize),
    Old(&'a Job),
}

/// The answers as JSON. `keeps`: whether a batch has jobs that may be kept, so that another one than was given may be
/// answered.
pub fn written(answers: &[Result<Vec<Job>>], keeps: &[bool]) -> Result<String> {
    let mut options: Vec<&JobOptions> = Vec::new();
    let mut adds = Vec::with_capacity(answers.len());
    for (answer, keeps) in answers.iter().zip(keeps) {
        adds.push(match answer {
            Ok(jobs) if *keeps => Answer::Jobs(jobs.iter().map(Added::Old).collect()),
            Ok(jobs) => Answer::Jobs(jobs.iter().map(|job| added(job, &mut options)).collect()),
            Err(error) => refused(error),
        });
    }
    super::written(&Answers { options, adds })
}

fn added<'a>(job: &'a Job, options: &mut Vec<&'a JobOptions>) -> Added<'a> {
    let later = job.status == JobStatus::Scheduled;
    let known = job.attempts == 0 && job.waits_for == 0 && (later || job.status == JobStatus::Pending);
    if !known {
        return Added::Old(job);
    }
    Added::New(&job.id, job.created_at, job.run_at, later, place(&job.options, options))
}

fn refused(error: &Error) -> Answer<'_> {
    Answer::Refused {
        code: error.code().as_str(),
        message: super::super::error::message_of(error),
        details: error.details(),
    }
}
