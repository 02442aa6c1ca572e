//! What all handles of one queue share: listeners, wake-ups, figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::stats::Stats;
use crate::event::{Event, EventKind, EventSink};
use crate::store::{Priority, Retention};

/// A queue as it is in this process.
pub struct Core {
    pub name: String,
    pub paused: AtomicBool,
    pub stats: Mutex<Stats>,
    /// What is kept of its ended jobs, where somebody said.
    retention: Mutex<Option<Retention>>,
    /// Attempts that ended since retention was last applied.
    pub ended: AtomicU64,
    wake: watch::Sender<u64>,
    recalls: Mutex<Recalls>,
    sinks: Mutex<Sinks>,
}

/// How often what is held ahead of time had to go back, by the best priority that did: 0 is all, 4 none.
pub type Recalls = [u64; 5];

#[derive(Default)]
struct Sinks {
    next: u64,
    all: Vec<(u64, Arc<dyn EventSink>)>,
}

/// A listener, until it is dropped.
pub struct Subscription {
    core: Arc<Core>,
    id: u64,
}

impl Core {
    /// A queue without listeners.
    pub fn new(name: String, paused: bool) -> Arc<Self> {
        Arc::new(Self {
            name,
            paused: AtomicBool::new(paused),
            stats: Mutex::default(),
            retention: Mutex::default(),
            ended: AtomicU64::new(0),
            wake: watch::Sender::new(0),
            recalls: Mutex::default(),
            sinks: Mutex::default(),
        })
    }

    /// What is kept of its ended jobs; all of them where nobody said.
    pub fn retention(&self) -> Option<Retention> {
        *self.retention.lock()
    }

    /// Keeps so much from now on.
    pub fn set_retention(&self, retention: Retention) {
        *self.retention.lock() = Some(retention);
    }

    /// Workers look whether there is something for them.
    pub fn wake(&self) {
        self.wake.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Where wake-ups are waited for.
    pub fn wakes(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    /// A job of that priority waits since now: workers that hold others which come after it are woken.
    pub fn arrived(&self, priority: Priority) {
        self.recall(u8::from(priority) + 1);
    }

    /// What workers hold ahead of time from that priority on goes back.
    pub fn recall(&self, from: u8) {
        if let Some(count) = self.recalls.lock().get_mut(usize::from(from)) {
            *count += 1;
        }
        self.wake();
    }

    /// How often that was said.
    pub fn recalls(&self) -> Recalls {
        *self.recalls.lock()
    }

    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Tells every listener.
    pub fn emit(&self, job_id: &str, name: &str, at: i64, kind: EventKind) {
        let sinks: Vec<_> = self
            .sinks
            .lock()
            .all
            .iter()
            .filter(|(_, sink)| sink.hears(&kind))
            .map(|(_, sink)| sink.clone())
            .collect();
        let Some((last, others)) = sinks.split_last() else {
            return;
        };
        let event = Event {
            queue: self.name.clone(),
            job_id: job_id.to_owned(),
            name: name.to_owned(),
            at,
            kind,
        };
        for sink in others {
            sink.emit(event.clone());
        }
        last.emit(event);
    }

    /// Whether somebody listens to events of that kind.
    pub fn is_heard(&self, kind: &EventKind) -> bool {
        self.sinks.lock().all.iter().any(|(_, sink)| sink.hears(kind))
    }

    /// Adds a listener.
    pub fn subscribe(self: &Arc<Self>, sink: Arc<dyn EventSink>) -> Subscription {
        let mut sinks = self.sinks.lock();
        let id = sinks.next;
        sinks.next += 1;
        sinks.all.push((id, sink));
        Subscription {
            core: Arc::clone(self),
            id,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.core.sinks.lock().all.retain(|(id, _)| *id != self.id);
    }
}
