//! The engine of the process that owns the data directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::around::{Logged, Releasing, Telling};
use super::backend::{Backend, Creation, retry};
use super::commits::Commits;
use super::creation::job_of;
use super::doctor;
use super::exposition;
use super::far_logs::FarLogs;
use super::hub::Store;
use super::kept_breaker;
use super::kept_trace;
use super::logs::Logs;
use super::near::Near;
use super::options::EngineOptions;
use super::rooms::Rooms;
use super::serving::{self, Serving};
use super::shared_breaker;
use super::waking;
use crate::error::{Code, Error, Result};
use crate::event::EventSink;
use crate::generation::Model;
use crate::metrics::Format;
use crate::pipeline::{CreationReport, JOB_NAME, Models, QUEUE};
use crate::queue::{Handler, Job, JobFilter, Queue, QueueApi, Retention, Worker, WorkerOptions};
use crate::specification;
use crate::tracer::TracerMetrics;

/// How long a closing engine waits for running jobs before it hands them back. Short, since a creation
/// goes on from its last finished stage.
const CLOSE_DEADLINE: Duration = Duration::from_millis(500);

const DEFAULT_CONCURRENCY: u32 = 2;

/// How long a closing engine waits for its last spans.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);
/// How long the store may take to answer when it is asked how it is.
const HEALTH_DEADLINE: Duration = Duration::from_secs(3);

/// The owner's engine.
pub struct Owner {
    options: EngineOptions,
    rooms: Rooms,
    store: Store,
    queue: Queue,
    worker: Worker,
    token: CancellationToken,
    logs: Arc<Logs>,
    commits: Arc<Commits>,
    /// Which lines of the log other processes hear.
    pub(super) far_logs: Arc<FarLogs>,
}

/// Opens the engine on a store that this process owns.
pub async fn open(
    options: EngineOptions,
    rooms: Rooms,
    store: Store,
    sink: Arc<dyn EventSink>,
    model: Option<Arc<dyn Model>>,
) -> Result<Arc<dyn Backend>> {
    let token = CancellationToken::new();
    let far_logs = Arc::<FarLogs>::default();
    let commits = Arc::new(Commits::new(
        rooms.pipeline.examiner.telemetry.tracer.clone(),
        Arc::clone(&rooms.clock),
        options.store.as_deref(),
    ));
    let logs = Logs::new(
        Arc::clone(&rooms.clock),
        rooms.pipeline.examiner.scanner.clone(),
        Arc::new(Telling {
            far: Arc::clone(&far_logs),
            next: Arc::clone(&sink),
        }),
    );
    logs.start(token.clone());
    let dispatch = logs.dispatch();
    if let Some(breaker) = &rooms.pipeline.asker.breaker {
        if store.is_server() {
            shared_breaker::share(breaker, store.hub(), &rooms.clock, token.clone());
        } else {
            kept_breaker::keep(breaker, &options.data_dir, &rooms.clock);
        }
    }
    let has_model = model.is_some();
    if has_model {
        rooms.models.set_default(model);
    }
    let sink = Arc::new(Releasing {
        models: Arc::clone(&rooms.models),
        metrics: Arc::clone(&rooms.pipeline.examiner.telemetry.metrics),
        commits: Arc::clone(&commits),
        next: sink,
    });
    let queue = Queue::open(store.hub(), QUEUE, sink).await?;
    queue.retain(Retention::default()).await?;
    let handler = Logged {
        pipeline: Arc::clone(&rooms.pipeline),
        dispatch: dispatch.clone(),
        commits: Arc::clone(&commits),
    };
    queue.register(JOB_NAME, Arc::new(handler) as Arc<dyn Handler>)?;
    let concurrency = options.concurrency.unwrap_or(DEFAULT_CONCURRENCY) as usize;
    // What it starts inherits the log.
    let worker = tracing::dispatcher::with_default(&dispatch, || queue.start_worker(WorkerOptions { concurrency }))?;
    let owner = Arc::new(Owner {
        options,
        rooms,
        store,
        queue,
        worker,
        token,
        logs,
        commits,
        far_logs,
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
    pub async fn wake_waiting(&self) -> Result<()> {
        waking::wake_waiting(&self.queue).await
    }

    /// The models of this engine.
    pub const fn models(&self) -> &Arc<Models> {
        &self.rooms.models
    }

    /// Stores a creation; its model is kept under the key that the job names.
    pub async fn create_with(&self, creation: Creation, own: Option<(String, Arc<dyn Model>)>) -> Result<String> {
        let models = &self.rooms.models;
        let key = own.as_ref().map(|(key, _)| key.clone());
        let job = job_of(&self.rooms.pipeline, creation, key.clone(), models.has_default())?;
        if let Some((key, model)) = own {
            models.bind(&key, model);
        }
        let began = self.commits.now_ns();
        let added = self.queue.add(vec![job]).await.and_then(first);
        if let Ok(job) = &added {
            self.commits.added(job, began);
        }
        let Some(key) = key else { return Ok(added?.id) };
        match added {
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
}

#[async_trait]
impl Backend for Owner {
    async fn create(&self, creation: Creation, model: Option<Arc<dyn Model>>) -> Result<String> {
        let own = model.map(|model| (Uuid::now_v7().to_string(), model));
        self.create_with(creation, own).await
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
        retry(&self.queue, id).await
    }

    async fn metrics(&self) -> Result<Value> {
        let breaker = self.rooms.pipeline.asker.breaker.as_ref();
        Ok(json!({
            "queue": self.queue.metrics().await?,
            "breaker": breaker.map(|breaker| breaker.metrics(self.rooms.clock.monotonic_ms())),
            "tracer": spans(&self.rooms.pipeline.examiner.telemetry.tracer.metrics()),
        }))
    }

    async fn metrics_text(&self, format: Format, near: Near) -> Result<String> {
        Ok(exposition::text(
            &self.rooms,
            &self.queue.metrics().await?,
            &near,
            format,
        ))
    }

    async fn trace(&self, id: &str) -> Result<Value> {
        let tracer = self.rooms.pipeline.examiner.telemetry.tracer.clone();
        kept_trace::read(&self.queue, tracer, &self.options.data_dir, id).await
    }

    async fn health(&self) -> Result<Value> {
        // What is known already needs no question, which a server that hangs would not answer.
        let stored = match self.store.hub().store().problem() {
            Some(problem) => Err(problem),
            None => match tokio::time::timeout(HEALTH_DEADLINE, self.queue.metrics()).await {
                Ok(metrics) => metrics.map(drop),
                Err(_) => Err(Error::new(
                    Code::StoreUnavailable,
                    format!("no answer within {} s", HEALTH_DEADLINE.as_secs()),
                )),
            },
        };
        let warning = self.store.hub().store().warning();
        doctor::health(&self.rooms, stored, warning, &self.token).await
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
        self.rooms.models.clear();
        if let Some(workshop) = &self.rooms.pipeline.examiner.workshop {
            workshop.close().await;
        }
        let tracer = self.rooms.pipeline.examiner.telemetry.tracer.clone();
        // What is not sent by then is counted as dropped.
        let _ = tokio::task::spawn_blocking(move || tracer.shutdown(FLUSH_DEADLINE)).await;
        self.logs.send();
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
