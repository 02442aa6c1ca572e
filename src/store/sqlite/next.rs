//! A job that is next, as it lies there: a row, or a part of one.

use super::pack::Packed;
use super::rows::Raw;
use super::starts::{Id, Start};
use crate::store::job::JobStatus;
use crate::store::job_store::ClaimRequest;
use crate::store::rules::number;

/// Read ahead, or taken.
#[derive(Debug)]
pub enum Next {
    Row(Box<Raw>),
    /// In a worker's hand it has started for the first time.
    Packed(Packed),
}

impl Next {
    /// Its place in the order of adding.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Row(raw) => raw.seq,
            Self::Packed(packed) => packed.seq(),
        }
    }

    /// Whether it may have a log.
    pub fn told(&self) -> bool {
        match self {
            Self::Row(raw) => raw.job.attempts > 0 || raw.job.progress > 0.0,
            Self::Packed(_) => false,
        }
    }

    /// How it would start now.
    pub fn start(&self, request: &ClaimRequest) -> (Id, Start) {
        let (id, fence, parent, packed) = match self {
            Self::Row(raw) => (Id::of(&raw.job.id), raw.fence, raw.parent, None),
            Self::Packed(packed) => (packed.id().into(), 0, false, Some(packed.clone())),
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

    /// The row of a job that started.
    pub fn into_raw(self, now: i64) -> Raw {
        match self {
            Self::Row(raw) => *raw,
            Self::Packed(packed) => {
                let mut raw = packed.unchecked();
                raw.begin(now);
                raw
            }
        }
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

/// The rows among them.
pub fn rows(all: &mut [Next]) -> impl Iterator<Item = &mut Raw> {
    all.iter_mut().filter_map(|next| match next {
        Next::Row(raw) => Some(&mut **raw),
        Next::Packed(_) => None,
    })
}
