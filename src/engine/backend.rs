//! What an engine answers, whoever owns the data directory.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::near::Near;
use crate::error::{Code, Result};
use crate::generation::Model;
use crate::metrics::Format;
use crate::pipeline::{CreationReport, Generator, Wish};
use crate::queue::{Job, JobFilter, Priority, QueueApi};

/// A creation that is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Creation {
    pub wish: Wish,
    /// Default: the model where there is one, else the template.
    #[serde(default)]
    pub generator: Option<Generator>,
    #[serde(default)]
    pub max_iterations: Option<u32>,
    #[serde(default)]
    pub priority: Option<Priority>,
    /// Milliseconds that one attempt may take.
    #[serde(default)]
    pub timeout: Option<u64>,
    #[serde(default)]
    pub user_id: Option<String>,
    #[serde(default)]
    pub metadata: Option<Value>,
    #[serde(default)]
    pub out_dir: Option<PathBuf>,
}

/// An open engine.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Validates, scans and stores a creation; durable when it answers with the job's id.
    async fn create(&self, creation: Creation, model: Option<Arc<dyn Model>>) -> Result<String>;

    /// Sets the model of jobs that have none of their own.
    fn set_model(&self, model: Option<Arc<dyn Model>>);

    /// Lets the jobs that wait for a model run again.
    async fn wake(&self) -> Result<()>;

    /// A job as it is now.
    async fn job(&self, id: &str) -> Result<Option<Job>>;

    /// Jobs, newest first.
    async fn jobs(&self, filter: JobFilter) -> Result<Vec<Job>>;

    /// Whether there was something to cancel.
    async fn cancel(&self, id: &str) -> Result<bool>;

    /// Runs a job that ended once more; whether there was one.
    async fn retry(&self, id: &str) -> Result<bool>;

    /// Numbers of all rooms.
    async fn metrics(&self) -> Result<Value>;

    /// The same for a Prometheus, with what only JavaScript knows of this process. Of a process that is served, it is
    /// the owner's text.
    async fn metrics_text(&self, format: Format, near: Near) -> Result<String>;

    /// The spans of a trace or of a job that are kept: `traceId`, and `spans` as OTLP's JSON has them.
    async fn trace(&self, id: &str) -> Result<Value>;

    /// Whether a creation could be made, and what is missing.
    async fn health(&self) -> Result<Value>;

    /// Examines a plugin project that exists already.
    async fn verify(&self, directory: PathBuf, specification: Option<Value>) -> Result<CreationReport>;

    /// What is here, what is missing and what to do about it.
    async fn doctor(&self) -> Result<Value>;

    /// Stops the workers and gives everything back. May be called twice.
    async fn close(&self) -> Result<()>;
}

/// Runs a job of this queue once more; false where there is none that can be.
pub(super) async fn retry(queue: &impl QueueApi, id: &str) -> Result<bool> {
    match queue.retry(id).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), Code::JobNotFound | Code::JobState) => Ok(false),
        Err(error) => Err(error),
    }
}
