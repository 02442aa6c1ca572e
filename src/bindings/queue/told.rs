//! What JavaScript is told: to run attempts, to abort one, of a worker's activity.

use serde::Serialize;

use crate::queue::{Job, JobData, JobFailure, JobOptions, JobStatus, Stop};

/// A message.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ToRunner<'a> {
    /// All options that differ are written once.
    Run {
        options: Vec<&'a JobOptions>,
        jobs: Vec<ToRun<'a>>,
    },
    Abort {
        attempt: u32,
        code: &'static str,
        message: &'static str,
    },
    Active {
        worker: u32,
        active: bool,
    },
}

/// An attempt that is to be run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToRun<'a> {
    attempt: u32,
    id: &'a str,
    queue: &'a str,
    name: &'a str,
    data: &'a JobData,
    /// Their place among the options of the message.
    options: usize,
    status: JobStatus,
    attempts: u32,
    progress: f64,
    log: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a JobFailure>,
    created_at: i64,
    run_at: i64,
    started_at: Option<i64>,
}

impl<'a> ToRunner<'a> {
    /// To abort an attempt.
    pub fn abort(attempt: u32, why: Stop) -> Self {
        let (code, message) = why.told();
        Self::Abort {
            attempt,
            code: code.as_str(),
            message,
        }
    }

    /// To run these jobs under these numbers.
    pub fn run(jobs: impl Iterator<Item = (u32, &'a Job)>) -> Self {
        let mut options = Vec::new();
        let jobs = jobs
            .map(|(attempt, job)| ToRun {
                attempt,
                id: &job.id,
                queue: &job.queue,
                name: &job.name,
                data: &job.data,
                options: place(&job.options, &mut options),
                status: job.status,
                attempts: job.attempts,
                progress: job.progress,
                log: &job.log,
                error: job.error.as_ref(),
                created_at: job.created_at,
                run_at: job.run_at,
                started_at: job.started_at,
            })
            .collect();
        Self::Run { options, jobs }
    }
}

/// The place of options among those that differ; jobs that come together mostly have the same.
pub fn place<'a>(options: &'a JobOptions, all: &mut Vec<&'a JobOptions>) -> usize {
    if all.last().is_none_or(|last| *last != options) {
        all.push(options);
    }
    all.len() - 1
}
