//! Tells the queue how far a job is, and stores each finished stage.

use parking_lot::Mutex;

use super::candidate::Candidate;
use super::checkpoint::Checkpoint;
use super::examination::Observer;
use super::report::Check;
use super::stage::Stage;
use crate::queue::Reporter;

/// Watches the examination of a creation.
pub struct Watcher<'a> {
    reporter: &'a dyn Reporter,
    state: Mutex<Checkpoint>,
}

impl<'a> Watcher<'a> {
    /// A watcher that goes on from `state`.
    pub const fn new(reporter: &'a dyn Reporter, state: Checkpoint) -> Self {
        Self {
            reporter,
            state: Mutex::new(state),
        }
    }

    /// The state after the last finished stage.
    pub fn into_state(self) -> Checkpoint {
        self.state.into_inner()
    }
}

impl Observer for Watcher<'_> {
    fn started(&self, stage: Stage) {
        tell(self.reporter, stage, self.state.lock().iteration);
    }

    fn finished(&self, candidate: &Candidate, checks: &[Check]) {
        let value = {
            let mut state = self.state.lock();
            state.remember(candidate, checks);
            state.to_value()
        };
        if let Some(check) = checks.iter().rev().find(|check| !check.name.contains(": ")) {
            self.reporter
                .log(&format!("{} {:?} in {} ms", check.name, check.status, check.duration_ms).to_lowercase());
        }
        self.reporter.checkpoint(value);
    }
}

/// Progress in percent is the share of stages begun; the queue never lets it fall.
pub fn tell(reporter: &dyn Reporter, stage: Stage, iteration: u32) {
    let index = Stage::ALL.iter().position(|other| *other == stage).unwrap_or(0);
    let progress = index as f64 * 100.0 / Stage::ALL.len() as f64;
    reporter.progress(progress.round(), Some(stage.as_str()), Some(iteration));
}
