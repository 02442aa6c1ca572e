//! The engine of the process that owns the data directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backend::{Backend, Creation};
use super::creation::job_of;
use super::doctor;
use super::hub::Store;
use super::options::EngineOptions;
use super::rooms::Rooms;
use super::serving::{self, Serving};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::generation::Model;
use crate::pipeline::{CreationReport, JOB_NAME, Models, QUEUE};
use crate::queue::{Handler, Job, JobFilter, JobStatus, Queue, QueueApi, Worker, WorkerOptions};
use crate::specification;
use crate::tracer::TracerMetrics;

/// How long a closing engine waits for running jobs before it hands them back.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

const DEFAULT_CONCURRENCY: u32 = 2;

/// How long a closing engine waits for its last spans.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// The owner's engine.
pub struct Owner {
    options: EngineOptions,
    rooms: Rooms,
    store: Store,
    queue: Queue,
    worker: Worker,
    token: CancellationToken,
}

/// Passes events on, and forgets a job's model when the job is over.
struct Releasing {
    models: Arc<Models>,
    next: Arc<dyn EventSink>,
}

impl EventSink for Releasing {
    fn emit(&self, event: Event) {
        if event.kind.is_final() {
            self.models.release_job(&event.job_id);
        }
        self.next.emit(event);
    }
}

/// Opens the engine on a store that this process owns.
pub async fn open(
    options: EngineOptions,
    rooms: Rooms,
    store: Store,
    sink: Arc<dyn EventSink>,
    model: Option<Arc<dyn Model>>,
) -> Result<Arc<dyn Backend>> {
    let has_model = model.is_some();
    if has_model {
        rooms.models.set_default(model);
    }
    let sink = Arc::new(Releasing {
        models: Arc::clone(&rooms.models),
        next: sink,
    });
    let queue = Queue::open(store.hub(), QUEUE, sink).await?;
    queue.register(JOB_NAME, Arc::clone(&rooms.pipeline) as Arc<dyn Handler>)?;
    let concurrency = options.concurrency.unwrap_or(DEFAULT_CONCURRENCY) as usize;
    let worker = queue.start_worker(WorkerOptions { concurrency })?;
    let owner = Arc::new(Owner {
        options,
        rooms,
        store,
        queue,
        worker,
        token: CancellationToken::new(),
    });
    if let Some(methods) = owner.store.methods() {
        methods.add(serving::PREFIX, Serving::of(&owner));
    }
    if has_model {
        owner.wake_waiting().await?;
    }
    Ok(owner)
}

impl Owner {
    /// Jobs that wait for a model run again, now that there is one.
    async fn wake_waiting(&self) -> Result<()> {
        wake_waiting(&self.queue).await
    }
}

async fn wake_waiting(queue: &Queue) -> Result<()> {
    let filter = JobFilter {
        status: Some(JobStatus::Retrying),
        limit: Some(1_000),
        ..JobFilter::default()
    };
    for job in queue.list(filter).await? {
        if job
            .error
            .is_some_and(|failure| failure.code == Code::ModelNeeded.as_str())
        {
            queue.retry(&job.id).await?;
        }
    }
    Ok(())
}

#[async_trait]
impl Backend for Owner {
    async fn create(&self, creation: Creation, model: Option<Arc<dyn Model>>) -> Result<String> {
        let models = &self.rooms.models;
        let key = model.as_ref().map(|_| Uuid::now_v7().to_string());
        let job = job_of(&self.rooms.pipeline, creation, key.clone(), models.has_default())?;
        if let (Some(key), Some(model)) = (&key, model) {
            models.bind(key, model);
        }
        let added = self.queue.add(vec![job]).await;
        let Some(key) = key else { return Ok(first(added?)?.id) };
        match added.and_then(first) {
            Ok(job) => {
                models.assign(&key, &job.id);
                // It may have ended before it was assigned.
                if self.queue.get(&job.id).await?.is_none_or(|job| job.status.is_final()) {
                    models.release(&key);
                }
                Ok(job.id)
            }
            Err(error) => {
                models.release(&key);
                Err(error)
            }
        }
    }

    fn set_model(&self, model: Option<Arc<dyn Model>>) {
        self.rooms.models.set_default(model);
    }

    async fn wake(&self) -> Result<()> {
        self.wake_waiting().await
    }

    async fn job(&self, id: &str) -> Result<Option<Job>> {
        self.queue.get(id).await
    }

    async fn jobs(&self, filter: JobFilter) -> Result<Vec<Job>> {
        self.queue.list(filter).await
    }

    async fn cancel(&self, id: &str) -> Result<bool> {
        self.queue.cancel(id).await
    }

    async fn retry(&self, id: &str) -> Result<bool> {
        match self.queue.retry(id).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code(), Code::JobNotFound | Code::JobState) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn metrics(&self) -> Result<Value> {
        let breaker = self.rooms.pipeline.asker.breaker.as_ref();
        Ok(json!({
            "queue": self.queue.metrics().await?,
            "breaker": breaker.map(|breaker| breaker.metrics(self.rooms.clock.monotonic_ms())),
            "tracer": spans(&self.rooms.pipeline.examiner.tracer.metrics()),
        }))
    }

    async fn health(&self) -> Result<Value> {
        doctor::health(&self.rooms, &self.token).await
    }

    async fn verify(&self, directory: PathBuf, specification: Option<Value>) -> Result<CreationReport> {
        let specification = specification.map(|value| specification::parse(&value)).transpose()?;
        self.rooms.pipeline.verify(&directory, specification, &self.token).await
    }

    async fn doctor(&self) -> Result<Value> {
        doctor::doctor(&self.options, &self.rooms, &self.token).await
    }

    async fn close(&self) -> Result<()> {
        self.token.cancel();
        self.worker.stop(CLOSE_DEADLINE).await;
        self.queue.shutdown(CLOSE_DEADLINE).await;
        self.store.close().await;
        if let Some(workshop) = &self.rooms.pipeline.examiner.workshop {
            workshop.close().await;
        }
        let tracer = self.rooms.pipeline.examiner.tracer.clone();
        // What is not sent by then is counted as dropped.
        let _ = tokio::task::spawn_blocking(move || tracer.shutdown(FLUSH_DEADLINE)).await;
        Ok(())
    }
}

fn spans(metrics: &TracerMetrics) -> Value {
    json!({
        "started": metrics.started,
        "ended": metrics.ended,
        "exported": metrics.exported,
        "dropped": metrics.dropped,
        "failed": metrics.failed,
        "lastError": metrics.last_error,
    })
}

fn first(jobs: Vec<Job>) -> Result<Job> {
    jobs.into_iter()
        .next()
        .ok_or_else(|| Error::new(Code::Internal, "the store answered without the job"))
}
