//! The attempts that run in this process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::ticket::Ticket;
use crate::error::Code;
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
    /// The attempt took too long.
    TimedOut,
}

impl Stop {
    /// What a handler is told of it.
    pub const fn told(self) -> (Code, &'static str) {
        match self {
            Self::Cancelled => (Code::Cancelled, "The job was cancelled."),
            Self::HandBack => (Code::Closed, "The worker stops; the job is handed back and runs again."),
            Self::LeaseLost => (
                Code::LeaseLost,
                "The lease of the job was lost; another worker may run it by now.",
            ),
            Self::TimedOut => (Code::Timeout, "The attempt took longer than the job's `timeout`."),
        }
    }
}

/// Why an attempt was stopped, once it was.
pub type Why = Arc<OnceLock<Stop>>;

/// Reaches a running attempt.
struct Control {
    reach: Reach,
    worker: u64,
    stop: Option<Stop>,
    /// When it began, where it was read ahead and that is not noted.
    begun: Option<u64>,
}

enum Reach {
    /// It was read ahead, and did not begin.
    Held,
    /// A task waits for it.
    Token(CancellationToken, Why),
    Ticket(Arc<Ticket>),
}

impl Control {
    const fn new(reach: Reach, worker: u64) -> Self {
        Self {
            reach,
            worker,
            stop: None,
            begun: None,
        }
    }

    fn is_done(&self) -> bool {
        matches!(&self.reach, Reach::Ticket(ticket) if ticket.is_over())
    }
}

/// Puts an attempt that starts in the place of a job that was held; answers what stopped that one.
fn insert(all: &mut All, lease: Arc<Lease>, mut control: Control, now: u64) -> Option<Stop> {
    match all.entry(lease) {
        Entry::Occupied(mut held) => {
            (control.stop, control.begun) = (held.get().stop, Some(now));
            held.insert(control).stop
        }
        Entry::Vacant(place) => {
            place.insert(control);
            None
        }
    }
}

type All = HashMap<Arc<Lease>, Control, RandomState>;

/// All running attempts by their lease.
#[derive(Default)]
pub struct Running {
    all: Mutex<All>,
}

impl Running {
    /// Jobs are held that may start later.
    pub fn hold(&self, leases: impl Iterator<Item = Lease>, worker: u64) {
        let mut all = self.all.lock();
        for lease in leases {
            all.insert(lease.into(), Control::new(Reach::Held, worker));
        }
    }

    /// An attempt starts; answers what stops it, and what will say why.
    pub fn start(&self, lease: &Lease, worker: u64, now: u64) -> (CancellationToken, Why) {
        let (token, why) = (CancellationToken::new(), Why::default());
        let control = Control::new(Reach::Token(token.clone(), why.clone()), worker);
        if let Some(stop) = insert(&mut self.all.lock(), lease.clone().into(), control, now) {
            why.get_or_init(|| stop);
            token.cancel();
        }
        (token, why)
    }

    /// Attempts start that have no task of their own.
    pub fn start_all(&self, tickets: &[Arc<Ticket>], worker: u64, now: u64) {
        let mut stopped = Vec::new();
        {
            let mut all = self.all.lock();
            for ticket in tickets {
                let control = Control::new(Reach::Ticket(ticket.clone()), worker);
                if let Some(stop) = insert(&mut all, ticket.lease().clone(), control, now) {
                    stopped.push((ticket, stop));
                }
            }
        }
        for (ticket, stop) in stopped {
            ticket.stop(stop);
        }
    }

    /// The jobs of a worker that were read ahead and began until then; each is answered once. Not those that are done
    /// and whose end is being stored: they harm nobody any more.
    pub fn begun(&self, worker: u64, until: u64) -> Vec<Lease> {
        let mut all = self.all.lock();
        all.iter_mut()
            .filter(|(_, control)| control.worker == worker && !control.is_done())
            .filter_map(|(lease, control)| {
                control
                    .begun
                    .take_if(|begun| *begun <= until)
                    .map(|_| (**lease).clone())
            })
            .collect()
    }

    /// Whether it did not end.
    pub fn is_running(&self, lease: &Lease) -> bool {
        self.all.lock().contains_key(lease)
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
        self.all.lock().keys().map(|lease| (**lease).clone()).collect()
    }

    /// Stops every attempt of a job.
    pub fn stop_job(&self, id: &str, stop: Stop) {
        self.stop_where(stop, |lease, _| lease.id == id);
    }

    /// Stops one attempt.
    pub fn stop_lease(&self, lost: &Lease, stop: Stop) {
        self.stop_where(stop, |lease, _| *lease == *lost);
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
                    Reach::Token(token, why) => {
                        why.get_or_init(|| stop);
                        token.cancel();
                    }
                    Reach::Ticket(ticket) => tickets.push(ticket.clone()),
                    Reach::Held => {}
                }
            }
        }
        for ticket in tickets {
            ticket.stop(stop);
        }
    }
}
