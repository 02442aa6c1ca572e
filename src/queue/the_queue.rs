//! A handle on a queue of a store that this process owns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use super::check;
use super::core::{Core, Subscription};
use super::hub::Hub;
use super::worker::{Worker, WorkerOptions};
use super::{
    Handler, Job, JobFilter, JobStatus, Limits, Metrics, NewJob, QueueApi, Retention, Schedule, ScheduleOptions,
    schedules,
};
use crate::error::{Code, Error, Result};
use crate::event::EventSink;
use crate::store::{Parts, SharedState};

/// The handlers by the name of their jobs.
pub type Handlers = Arc<RwLock<HashMap<String, Arc<dyn Handler>>>>;

/// A queue. Handles of one name share jobs, events and pause; each has its own handlers and
/// workers.
#[derive(Clone)]
pub struct Queue {
    pub(super) hub: Hub,
    pub(super) core: Arc<Core>,
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

    /// Keeps so much of its ended jobs from now on, in all handles of this process and those that it serves.
    pub async fn retain(&self, retention: Retention) -> Result<()> {
        self.core.set_retention(retention);
        self.hub
            .shared()
            .store
            .prune(&self.core.name, retention, self.now())
            .await?;
        Ok(())
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
        let (store, ids) = (&self.hub.shared().store, ids_of(&jobs));
        let restored = store.restore(&self.core.name, jobs).await?;
        self.hub.shared().due.notify_one();
        self.core.wake();
        if restored < ids.len() as u64 {
            for id in ids {
                if store.get(&self.core.name, &id).await?.is_none() {
                    return Err(held_elsewhere(&id));
                }
            }
        }
        Ok(restored)
    }

    /// Takes over schedules of another store, with the times at which they are due; answers how many were new. One
    /// whose name is here already is left alone.
    pub async fn restore_schedules(&self, schedules: Vec<Schedule>) -> Result<u64> {
        let schedules: Vec<_> = schedules
            .into_iter()
            .map(|schedule| schedules::moved(&self.core.name, schedule))
            .collect::<Result<_>>()?;
        let shared = self.hub.shared();
        let here: HashSet<_> = shared
            .store
            .schedules(&self.core.name)
            .await?
            .into_iter()
            .map(|schedule| schedule.id)
            .collect();
        let mut restored = 0;
        for schedule in schedules.into_iter().filter(|one| !here.contains(&one.id)) {
            shared.store.set_schedule(schedule).await?;
            restored += 1;
        }
        shared.due.notify_one();
        Ok(restored)
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
        let added = self.hub.shared().store.add(&self.core.name, jobs, self.now()).await?;
        self.hub.shared().added(&self.core, [&added]);
        Ok(added.jobs)
    }

    async fn add_parts(&self, parts: Parts) -> Result<Vec<Job>> {
        let shared = self.hub.shared();
        let checked = check::parts(parts);
        let added = shared.store.add_parts(&self.core.name, checked, self.now()).await?;
        shared.added(&self.core, [&added]);
        Ok(added.jobs)
    }

    async fn add_each(&self, batches: Vec<Result<Vec<NewJob>>>) -> Vec<Result<Vec<Job>>> {
        let mut refused = Vec::new();
        let mut good = Vec::with_capacity(batches.len());
        for (place, batch) in batches.into_iter().enumerate() {
            match batch.and_then(|jobs| check::jobs(&jobs).map(|()| jobs)) {
                Ok(jobs) => good.push(jobs),
                Err(error) => refused.push((place, error)),
            }
        }
        let shared = self.hub.shared();
        let answers = shared.store.add_each(&self.core.name, good, self.now()).await;
        shared.added(&self.core, answers.iter().flatten());
        let mut answers: Vec<Result<Vec<Job>>> = answers
            .into_iter()
            .map(|answer| answer.map(|added| added.jobs))
            .collect();
        for (place, error) in refused {
            // In the order of their places, so each finds its own.
            answers.insert(place, Err(error));
        }
        answers
    }

    async fn get(&self, id: &str) -> Result<Option<Job>> {
        check::id(id)?;
        self.hub.shared().store.get(&self.core.name, id).await
    }

    async fn list(&self, filter: JobFilter) -> Result<Vec<Job>> {
        check::filter(&filter)?;
        self.hub.shared().store.list(&self.core.name, filter).await
    }

    async fn cancel(&self, id: &str) -> Result<bool> {
        check::id(id)?;
        let shared = self.hub.shared();
        let Some(job) = shared.store.cancel(&self.core.name, id, self.now()).await? else {
            return Ok(false);
        };
        shared.cancelled(&self.core, &job);
        Ok(true)
    }

    async fn retry(&self, id: &str) -> Result<Job> {
        check::id(id)?;
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

    async fn set_limits(&self, limits: Limits) -> Result<()> {
        check::limits(&limits)?;
        self.hub.shared().store.set_limits(&self.core.name, limits).await?;
        self.core.recall(0);
        Ok(())
    }

    async fn limits(&self) -> Result<Limits> {
        self.hub.shared().store.limits(&self.core.name).await
    }

    async fn schedule(&self, id: &str, options: ScheduleOptions) -> Result<Schedule> {
        let schedule = schedules::begin(&self.core.name, id, options, self.now())?;
        let shared = self.hub.shared();
        shared.store.set_schedule(schedule.clone()).await?;
        shared.due.notify_one();
        let stored = shared.store.schedules(&self.core.name).await?;
        // Where it was deleted just now, it is answered as it was.
        Ok(stored.into_iter().find(|stored| stored.id == id).unwrap_or(schedule))
    }

    async fn unschedule(&self, id: &str) -> Result<bool> {
        check::id(id)?;
        self.hub.shared().store.remove_schedule(&self.core.name, id).await
    }

    async fn schedules(&self) -> Result<Vec<Schedule>> {
        self.hub.shared().store.schedules(&self.core.name).await
    }

    async fn states(&self, prefix: &str) -> Result<Vec<SharedState>> {
        self.hub.states(prefix).await
    }

    async fn set_state(&self, key: &str, version: i64, value: Value) -> Result<bool> {
        self.hub.set_state(key, version, value).await
    }
}

fn ids_of(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.id.clone()).collect()
}

fn held_elsewhere(id: &str) -> Error {
    let message = format!("another queue of this store has the job {id:?}, so it was not taken over; the others were");
    Error::new(Code::JobDuplicate, message).with_details(serde_json::json!({ "jobId": id }))
}
