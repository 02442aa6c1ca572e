//! A handle on a queue of a store that this process owns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use super::check;
use super::core::{Core, Subscription};
use super::hub::Hub;
use super::running::Stop;
use super::worker::{Worker, WorkerOptions};
use super::{Handler, Job, JobFilter, JobStatus, Metrics, NewJob, QueueApi};
use crate::error::{Code, Error, Result};
use crate::event::{EventKind, EventSink};
use crate::store::SharedState;

/// The handlers by the name of their jobs.
pub type Handlers = Arc<RwLock<HashMap<String, Arc<dyn Handler>>>>;

/// A queue. Handles of one name share jobs, events and pause; each has its own handlers and
/// workers.
#[derive(Clone)]
pub struct Queue {
    hub: Hub,
    core: Arc<Core>,
    handlers: Handlers,
    workers: Arc<Mutex<Vec<Worker>>>,
    _listener: Arc<Subscription>,
}

impl Queue {
    /// Opens the queue of that name; `sink` hears its events until the last clone is dropped.
    pub async fn open(hub: &Hub, name: &str, sink: Arc<dyn EventSink>) -> Result<Self> {
        let core = hub.core(name).await?;
        let listener = Arc::new(core.subscribe(sink));
        Ok(Self {
            hub: hub.clone(),
            core,
            handlers: Handlers::default(),
            workers: Arc::default(),
            _listener: listener,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// The workers of this handle run jobs of that name from now on.
    pub fn register(&self, name: &str, handler: Arc<dyn Handler>) -> Result<()> {
        check::name("job", name)?;
        self.handlers.write().insert(name.to_owned(), handler);
        self.core.wake();
        Ok(())
    }

    /// Another listener, until the answer is dropped.
    pub fn subscribe(&self, sink: Arc<dyn EventSink>) -> Subscription {
        self.core.subscribe(sink)
    }

    /// Starts a worker. Must be called within a tokio runtime.
    pub fn start_worker(&self, options: WorkerOptions) -> Result<Worker> {
        if self.hub.shared().stop.is_cancelled() {
            return Err(Error::new(Code::Closed, "the queue is closed; open it again"));
        }
        let worker = Worker::start(&self.hub, &self.core, &self.handlers, options)?;
        self.workers.lock().push(worker.clone());
        Ok(worker)
    }

    /// Stops the workers of this handle; running jobs have so long to finish, then they are
    /// handed back. The store stays open.
    pub async fn shutdown(&self, deadline: Duration) {
        let workers = std::mem::take(&mut *self.workers.lock());
        futures_util::future::join_all(workers.iter().map(|worker| worker.stop(deadline))).await;
    }

    /// Takes over jobs of another store, with their ids; answers how many were new.
    pub async fn restore(&self, jobs: Vec<Job>) -> Result<u64> {
        for job in &jobs {
            check::name("job", &job.name)?;
            check::name("job's id", &job.id)?;
        }
        let restored = self.hub.shared().store.restore(&self.core.name, jobs).await?;
        self.hub.shared().due.notify_one();
        self.core.wake();
        Ok(restored)
    }

    fn emit(&self, job: &Job, kind: EventKind) {
        self.core
            .emit(&job.id, &job.name, self.hub.shared().clock.now_ms(), kind);
    }

    fn now(&self) -> i64 {
        self.hub.shared().clock.now_ms()
    }

    async fn set_paused(&self, paused: bool) -> Result<()> {
        self.hub.shared().store.set_paused(&self.core.name, paused).await?;
        self.core.paused.store(paused, Ordering::Release);
        self.core.wake();
        Ok(())
    }
}

#[async_trait]
impl QueueApi for Queue {
    async fn add(&self, jobs: Vec<NewJob>) -> Result<Vec<Job>> {
        check::jobs(&jobs)?;
        let jobs = self.hub.shared().store.add(&self.core.name, jobs, self.now()).await?;
        for job in &jobs {
            self.emit(job, EventKind::Added);
        }
        if jobs.iter().any(|job| job.status == JobStatus::Scheduled) {
            self.hub.shared().due.notify_one();
        }
        // For jobs of later too: a worker tells whether something waits.
        self.core.wake();
        Ok(jobs)
    }

    async fn get(&self, id: &str) -> Result<Option<Job>> {
        self.hub.shared().store.get(&self.core.name, id).await
    }

    async fn list(&self, filter: JobFilter) -> Result<Vec<Job>> {
        check::filter(&filter)?;
        self.hub.shared().store.list(&self.core.name, filter).await
    }

    async fn cancel(&self, id: &str) -> Result<bool> {
        let shared = self.hub.shared();
        let Some(job) = shared.store.cancel(&self.core.name, id, self.now()).await? else {
            return Ok(false);
        };
        shared.running.stop_job(id, Stop::Cancelled);
        self.emit(&job, EventKind::Cancelled);
        Ok(true)
    }

    async fn retry(&self, id: &str) -> Result<Job> {
        let job = self.hub.shared().store.retry(&self.core.name, id, self.now()).await?;
        self.core.wake();
        Ok(job)
    }

    async fn metrics(&self) -> Result<Metrics> {
        let counts = self.hub.shared().store.counts(&self.core.name).await?;
        Ok(self
            .core
            .stats
            .lock()
            .metrics(counts, self.core.is_paused(), self.now()))
    }

    async fn clean(&self, older_than: u64, status: Option<JobStatus>) -> Result<u64> {
        if status.is_some_and(|status| !status.is_final()) {
            return Err(Error::new(
                Code::OptionInvalid,
                "only `completed`, `failed` and `cancelled` jobs can be cleaned; cancel the others first",
            ));
        }
        let statuses = status.map_or_else(
            || vec![JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled],
            |status| vec![status],
        );
        let ended_by = self.now().saturating_sub_unsigned(older_than);
        self.hub.shared().store.clean(&self.core.name, ended_by, statuses).await
    }

    async fn pause(&self) -> Result<()> {
        self.set_paused(true).await
    }

    async fn resume(&self) -> Result<()> {
        self.set_paused(false).await
    }

    async fn states(&self, prefix: &str) -> Result<Vec<SharedState>> {
        self.hub.states(prefix).await
    }

    async fn set_state(&self, key: &str, version: i64, value: Value) -> Result<bool> {
        self.hub.set_state(key, version, value).await
    }
}
