//! A queue that is open: in memory, as the owner of its data directory, or served by the owner.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use parking_lot::Mutex;
use serde::Deserialize;

use super::runner::{Runner, ToRunner};
use super::{QueueListener, QueueRunner};
use crate::clock::SystemClock;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::queue::{
    self, Access, Hub, HubOptions, Owner, Peer, Queue, QueueApi, RemoteQueue, Retention, Worker, WorkerOptions,
};
use crate::store::{DataDirectory, SqliteStore, StoreKind};

/// How a queue is opened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct OpenOptions {
    store: String,
    data_dir: String,
    lease_duration: u64,
    retention: Retention,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            store: "sqlite".to_owned(),
            data_dir: ".auton8n".to_owned(),
            lease_duration: HubOptions::default().lease,
            retention: Retention::default(),
        }
    }
}

/// How a worker works.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WorkOptions {
    concurrency: usize,
}

impl Default for WorkOptions {
    fn default() -> Self {
        Self {
            concurrency: WorkerOptions::default().concurrency,
        }
    }
}

/// Hands events to JavaScript.
pub struct Listener(pub QueueListener);

impl EventSink for Listener {
    fn emit(&self, event: Event) {
        if let Ok(event) = serde_json::to_string(&event) {
            // A listener that does not keep up misses events; the store has the truth.
            let _ = self.0.call(event, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

enum Place {
    Memory(Hub),
    Owner(Owner),
    Served(Peer),
}

/// A queue that is open, and where.
pub struct Inner {
    place: Place,
    pub api: Arc<dyn QueueApi>,
    /// Where this process owns the store.
    pub near: Option<Queue>,
    pub runner: Arc<Runner>,
    pub workers: Mutex<HashMap<u32, Worker>>,
}

impl Inner {
    /// Opens it.
    pub async fn open(name: String, options: OpenOptions, sink: Listener, runner: QueueRunner) -> Result<Self> {
        let clock = SystemClock::shared();
        if !(100..=3_600_000).contains(&options.lease_duration) {
            return Err(Error::new(
                Code::OptionInvalid,
                "`leaseDuration` must be 100 to 3600000 ms",
            ));
        }
        let hub_options = HubOptions {
            lease: options.lease_duration,
            retention: options.retention,
            ..HubOptions::default()
        };
        let embedded = async |directory: DataDirectory| match queue::open(&directory, &clock, hub_options).await? {
            Access::Owner(owner) => Ok::<_, Error>(Place::Owner(owner)),
            Access::Served(peer) => Ok(Place::Served(peer)),
        };
        let place = match StoreKind::parse(&options.store)? {
            StoreKind::Memory => {
                let store = Arc::new(SqliteStore::in_memory().await?);
                Place::Memory(Hub::open(store, clock, hub_options, true).await?)
            }
            StoreKind::Embedded => embedded(DataDirectory::open(&PathBuf::from(options.data_dir))?).await?,
            StoreKind::EmbeddedIn(path) => embedded(DataDirectory::open_path(&PathBuf::from(path))?).await?,
            StoreKind::Postgres(url) | StoreKind::Redis(url) => {
                Place::Owner(queue::open_server(&url, &clock, hub_options).await?)
            }
        };
        let sink = Arc::new(sink);
        let (near, api): (Option<Queue>, Arc<dyn QueueApi>) = match &place {
            Place::Memory(hub) => near(Queue::open(hub, &name, sink).await?),
            Place::Owner(owner) => near(Queue::open(owner.hub(), &name, sink).await?),
            Place::Served(peer) => (None, Arc::new(RemoteQueue::open(peer, &name, sink).await?)),
        };
        let runner = Runner::new(runner);
        Ok(Self {
            place,
            api,
            near,
            runner: Arc::new(runner),
            workers: Mutex::default(),
        })
    }

    /// Starts a worker.
    pub fn start(&self, id: u32, options: &WorkOptions) -> Result<()> {
        let Some(queue) = &self.near else {
            return Err(Error::new(
                Code::StoreBusy,
                "workers run in the process that owns the data directory; this one is served by it and can add, read and cancel jobs",
            ));
        };
        let worker = queue.start_worker(WorkerOptions {
            concurrency: options.concurrency,
        })?;
        let (mut activity, runner, until) = (worker.activity(), self.runner.clone(), worker.clone());
        self.workers.lock().insert(id, worker);
        tokio::spawn(async move {
            let follow = async {
                while activity.changed().await.is_ok() {
                    let active = *activity.borrow_and_update();
                    runner.tell(&ToRunner::Active { worker: id, active });
                }
            };
            tokio::select! {
                () = follow => {}
                () = until.stopped() => {}
            }
            runner.tell(&ToRunner::Active {
                worker: id,
                active: false,
            });
        });
        Ok(())
    }

    /// Stops the workers and closes it.
    pub async fn close(&self, deadline: Duration) {
        if let Some(queue) = &self.near {
            queue.shutdown(deadline).await;
        }
        self.workers.lock().clear();
        match &self.place {
            Place::Memory(hub) => hub.close().await,
            Place::Owner(owner) => owner.close().await,
            Place::Served(peer) => peer.close(),
        }
    }
}

fn near(queue: Queue) -> (Option<Queue>, Arc<dyn QueueApi>) {
    (Some(queue.clone()), Arc::new(queue))
}
