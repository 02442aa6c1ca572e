//! What JavaScript is answered to adds. A job that is new is known there but for what it was given
//! here: `[id, createdAt, runAt, whether it waits for its time, which options]`, the times as the difference to `at`.
//! All options that differ are written once. Any other job is written as a whole.

use serde::Serialize;
use serde_json::Value;

use super::told::place;
use crate::error::{Error, Result};
use crate::queue::{Job, JobOptions, JobStatus};

/// Of some batches.
#[derive(Serialize)]
pub struct Answers<'a> {
    at: i64,
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

impl<'a> Answers<'a> {
    /// `keeps`: whether a batch has jobs that may be kept, so that another one than was given may be answered.
    pub fn new(answers: &'a [Result<Vec<Job>>], keeps: &[bool]) -> Self {
        let first = answers.iter().find_map(|answer| answer.as_ref().ok()?.first());
        let at = first.map_or(0, |job| job.created_at);
        let mut options: Vec<&JobOptions> = Vec::new();
        let mut adds = Vec::with_capacity(answers.len());
        for (answer, keeps) in answers.iter().zip(keeps) {
            adds.push(match answer {
                Ok(jobs) if *keeps => Answer::Jobs(jobs.iter().map(Added::Old).collect()),
                Ok(jobs) => Answer::Jobs(jobs.iter().map(|job| added(job, at, &mut options)).collect()),
                Err(error) => refused(error),
            });
        }
        Self { at, options, adds }
    }
}

fn added<'a>(job: &'a Job, at: i64, options: &mut Vec<&'a JobOptions>) -> Added<'a> {
    let later = job.status == JobStatus::Scheduled;
    let known = job.attempts == 0 && job.waits_for == 0 && (later || job.status == JobStatus::Pending);
    if !known {
        return Added::Old(job);
    }
    let options = place(&job.options, options);
    Added::New(
        &job.id,
        job.created_at - at,
        job.run_at.saturating_sub(at),
        later,
        options,
    )
}

fn refused(error: &Error) -> Answer<'_> {
    Answer::Refused {
        code: error.code().as_str(),
        message: super::super::error::message_of(error),
        details: error.details(),
    }
}
