//! The job queue, as JavaScript sees it. Jobs cross as JSON text, many at once.

mod adds;
mod answers;
mod opened;
mod parts;
mod planning;
mod runner;
mod settled;
mod told;

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::PromiseRaw;
use napi::threadsafe_function::ThreadsafeFunction;
use napi::{Env, Status};
use napi_derive::napi;
use serde::Serialize;
use serde_json::Value;

use self::adds::Adds;
use self::opened::{Inner, Listener, OpenOptions};
use self::parts::NativeParts;
use self::runner::JsHandler;
use super::error::{BorderError, promise};
use crate::error::{Code, Error, Result};
use crate::queue::{JobFilter, JobOptions, JobStatus, NewJob, read};

/// Hears one event, as JSON. Weak and bounded: it neither keeps the process nor grows.
#[napi]
pub type QueueListener = ThreadsafeFunction<String, (), String, Status, false, true, 65_536>;
/// Told to run attempts (`run`), to abort one (`abort`), of a worker's activity, and of adds (`added`).
#[napi]
pub type QueueRunner = ThreadsafeFunction<String, (), String, Status, false, true, 0>;

fn written<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(Code::Internal, "an answer cannot be written as JSON").because(error))
}

/// A queue that is open. The public class is `JobQueue`.
#[napi]
pub struct NativeQueue {
    inner: Arc<Inner>,
    adds: Adds,
}

/// Opens a queue; `options` is JSON.
#[napi]
pub fn open_queue(
    env: &Env,
    name: String,
    options: String,
    on_event: QueueListener,
    on_attempt: QueueRunner,
) -> napi::Result<PromiseRaw<'_, NativeQueue>> {
    promise(env, async move {
        let options: OpenOptions = read("the queue's options", &options)?;
        let inner = Arc::new(Inner::open(name, options, Listener::new(on_event), on_attempt).await?);
        let adds = Adds::new(inner.clone());
        Ok(NativeQueue { inner, adds })
    })
}

#[napi]
impl NativeQueue {
    /// Whether another process owns the store.
    #[napi(getter)]
    pub fn served(&self) -> bool {
        self.inner.member.is_served()
    }

    /// The workers of this queue run jobs of that name.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands over owned text")]
    pub fn register(&self, name: String) -> Result<(), BorderError> {
        let handler = Arc::new(JsHandler(self.inner.runner.clone()));
        Ok(self.inner.member.register(&name, handler)?)
    }

    /// Adds a batch, all or nothing; JSON in and out.
    #[napi]
    pub fn add<'env>(&self, env: &'env Env, jobs: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let jobs: Vec<NewJob> = read("the job's options", &jobs)?;
            written(&inner.member.api().await?.add(jobs).await?)
        })
    }

    /// Adds batches that stand alone, a JSON array; the answer is told with that number, as `answers.rs` says.
    #[napi(catch_unwind)]
    pub fn send_adds(&self, number: u32, batches: String) {
        self.adds.any(number, batches);
    }

    /// Adds jobs without options that stand alone, a JSON array in which names and data take turns; answered likewise.
    #[napi(catch_unwind)]
    pub fn send_plain(&self, number: u32, jobs: String) {
        self.adds.plain(number, jobs);
    }

    /// The options of a job that has none, as JSON.
    #[napi(getter)]
    #[allow(clippy::unused_self, reason = "napi gives a getter its object")]
    pub fn plain_options(&self) -> napi::Result<String> {
        Ok(serde_json::to_string(&JobOptions::default())?)
    }

    /// Begins a batch that is handed over part by part. None of its jobs has a unique key, a `ref` or waits for another.
    #[napi(catch_unwind)]
    pub fn add_parts(&self) -> NativeParts {
        NativeParts::start(self.inner.clone())
    }

    /// Takes over jobs of another store, all or nothing; JSON in, the number of new ones out.
    #[napi]
    pub fn restore<'env>(&self, env: &'env Env, jobs: String) -> napi::Result<PromiseRaw<'env, f64>> {
        let inner = self.inner.clone();
        promise(env, async move {
            Ok(inner.member.restore(read("the jobs", &jobs)?).await? as f64)
        })
    }

    /// Takes over schedules of another store; JSON in, the number of new ones out.
    #[napi]
    pub fn restore_schedules<'env>(&self, env: &'env Env, schedules: String) -> napi::Result<PromiseRaw<'env, f64>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let schedules = read("the schedules", &schedules)?;
            Ok(inner.member.restore_schedules(schedules).await? as f64)
        })
    }

    /// One job as JSON, or `null`.
    #[napi]
    pub fn get<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move { written(&inner.member.api().await?.get(&id).await?) })
    }

    /// Jobs as JSON.
    #[napi]
    pub fn list<'env>(&self, env: &'env Env, filter: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let filter: JobFilter = read("the filter", &filter)?;
            written(&inner.member.api().await?.list(filter).await?)
        })
    }

    /// Cancels a job.
    #[napi]
    pub fn cancel<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, bool>> {
        let inner = self.inner.clone();
        promise(env, async move { inner.member.api().await?.cancel(&id).await })
    }

    /// Runs a job again; answers it as JSON.
    #[napi]
    pub fn retry<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(
            env,
            async move { written(&inner.member.api().await?.retry(&id).await?) },
        )
    }

    /// The queue's figures as JSON.
    #[napi]
    pub fn metrics<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move { written(&inner.member.api().await?.metrics().await?) })
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
            Ok(inner
                .member
                .api()
                .await?
                .clean(older_than.max(0.0) as u64, status)
                .await? as f64)
        })
    }

    /// Pauses or resumes the queue.
    #[napi]
    pub fn set_paused<'env>(&self, env: &'env Env, paused: bool) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let api = inner.member.api().await?;
            if paused { api.pause().await } else { api.resume().await }
        })
    }

    /// What the processes on the store share under keys that begin with `prefix`; JSON.
    #[napi]
    pub fn states<'env>(&self, env: &'env Env, prefix: String) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            written(&inner.member.api().await?.states(&prefix).await?)
        })
    }

    /// Puts a shared value (JSON) in place of that version of it; false where another one is there.
    #[napi]
    pub fn set_state<'env>(
        &self,
        env: &'env Env,
        key: String,
        version: f64,
        value: String,
    ) -> napi::Result<PromiseRaw<'env, bool>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let value: Value = read("the shared state", &value)?;
            inner.member.api().await?.set_state(&key, version as i64, value).await
        })
    }

    /// Starts a worker under an id of the caller's.
    #[napi]
    pub fn start_worker<'env>(&self, env: &'env Env, id: u32, options: String) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(
            env,
            async move { inner.start(id, &read("the worker's options", &options)?) },
        )
    }

    /// Stops a worker; running jobs have so many milliseconds.
    #[napi]
    pub fn stop_worker<'env>(&self, env: &'env Env, id: u32, deadline: u32) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            inner
                .member
                .stop_worker(id, Duration::from_millis(deadline.into()))
                .await;
            Ok(())
        })
    }

    /// Attempts ended; `settled` is JSON: of each its number where its handler answered nothing, else its number, its
    /// result, and what it threw or null. Answers attempts that are to be run in their stead, where all `heard` messages
    /// with runs that were sent have arrived.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands over owned text")]
    pub fn settle(&self, settled: String, heard: u32) -> Option<String> {
        self.inner.runner.settle(&settled, heard)
    }

    /// Events of these names are told from now on.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands over owned text")]
    pub fn hear(&self, names: Vec<String>) {
        self.inner.listener.hear(&names);
    }

    /// The attempt came further.
    #[napi(catch_unwind)]
    pub fn progress(&self, attempt: u32, progress: f64) {
        if let Some(reporter) = self.inner.runner.reporter(attempt) {
            reporter.progress(progress, None, None);
        }
    }

    /// The attempt wrote a line.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands over owned text")]
    pub fn log(&self, attempt: u32, line: String) {
        if let Some(reporter) = self.inner.runner.reporter(attempt) {
            reporter.log(&line);
        }
    }

    /// Stops the workers and closes the queue.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env, deadline: u32) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            inner.member.close(Duration::from_millis(deadline.into())).await;
            Ok(())
        })
    }
}
