//! A job that is next, as it lies there: a row, or a part of one.

use super::pack::Packed;
use super::rows::{LastOptions, Raw, finished};
use super::starts::{Id, Start};
use crate::error::{Error, Result};
use crate::store::job::{Job, JobStatus};
use crate::store::job_data::JobData;
use crate::store::job_store::{Claim, ClaimRequest, Lease};
use crate::store::rules::number;

/// Read ahead, or taken.
#[derive(Debug)]
pub enum Next {
    Row(Box<Raw>),
    /// In a worker's hand it has started for the first time. With it the job, where somebody had time to read it.
    Packed(Packed, Option<Box<Job>>),
}

impl Next {
    /// Its place in the order of adding.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Row(raw) => raw.seq,
            Self::Packed(packed, _) => packed.seq(),
        }
    }

    /// About how big it is, where it may be big.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Row(raw) => raw.bytes(),
            Self::Packed(..) => 0,
        }
    }

    /// Whether it may have a log.
    pub fn told(&self) -> bool {
        match self {
            Self::Row(raw) => raw.job.attempts > 0 || raw.job.progress > 0.0,
            Self::Packed(..) => false,
        }
    }

    /// How it would start now.
    pub fn start(&self, request: &ClaimRequest) -> (Id, Start) {
        let (id, fence, parent, packed) = match self {
            Self::Row(raw) => (Id::of(&raw.job.id), raw.fence, raw.parent, None),
            Self::Packed(packed, _) => (packed.id().into(), 0, false, Some(packed.clone())),
        };
        let start = Start {
            seq: self.seq(),
            fence: fence + 1,
            at: request.now,
            lease_until: request.lease_until,
            parent,
            packed,
        };
        (id, start)
    }

    /// It starts.
    pub fn begin(&mut self, now: i64) {
        if let Self::Row(raw) = self {
            raw.begin(now);
        }
    }

    /// Reads it, so that who claims it need not. What is damaged is told by its claim.
    pub fn read(self, last: &mut LastOptions) -> Self {
        match self {
            Self::Packed(packed, None) => {
                let job = read(&packed, last).map(Box::new);
                Self::Packed(packed, job)
            }
            other => other,
        }
    }

    /// The claim of a job that started, or why it cannot be read.
    pub fn into_claim(self, now: i64, last: &mut LastOptions) -> Result<Claim, (Lease, Error)> {
        let raw = match self {
            Self::Row(raw) => *raw,
            Self::Packed(_, Some(mut job)) => {
                (job.status, job.attempts, job.started_at) = (JobStatus::Running, 1, Some(now));
                return Ok(Claim {
                    job,
                    fence: 1,
                    stalls: 0,
                });
            }
            Self::Packed(packed, None) => {
                let mut raw = packed.unchecked();
                raw.begin(now);
                raw
            }
        };
        let lease = raw.lease();
        let read = raw.checked().and_then(|raw| finished(raw, last));
        read.map_err(|error| (lease, error))
    }
}

impl Raw {
    fn begin(&mut self, now: i64) {
        self.fence += 1;
        self.status = number(JobStatus::Running);
        self.job.attempts += 1;
        self.job.started_at = Some(now);
    }
}

/// The job that lies there, where it is sound.
fn read(packed: &Packed, last: &mut LastOptions) -> Option<Job> {
    let (data, options, created_at, run_at) = packed.sound()?;
    let (queue, name) = (packed.chunk.queue.clone(), packed.chunk.name.clone());
    Some(Job {
        data: JobData::from_text(data.to_owned()).ok()?,
        options: last.read(options).ok()?,
        created_at,
        run_at,
        ..Job::waiting(packed.id().to_string(), queue, name)
    })
}

/// The rows among them.
pub fn rows(all: &mut [Next]) -> impl Iterator<Item = &mut Raw> {
    all.iter_mut().filter_map(|next| match next {
        Next::Row(raw) => Some(&mut **raw),
        Next::Packed(..) => None,
    })
}
