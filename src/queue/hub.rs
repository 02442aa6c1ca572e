//! Everything that the queues of one store share in this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::check;
use super::core::Core;
use super::ends::Ends;
use super::heartbeat;
use super::reports::Reports;
use super::running::{Running, Stop};
use crate::clock::SharedClock;
use crate::error::Result;
use crate::event::EventKind;
use crate::store::{Added, Ending, Job, JobOptions, JobStatus, PlainAdded, Priority, SharedState, SharedStore};

/// How the queues of a store are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HubOptions {
    /// Milliseconds after which the jobs of a dead worker run again.
    pub lease: u64,
    /// How often a job may kill its worker before it fails.
    pub max_stalls: u32,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            lease: 15_000,
            max_stalls: 3,
        }
    }
}

/// The owner of a store's timers. Cheap to clone; its tasks end when it is closed or the last
/// clone is dropped.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
}

/// What the tasks and the queues work on.
pub struct Shared {
    pub store: SharedStore,
    pub clock: SharedClock,
    pub options: HubOptions,
    pub running: Running,
    pub reports: Arc<Reports>,
    pub ends: Ends,
    /// Something falls due, perhaps earlier than what the timer waits for.
    pub due: Notify,
    /// An attempt started.
    pub beat: Notify,
    /// Milliseconds of a lease, the shortest that an opening of this process asked for.
    lease: AtomicU64,
    /// It is shorter than it was.
    pub shortened: Notify,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    /// Where ends are stored that JavaScript's thread tells.
    pub runtime: Handle,
    /// No other process uses the store.
    pub alone: bool,
    /// Wall-clock time at the zero of the monotonic clock; another one later means that the clock was set.
    pub epoch: AtomicI64,
    cores: Mutex<HashMap<String, Arc<Core>>>,
    next_worker: AtomicU64,
}

impl Hub {
    /// Takes over a store. Must be called within a tokio runtime. `alone`: no other process uses it, so whatever runs in it is orphaned
    /// and waits again at once.
    pub async fn open(store: SharedStore, clock: SharedClock, options: HubOptions, alone: bool) -> Result<Self> {
        let now = clock.now_ms();
        let ended_by = if alone { i64::MAX } else { now };
        while !store.rescue(ended_by, now, options.max_stalls).await?.is_empty() {}
        let shared = Arc::new(Shared {
            store,
            epoch: AtomicI64::new(epoch(&clock)),
            clock,
            options,
            running: Running::default(),
            reports: Arc::default(),
            ends: Ends::default(),
            due: Notify::new(),
            beat: Notify::new(),
            lease: AtomicU64::new(options.lease),
            shortened: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            alone,
            cores: Mutex::default(),
            next_worker: AtomicU64::new(1),
        });
        heartbeat::start(&shared);
        Ok(Self {
            inner: Arc::new(Inner { shared }),
        })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// Opens a store that other processes use too: their jobs go on, and the time is the store's.
    pub async fn open_shared(store: SharedStore, clock: SharedClock, options: HubOptions) -> Result<Self> {
        let clock = store.clock().unwrap_or(clock);
        Self::open(store, clock, options, false).await
    }

    /// Leases last so many milliseconds at most from now on.
    pub fn lease_at_most(&self, lease: u64) {
        if self.shared().lease.fetch_min(lease, Ordering::AcqRel) > lease {
            self.shared().shortened.notify_one();
        }
    }

    /// The store, for what no queue can answer.
    pub fn store(&self) -> &SharedStore {
        &self.inner.shared.store
    }

    /// What the processes on the store share.
    pub async fn states(&self, prefix: &str) -> Result<Vec<SharedState>> {
        let shared = self.shared();
        shared.store.states(prefix, shared.clock.now_ms()).await
    }

    /// Puts a shared value in place of that version of it; false where another one is there.
    pub async fn set_state(&self, key: &str, version: i64, value: Value) -> Result<bool> {
        let shared = self.shared();
        shared.store.set_state(key, version, value, shared.clock.now_ms()).await
    }

    pub(super) async fn core(&self, name: &str) -> Result<Arc<Core>> {
        check::name("queue", name)?;
        let shared = self.shared();
        if let Some(core) = shared.cores.lock().get(name) {
            return Ok(core.clone());
        }
        let paused = shared.store.is_paused(name).await?;
        let mut cores = shared.cores.lock();
        let core = cores
            .entry(name.to_owned())
            .or_insert_with(|| Core::new(name.to_owned(), paused));
        Ok(core.clone())
    }

    pub(super) fn next_worker(&self) -> u64 {
        self.shared().next_worker.fetch_add(1, Ordering::Relaxed)
    }

    /// Ends the timers, stores what was told and closes the store. Workers are stopped before.
    pub async fn close(&self) {
        let shared = self.shared();
        shared.stop.cancel();
        shared.tasks.close();
        shared.tasks.wait().await;
        if let Err(error) = shared.reports.flush(&*shared.store).await {
            tracing::warn!("the last reports were not stored: {error}");
        }
        shared.store.close().await;
    }
}

/// The wall clock's time at the zero of the monotonic clock.
pub fn epoch(clock: &SharedClock) -> i64 {
    clock.now_ms().saturating_sub_unsigned(clock.monotonic_ms())
}

impl Shared {
    /// How long a lease lasts, in milliseconds.
    pub fn lease(&self) -> u64 {
        self.lease.load(Ordering::Acquire)
    }

    /// The queue of that name, if it is open here.
    pub fn opened(&self, name: &str) -> Option<Arc<Core>> {
        self.cores.lock().get(name).cloned()
    }

    /// Whether a job is deleted when it ends so: as it was asked for, or as nothing is kept.
    pub fn removes(core: &Core, options: &JobOptions, ending: &Ending) -> bool {
        let kept = core.retention().is_none_or(|retention| retention.count > 0);
        match ending {
            Ending::Completed { .. } => options.remove_on_complete || !kept,
            Ending::Failed { .. } => options.remove_on_fail || !kept,
            Ending::Retry { .. } | Ending::HandedBack => false,
        }
    }

    /// Tells of adds that are stored.
    pub fn added<'a>(&self, core: &Core, all: impl IntoIterator<Item = &'a Added>) {
        let (mut some, mut later, mut best, now) = (false, false, None, self.clock.now_ms());
        for added in all {
            for job in &added.replaced {
                self.cancelled(core, job);
            }
            for job in added.jobs.iter().filter(|job| !added.kept.contains(&job.id)) {
                core.emit(&job.id, &job.name, now, EventKind::Added);
                (some, later) = (true, later || job.status == JobStatus::Scheduled);
                if job.status == JobStatus::Pending {
                    best = best.min(Some(job.options.priority)).or(Some(job.options.priority));
                }
            }
        }
        if later {
            self.due.notify_one();
        }
        if let Some(best) = best {
            core.arrived(best);
        } else if some {
            // For jobs of later too: a worker tells whether something waits.
            core.wake();
        }
    }

    /// Tells of plain adds that are stored.
    pub fn added_plain(&self, core: &Core, added: &PlainAdded) {
        if core.is_heard(&EventKind::Added) {
            let now = self.clock.now_ms();
            for (id, (name, _)) in added.ids.iter().zip(added.jobs.iter()) {
                core.emit(&id.to_string(), name, now, EventKind::Added);
            }
        }
        core.arrived(Priority::default());
    }

    /// Stops what a cancelled job still does here, and tells of it.
    pub fn cancelled(&self, core: &Core, job: &Job) {
        self.running.stop_job(&job.id, Stop::Cancelled);
        core.emit(&job.id, &job.name, self.clock.now_ms(), EventKind::Cancelled);
        // Others may have waited for it, or for its place.
        self.due.notify_one();
        core.wake();
    }

    /// All queues that are open here.
    pub fn all_opened(&self) -> Vec<Arc<Core>> {
        self.cores.lock().values().cloned().collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
