//! A worker asks for jobs, and what it gets.

use super::job::Job;

/// What a worker asks for.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    pub queue: String,
    /// Only jobs of these names.
    pub names: Vec<String>,
    pub limit: usize,
    pub now: i64,
    pub lease_until: i64,
}

/// What a worker gets.
#[derive(Debug)]
pub struct Claimed {
    pub claims: Vec<Claim>,
    /// Jobs of the queue wait for their time, for others, or are held back by limits. Only looked
    /// at where nothing was claimed.
    pub unfinished: bool,
    /// When a rate makes room for jobs that it holds back.
    pub next_at: Option<i64>,
}

/// A job in a worker's hand.
#[derive(Clone, Debug)]
pub struct Claim {
    pub job: Box<Job>,
    /// Grows with each claim: an older one cannot end the job any more.
    pub fence: i64,
    /// How many of the attempts ended with the death of their worker.
    pub stalls: u32,
}

/// A claim that its worker starts later, when it has room. Until that is noted the store does not count it as a run
/// of a worker that dies.
#[derive(Clone, Debug)]
pub struct ReadAhead {
    pub claim: Claim,
    /// A worker that had read it ahead died, perhaps of it, so that its start is noted before it happens.
    pub doubtful: bool,
}

/// Names an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    pub id: String,
    pub fence: i64,
}
