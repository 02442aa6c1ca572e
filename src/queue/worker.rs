//! A handle on what takes jobs while it has room and runs them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::instrument::WithSubscriber;

use super::core::Core;
use super::hub::Hub;
use super::intake::Intake;
use super::room::Room;
use super::running::Stop;
use super::start::Starter;
use super::the_queue::Handlers;
use crate::error::{Code, Error, Result};

/// How long a handler may wind down after its token was cancelled by a stop.
const WIND_DOWN: Duration = Duration::from_secs(2);

/// How a worker works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Jobs that run at once, 1 to 10 000.
    pub concurrency: usize,
}

impl WorkerOptions {
    pub(super) fn check(self) -> Result<()> {
        if (1..=10_000).contains(&self.concurrency) {
            Ok(())
        } else {
            Err(Error::new(Code::OptionInvalid, "`concurrency` must be 1 to 10000"))
        }
    }
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

impl Worker {
    pub(super) fn start(hub: &Hub, core: &Arc<Core>, handlers: &Handlers, options: WorkerOptions) -> Result<Self> {
        options.check()?;
        let (active, activity) = watch::channel(true);
        let (id, tasks) = (hub.next_worker(), TaskTracker::new());
        let shared = hub.shared().clone();
        let stop = shared.stop.child_token();
        let starter = Starter {
            shared,
            core: core.clone(),
            handlers: handlers.clone(),
            id,
            room: Room::new(options.concurrency),
            stop: stop.clone(),
            tasks: tasks.clone(),
            claiming: AtomicBool::new(false),
            handed: Mutex::new(Some(None)),
            is_handed: Notify::new(),
        };
        let work = Intake {
            starter: Arc::new(starter),
            concurrency: options.concurrency,
            active,
        };
        tasks.spawn(work.run().with_current_subscriber());
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
