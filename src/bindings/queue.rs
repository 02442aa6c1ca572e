//! The job queue, as JavaScript sees it. Jobs cross as JSON text, many at once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use napi::bindgen_prelude::PromiseRaw;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use super::error::{BorderError, promise};
use crate::clock::SystemClock;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::queue::{
    self, Access, Attempt, AttemptError, Handler, Hub, HubOptions, JobFilter, JobStatus, NewJob, Owner, Peer, Queue,
    QueueApi, RemoteQueue, Reporter, Retention, Worker, WorkerOptions,
};
use crate::store::{DataDirectory, SqliteStore, StoreKind};

/// Hears one event, as JSON. Weak and bounded: it neither keeps the process nor grows.
#[napi]
pub type QueueListener = ThreadsafeFunction<String, (), String, Status, false, true, 65_536>;
/// Told to run an attempt (`run`), to abort one (`abort`), or of a worker's activity.
#[napi]
pub type QueueRunner = ThreadsafeFunction<String, (), String, Status, false, true, 0>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct OpenOptions {
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct WorkOptions {
    concurrency: usize,
}

impl Default for WorkOptions {
    fn default() -> Self {
        Self {
            concurrency: WorkerOptions::default().concurrency,
        }
    }
}

/// What an attempt in JavaScript answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settled {
    ok: bool,
    result: Value,
    message: String,
    code: Option<String>,
    abort: bool,
    retry_after: Option<u64>,
}

impl Default for Settled {
    fn default() -> Self {
        let message = "the handler's answer is not understood".to_owned();
        Self {
            ok: false,
            result: Value::Null,
            message,
            code: None,
            abort: false,
            retry_after: None,
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum ToRunner<'a> {
    Run { attempt: u32, job: &'a queue::Job },
    Abort { attempt: u32 },
    Active { worker: u32, active: bool },
}

fn read<T: for<'de> Deserialize<'de>>(what: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        let at = format!(" at line {} column {}", error.line(), error.column());
        let why = error.to_string().replace(&at, "");
        Error::new(Code::OptionInvalid, format!("{what}: {why}"))
    })
}

fn written<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(Code::Internal, "an answer cannot be written as JSON").because(error))
}

struct Listener(QueueListener);

impl EventSink for Listener {
    fn emit(&self, event: Event) {
        if let Ok(event) = serde_json::to_string(&event) {
            // A listener that does not keep up misses events; the store has the truth.
            let _ = self.0.call(event, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// The attempts that run in JavaScript.
struct Runner {
    call: QueueRunner,
    next: AtomicU32,
    running: Mutex<HashMap<u32, Running>>,
}

struct Running {
    settle: oneshot::Sender<Settled>,
    reporter: Arc<dyn Reporter>,
}

impl Runner {
    fn tell(&self, message: &ToRunner<'_>) -> bool {
        serde_json::to_string(message)
            .is_ok_and(|text| self.call.call(text, ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok)
    }
}

/// Ends the bookkeeping of an attempt, however it ends.
struct Forget<'a>(&'a Runner, u32);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.running.lock().remove(&self.1);
    }
}

struct JsHandler(Arc<Runner>);

#[async_trait]
impl Handler for JsHandler {
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        let runner = &*self.0;
        let id = runner.next.fetch_add(1, Ordering::Relaxed);
        let (settle, mut settled) = oneshot::channel();
        runner.running.lock().insert(
            id,
            Running {
                settle,
                reporter: attempt.reporter,
            },
        );
        let _forget = Forget(runner, id);
        let gone = || Error::new(Code::Closed, "JavaScript went away while the job ran");
        if !runner.tell(&ToRunner::Run {
            attempt: id,
            job: &attempt.job,
        }) {
            return Err(AttemptError::Retry(gone()));
        }
        let settled = tokio::select! {
            settled = &mut settled => settled,
            () = attempt.token.cancelled() => {
                runner.tell(&ToRunner::Abort { attempt: id });
                settled.await
            }
        };
        outcome(settled.map_err(|_| AttemptError::Retry(gone()))?)
    }
}

#[allow(
    clippy::result_large_err,
    reason = "an attempt ends once, and its error is moved, not copied, on the way"
)]
fn outcome(settled: Settled) -> Result<Value, AttemptError> {
    if settled.ok {
        return Ok(settled.result);
    }
    if settled.abort {
        let result = (!settled.result.is_null()).then_some(settled.result);
        return Err(AttemptError::Abort(
            Error::new(Code::JobAborted, settled.message),
            result,
        ));
    }
    let known = settled
        .code
        .and_then(|code| Code::ALL.iter().find(|known| known.as_str() == code));
    let error = Error::new(known.copied().unwrap_or(Code::HandlerFailed), settled.message);
    Err(match settled.retry_after {
        Some(delay) => AttemptError::RetryAfter(error, delay),
        None => AttemptError::Retry(error),
    })
}

enum Place {
    Memory(Hub),
    Owner(Owner),
    Served(Peer),
}

struct Inner {
    place: Place,
    api: Arc<dyn QueueApi>,
    /// Where this process owns the store.
    near: Option<Queue>,
    runner: Arc<Runner>,
    workers: Mutex<HashMap<u32, Worker>>,
}

impl Inner {
    async fn open(name: String, options: OpenOptions, sink: Listener, runner: QueueRunner) -> Result<Self> {
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
        let directory = match StoreKind::parse(&options.store)? {
            StoreKind::Memory => None,
            StoreKind::Embedded => Some(DataDirectory::open(&PathBuf::from(options.data_dir))?),
            StoreKind::EmbeddedIn(path) => Some(DataDirectory::open_path(&PathBuf::from(path))?),
        };
        let place = match directory {
            None => {
                let store = Arc::new(SqliteStore::in_memory().await?);
                Place::Memory(Hub::open(store, clock, hub_options, true).await?)
            }
            Some(directory) => match queue::open(&directory, &clock, hub_options).await? {
                Access::Owner(owner) => Place::Owner(owner),
                Access::Served(peer) => Place::Served(peer),
            },
        };
        let sink = Arc::new(sink);
        let (near, api): (Option<Queue>, Arc<dyn QueueApi>) = match &place {
            Place::Memory(hub) => near(Queue::open(hub, &name, sink).await?),
            Place::Owner(owner) => near(Queue::open(owner.hub(), &name, sink).await?),
            Place::Served(peer) => (None, Arc::new(RemoteQueue::open(peer, &name, sink).await?)),
        };
        let runner = Runner {
            call: runner,
            next: AtomicU32::new(1),
            running: Mutex::default(),
        };
        Ok(Self {
            place,
            api,
            near,
            runner: Arc::new(runner),
            workers: Mutex::default(),
        })
    }

    async fn start(&self, id: u32, options: WorkOptions) -> Result<()> {
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

    async fn close(&self, deadline: Duration) {
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

/// A queue that is open. The public class is `JobQueue`.
#[napi]
pub struct NativeQueue {
    inner: Arc<Inner>,
}

/// Opens a queue; `options` is JSON.
#[napi]
pub fn open_queue<'env>(
    env: &'env Env,
    name: String,
    options: String,
    on_event: QueueListener,
    on_attempt: QueueRunner,
) -> napi::Result<PromiseRaw<'env, NativeQueue>> {
    promise(env, async move {
        let options: OpenOptions = read("the queue's options", &options)?;
        let inner = Inner::open(name, options, Listener(on_event), on_attempt).await?;
        Ok(NativeQueue { inner: Arc::new(inner) })
    })
}

#[napi]
impl NativeQueue {
    /// Whether another process owns the store.
    #[napi(getter)]
    pub fn served(&self) -> bool {
        self.inner.near.is_none()
    }

    /// The workers of this queue run jobs of that name.
    #[napi(catch_unwind)]
    pub fn register(&self, name: String) -> Result<(), BorderError> {
        if let Some(queue) = &self.inner.near {
            queue.register(&name, Arc::new(JsHandler(self.inner.runner.clone())))?;
        }
        Ok(())
    }

    /// Adds a batch, all or nothing; JSON in and out.
    #[napi]
    pub fn add<'env>(&self, env: &'env Env, jobs: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let jobs: Vec<NewJob> = read("the job's options", &jobs)?;
            written(&inner.api.add(jobs).await?)
        })
    }

    /// Adds batches that stand alone; answers, for each, its jobs or its error.
    #[napi]
    pub fn add_each<'env>(&self, env: &'env Env, batches: Vec<String>) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let adds = batches.into_iter().map(|batch| {
                let api = inner.api.clone();
                async move {
                    let jobs: Vec<NewJob> = read("the job's options", &batch)?;
                    api.add(jobs).await
                }
            });
            let answers = futures_util::future::join_all(adds).await;
            let answers: Vec<Value> = answers
                .into_iter()
                .map(|answer| match answer {
                    Ok(jobs) => serde_json::json!({ "jobs": jobs }),
                    Err(error) => serde_json::json!({
                        "code": error.code().as_str(),
                        "message": super::error::message_of(&error),
                        "details": error.details(),
                    }),
                })
                .collect();
            written(&answers)
        })
    }

    /// One job as JSON, or `null`.
    #[napi]
    pub fn get<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move { written(&inner.api.get(&id).await?) })
    }

    /// Jobs as JSON.
    #[napi]
    pub fn list<'env>(&self, env: &'env Env, filter: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let filter: JobFilter = read("the filter", &filter)?;
            written(&inner.api.list(filter).await?)
        })
    }

    /// Cancels a job.
    #[napi]
    pub fn cancel<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, bool>> {
        let inner = self.inner.clone();
        promise(env, async move { inner.api.cancel(&id).await })
    }

    /// Runs a job again; answers it as JSON.
    #[napi]
    pub fn retry<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move { written(&inner.api.retry(&id).await?) })
    }

    /// The queue's figures as JSON.
    #[napi]
    pub fn metrics<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move { written(&inner.api.metrics().await?) })
    }

    /// Deletes final jobs that are older than so many milliseconds.
    #[napi]
    pub fn clean<'env>(
        &self,
        env: &'env Env,
        older_than: f64,
        status: Option<String>,
    ) -> napi::Result<PromiseRaw<'env, f64>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let status: Option<JobStatus> = match status {
                Some(status) => Some(read("`status`", &Value::String(status).to_string())?),
                None => None,
            };
            Ok(inner.api.clean(older_than.max(0.0) as u64, status).await? as f64)
        })
    }

    /// Pauses or resumes the queue.
    #[napi]
    pub fn set_paused<'env>(&self, env: &'env Env, paused: bool) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            if paused {
                inner.api.pause().await
            } else {
                inner.api.resume().await
            }
        })
    }

    /// Starts a worker under an id of the caller's.
    #[napi]
    pub fn start_worker<'env>(&self, env: &'env Env, id: u32, options: String) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            inner.start(id, read("the worker's options", &options)?).await
        })
    }

    /// Stops a worker; running jobs have so many milliseconds.
    #[napi]
    pub fn stop_worker<'env>(&self, env: &'env Env, id: u32, deadline: u32) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let worker = inner.workers.lock().remove(&id);
            if let Some(worker) = worker {
                worker.stop(Duration::from_millis(deadline.into())).await;
            }
            Ok(())
        })
    }

    /// The attempt ended; `settled` is JSON.
    #[napi(catch_unwind)]
    pub fn settle(&self, attempt: u32, settled: String) {
        let running = self.inner.runner.running.lock().remove(&attempt);
        if let Some(running) = running {
            // One that is over already is not listened to any more.
            let _ = running.settle.send(serde_json::from_str(&settled).unwrap_or_default());
        }
    }

    /// The attempt came further.
    #[napi(catch_unwind)]
    pub fn progress(&self, attempt: u32, progress: f64) {
        if let Some(running) = self.inner.runner.running.lock().get(&attempt) {
            running.reporter.progress(progress, None, None);
        }
    }

    /// The attempt wrote a line.
    #[napi(catch_unwind)]
    pub fn log(&self, attempt: u32, line: String) {
        if let Some(running) = self.inner.runner.running.lock().get(&attempt) {
            running.reporter.log(&line);
        }
    }

    /// Stops the workers and closes the queue.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env, deadline: u32) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            inner.close(Duration::from_millis(deadline.into())).await;
            Ok(())
        })
    }
}
