//! A worker: takes jobs while it has room and runs them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt;
use super::core::Core;
use super::hub::{Hub, Shared};
use super::running::Stop;
use super::the_queue::Handlers;
use crate::error::{Code, Error, Result};
use crate::store::ClaimRequest;

/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(250);
/// How long a handler may wind down after its token was cancelled by a stop.
const WIND_DOWN: Duration = Duration::from_secs(2);

/// How a worker works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Jobs that run at once, 1 to 10 000.
    pub concurrency: usize,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { concurrency: 1 }
    }
}

/// A handle on a running worker.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    hub: Hub,
    id: u64,
    stop: CancellationToken,
    tasks: TaskTracker,
    active: watch::Receiver<bool>,
}

/// What the loop works on.
struct Loop {
    shared: Arc<Shared>,
    core: Arc<Core>,
    handlers: Handlers,
    id: u64,
    slots: Arc<Semaphore>,
    concurrency: usize,
    stop: CancellationToken,
    tasks: TaskTracker,
    ended: Arc<Notify>,
    active: watch::Sender<bool>,
}

impl Worker {
    pub(super) fn start(hub: &Hub, core: &Arc<Core>, handlers: &Handlers, options: WorkerOptions) -> Result<Self> {
        if !(1..=10_000).contains(&options.concurrency) {
            return Err(Error::new(Code::OptionInvalid, "`concurrency` must be 1 to 10000"));
        }
        let (active, activity) = watch::channel(true);
        let (id, tasks) = (hub.next_worker(), TaskTracker::new());
        let shared = hub.shared().clone();
        let stop = shared.stop.child_token();
        let work = Loop {
            shared,
            core: core.clone(),
            handlers: handlers.clone(),
            id,
            slots: Arc::new(Semaphore::new(options.concurrency)),
            concurrency: options.concurrency,
            stop: stop.clone(),
            tasks: tasks.clone(),
            ended: Arc::default(),
            active,
        };
        tasks.spawn(work.run());
        let inner = Inner {
            hub: hub.clone(),
            id,
            stop,
            tasks,
            active: activity,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether jobs run, or wait for their time, as it changes.
    pub fn activity(&self) -> watch::Receiver<bool> {
        self.inner.active.clone()
    }

    /// Takes no further job. Running ones have until the deadline; then their token is cancelled
    /// and they are handed back.
    pub async fn stop(&self, deadline: Duration) {
        let Inner {
            hub, id, stop, tasks, ..
        } = &*self.inner;
        stop.cancel();
        tasks.close();
        if tokio::time::timeout(deadline, tasks.wait()).await.is_err() {
            hub.shared().running.stop_worker(*id, Stop::HandBack);
            // A handler that does not heed its token is dropped by its attempt before this ends.
            let _ = tokio::time::timeout(WIND_DOWN * 2, tasks.wait()).await;
        }
    }

    /// Waits until it was stopped and its last job ended.
    pub async fn stopped(&self) {
        self.inner.stop.cancelled().await;
        self.inner.tasks.wait().await;
    }
}

impl Loop {
    async fn run(self) {
        let mut wakes = self.core.wakes();
        while let Some(room) = self.stop.run_until_cancelled(self.slots.acquire()).await {
            drop(room);
            wakes.mark_unchanged();
            // Not cut off by a stop: what was claimed must run or be handed back.
            let wait = match self.claim().await {
                Ok(more) => !more,
                Err(error) if error.code() == Code::Closed => break,
                Err(error) => {
                    tracing::warn!("a worker could not take jobs: {error}");
                    self.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
                    false
                }
            };
            if wait {
                tokio::select! {
                    _ = wakes.changed() => {}
                    () = self.ended.notified() => {}
                    () = self.stop.cancelled() => {}
                }
            }
        }
        self.active.send_replace(false);
    }

    /// Takes as many jobs as there is room for; false where there are no more.
    async fn claim(&self) -> Result<bool> {
        let limit = self.slots.available_permits();
        let names: Vec<String> = self.handlers.read().keys().cloned().collect();
        if self.core.is_paused() || names.is_empty() {
            self.active.send_replace(limit < self.concurrency);
            return Ok(false);
        }
        let now = self.shared.clock.now_ms();
        let request = ClaimRequest {
            queue: self.core.name.clone(),
            names,
            limit,
            now,
            lease_until: now.saturating_add_unsigned(self.shared.options.lease),
        };
        let claimed = self.shared.store.claim(request).await?;
        let count = claimed.claims.len();
        let busy = count > 0 || claimed.unfinished || limit < self.concurrency;
        self.active
            .send_if_modified(|active| std::mem::replace(active, busy) != busy);
        for claim in claimed.claims {
            self.core.stats.lock().claimed(now, claim.job.run_at);
            let handler = self.handlers.read().get(&claim.job.name).cloned();
            let Ok(permit) = self.slots.clone().try_acquire_owned() else {
                continue;
            };
            let Some(handler) = handler else { continue };
            let (shared, core, ended) = (self.shared.clone(), self.core.clone(), self.ended.clone());
            let id = self.id;
            self.tasks.spawn(async move {
                attempt::run(&shared, &core, handler, claim, id).await;
                drop(permit);
                ended.notify_one();
            });
        }
        Ok(count == limit)
    }
}
