//! The engine of a process that is served by the owner of its data directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::backend::{Backend, Creation, retry};
use super::near::Near;
use super::served_model::NearModels;
use super::serving::PREFIX;
use crate::error::{Code, Error, Result};
use crate::event::NoSink;
use crate::generation::Model;
use crate::metrics::Format;
use crate::pipeline::{CreationReport, QUEUE};
use crate::queue::{Job, JobFilter, Peer, QueueApi, RemoteQueue};

/// What is asked of the owner for a creation.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FarCreation {
    pub creation: Creation,
    /// Names the model that this process keeps.
    pub model_key: Option<String>,
}

/// How long an owner may take to open its engine.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(25);

/// How the owner greets.
#[derive(Deserialize)]
struct Hello {
    pid: u32,
    /// The prefixes of what it answers.
    parts: Vec<String>,
}

/// An engine at the other end of a socket.
pub struct Served {
    peer: Peer,
    queue: RemoteQueue,
    models: Arc<NearModels>,
}

/// Takes the connection to the owner, which may ask `models`.
pub async fn open(peer: Peer, models: Arc<NearModels>) -> Result<Arc<dyn Backend>> {
    if let Err(error) = greet(&peer).await {
        peer.close();
        return Err(error);
    }
    let queue = RemoteQueue::open(&peer, QUEUE, Arc::new(NoSink), None).await?;
    peer.handle(Arc::clone(&models) as Arc<dyn crate::queue::RpcHandler>);
    let served = Served { peer, queue, models };
    served.bring().await?;
    Ok(Arc::new(served))
}

/// Waits until the owner's engine answers.
async fn greet(peer: &Peer) -> Result<()> {
    let started = Instant::now();
    loop {
        let hello: Hello = read(peer.request("hello", Value::Null).await?)?;
        if hello.parts.iter().any(|part| part == PREFIX) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(Error::new(
                Code::StoreBusy,
                format!(
                    "process {} owns the data directory and uses only job queues of it, so that no engine can work \
                     beside it; open an engine in that process, or give this one or its queues another `dataDir`",
                    hello.pid
                ),
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Served {
    /// Offers the models of jobs that another owner had before.
    async fn bring(&self) -> Result<()> {
        let brought: Vec<_> = self.models.brought().into_iter().map(|(model, _)| model).collect();
        if brought.is_empty() {
            return Ok(());
        }
        self.ask("engine.models", json!(brought)).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        read(self.peer.request(method, params).await?)
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T> {
    serde_json::from_value(answer).map_err(|error| {
        let what = "the owner's answer is not understood; is it of another version?";
        Error::new(Code::StoreUnavailable, what).because(error)
    })
}

#[async_trait]
impl Backend for Served {
    async fn create(&self, mut creation: Creation, model: Option<Arc<dyn Model>>) -> Result<String> {
        // The owner works in another folder.
        creation.out_dir = creation.out_dir.map(std::path::absolute).transpose().map_err(|error| {
            Error::new(Code::OptionInvalid, "`outDir` is not a path that can be used").because(error)
        })?;
        let model = model.or_else(|| self.models.default());
        let key = model.as_ref().map(|_| Uuid::now_v7().to_string());
        if let (Some(key), Some(model)) = (&key, model) {
            self.models.bind(key, model);
        }
        let asked = self
            .ask::<String>(
                "engine.create",
                json!(FarCreation {
                    creation,
                    model_key: key.clone()
                }),
            )
            .await;
        if let Some(key) = &key {
            match &asked {
                Ok(id) => self.models.assign(key, id),
                Err(_) => self.models.release(key),
            }
        }
        asked
    }

    fn set_model(&self, model: Option<Arc<dyn Model>>) {
        self.models.set_default(model);
    }

    /// The owner's jobs wait for the owner's model.
    async fn wake(&self) -> Result<()> {
        Ok(())
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
        self.ask("engine.metrics", Value::Null).await
    }

    async fn metrics_text(&self, format: Format, _near: Near) -> Result<String> {
        self.ask("engine.metricsText", json!(format.as_str())).await
    }

    async fn trace(&self, id: &str) -> Result<Value> {
        self.ask("engine.trace", json!(id)).await
    }

    async fn health(&self) -> Result<Value> {
        self.ask("engine.health", Value::Null).await
    }

    async fn verify(&self, directory: PathBuf, specification: Option<Value>) -> Result<CreationReport> {
        self.ask(
            "engine.verify",
            json!({ "directory": directory, "specification": specification }),
        )
        .await
    }

    async fn doctor(&self) -> Result<Value> {
        self.ask("engine.doctor", Value::Null).await
    }

    async fn close(&self) -> Result<()> {
        self.peer.close();
        Ok(())
    }
}
