//! The attempts that run in this process.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::store::Lease;

/// Why an attempt is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The job was cancelled; the store knows.
    Cancelled,
    /// The worker stops: the job is handed back.
    HandBack,
    /// Another worker has the job.
    LeaseLost,
}

/// Reaches a running attempt.
#[derive(Clone, Debug)]
struct Control {
    token: CancellationToken,
    worker: u64,
    stop: Option<Stop>,
}

/// All running attempts by their lease.
#[derive(Debug, Default)]
pub struct Running {
    all: Mutex<HashMap<Lease, Control>>,
}

impl Running {
    /// An attempt starts; its token is answered.
    pub fn start(&self, lease: &Lease, worker: u64) -> CancellationToken {
        let token = CancellationToken::new();
        let control = Control {
            token: token.clone(),
            worker,
            stop: None,
        };
        self.all.lock().insert(lease.clone(), control);
        token
    }

    /// An attempt ended.
    pub fn end(&self, lease: &Lease) {
        self.all.lock().remove(lease);
    }

    /// Why it was stopped.
    pub fn stopped(&self, lease: &Lease) -> Option<Stop> {
        self.all.lock().get(lease).and_then(|control| control.stop)
    }

    /// All leases, to be renewed.
    pub fn leases(&self) -> Vec<Lease> {
        self.all.lock().keys().cloned().collect()
    }

    /// Stops every attempt of a job.
    pub fn stop_job(&self, id: &str, stop: Stop) {
        self.stop_where(stop, |lease, _| lease.id == id);
    }

    /// Stops one attempt.
    pub fn stop_lease(&self, lost: &Lease, stop: Stop) {
        self.stop_where(stop, |lease, _| lease == lost);
    }

    /// Stops every attempt of a worker.
    pub fn stop_worker(&self, worker: u64, stop: Stop) {
        self.stop_where(stop, |_, of| of == worker);
    }

    fn stop_where(&self, stop: Stop, applies: impl Fn(&Lease, u64) -> bool) {
        for (lease, control) in self.all.lock().iter_mut() {
            if applies(lease, control.worker) {
                control.stop.get_or_insert(stop);
                control.token.cancel();
            }
        }
    }
}
