//! The lines of the engine's log that are about jobs of other processes, on their way there.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;
use serde_json::json;

use crate::event::LogLine;
use crate::queue::Peer;

/// What the owner tells a process that it serves.
pub const LOG: &str = "engine.log";

/// Jobs of one process whose lines are told; the oldest are forgotten first.
const MOST_JOBS: usize = 1_024;

/// Which process asked for which jobs.
#[derive(Default)]
pub struct FarLogs(Mutex<Vec<Far>>);

struct Far {
    peer: Peer,
    jobs: HashSet<String>,
    order: VecDeque<String>,
}

impl FarLogs {
    /// The lines of that job go to that process from now on.
    pub fn follow(&self, peer: &Peer, job_id: &str) {
        let mut all = self.0.lock();
        all.retain(|far| !far.peer.is_closed());
        let at = all.iter().position(|far| far.peer.is_same(peer)).unwrap_or_else(|| {
            all.push(Far {
                peer: peer.clone(),
                jobs: HashSet::new(),
                order: VecDeque::new(),
            });
            all.len() - 1
        });
        let Some(far) = all.get_mut(at) else { return };
        if far.jobs.insert(job_id.to_owned()) {
            far.order.push_back(job_id.to_owned());
        }
        if far.order.len() > MOST_JOBS
            && let Some(oldest) = far.order.pop_front()
        {
            far.jobs.remove(&oldest);
        }
    }

    /// Tells each process what is about its jobs; the lines are redacted already.
    pub fn send(&self, lines: &[LogLine]) {
        for far in self.0.lock().iter().filter(|far| !far.peer.is_closed()) {
            let own: Vec<&LogLine> = lines
                .iter()
                .filter(|line| line.job_id.as_ref().is_some_and(|id| far.jobs.contains(id)))
                .collect();
            if !own.is_empty() {
                far.peer.notify(LOG, json!({ "lines": own }));
            }
        }
    }
}
