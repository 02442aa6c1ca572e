//! The attempts that run in this process.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::ticket::Ticket;
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
struct Control {
    reach: Reach,
    worker: u64,
    stop: Option<Stop>,
}

enum Reach {
    /// A task waits for it.
    Token(CancellationToken),
    Ticket(Arc<Ticket>),
}

/// All running attempts by their lease.
#[derive(Default)]
pub struct Running {
    all: Mutex<HashMap<Lease, Control>>,
}

impl Running {
    /// An attempt starts; its token is answered.
    pub fn start(&self, lease: &Lease, worker: u64) -> CancellationToken {
        let token = CancellationToken::new();
        let control = Control {
            reach: Reach::Token(token.clone()),
            worker,
            stop: None,
        };
        self.all.lock().insert(lease.clone(), control);
        token
    }

    /// Attempts start that have no task of their own.
    pub fn start_all<'a>(&self, tickets: impl Iterator<Item = &'a Arc<Ticket>>, worker: u64) {
        let mut all = self.all.lock();
        for ticket in tickets {
            let control = Control {
                reach: Reach::Ticket(ticket.clone()),
                worker,
                stop: None,
            };
            all.insert(ticket.lease().clone(), control);
        }
    }

    /// Attempts ended.
    pub fn end_all<'a>(&self, leases: impl Iterator<Item = &'a Lease>) {
        let mut all = self.all.lock();
        for lease in leases {
            all.remove(lease);
        }
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
        let mut tickets = Vec::new();
        for (lease, control) in self.all.lock().iter_mut() {
            if applies(lease, control.worker) {
                control.stop.get_or_insert(stop);
                match &control.reach {
                    Reach::Token(token) => token.cancel(),
                    Reach::Ticket(ticket) => tickets.push(ticket.clone()),
                }
            }
        }
        for ticket in tickets {
            ticket.stop(stop);
        }
    }
}
