//! The engine of a process that another one serves: when that one goes, it takes its place, or is served by the process
//! that did. Its models stay with its jobs.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::backend::{Backend, Creation};
use super::hub::{self, Reached};
use super::near::Near;
use super::options::EngineOptions;
use super::served_model::NearModels;
use super::{owner, rooms, served};
use crate::error::Result;
use crate::event::EventSink;
use crate::generation::Model;
use crate::metrics::Format;
use crate::pipeline::CreationReport;
use crate::queue::{Job, JobFilter, Peer, Sitter, Succession};

/// A part in a data directory.
pub struct Member {
    part: Arc<Part>,
    succession: Succession<Part>,
}

/// What outlives an owner.
struct Part {
    options: EngineOptions,
    sink: Arc<dyn EventSink>,
    models: Arc<NearModels>,
}

/// Who answers at present; `peer` is the connection where that is another process.
#[derive(Clone)]
struct Seat {
    backend: Arc<dyn Backend>,
    peer: Option<Peer>,
}

impl Drop for Member {
    fn drop(&mut self) {
        // Nobody is left for whom a place could be taken.
        self.succession.stop();
    }
}

/// Begins as one that `peer` serves.
pub async fn open(
    peer: Peer,
    options: EngineOptions,
    sink: Arc<dyn EventSink>,
    model: Option<Arc<dyn Model>>,
) -> Result<Arc<dyn Backend>> {
    let models = NearModels::new(Arc::clone(&sink), model);
    let part = Arc::new(Part { options, sink, models });
    let first = part.served(peer).await?;
    let succession = Succession::begin(Arc::clone(&part), first);
    Ok(Arc::new(Member { part, succession }))
}

impl Member {
    /// Asks what may be asked twice: once more where the owner went meanwhile.
    async fn ask<'q, T>(&self, question: impl Fn(Arc<dyn Backend>) -> BoxFuture<'q, Result<T>> + Send) -> Result<T> {
        let seat = self.succession.seat().await?;
        let answer = question(Arc::clone(&seat.backend)).await;
        if answer.is_err() && Succession::<Part>::is_left(&seat) {
            return question(self.succession.seat().await?.backend).await;
        }
        answer
    }
}

impl Part {
    async fn served(&self, peer: Peer) -> Result<Seat> {
        let backend = served::open(peer.clone(), Arc::clone(&self.models)).await?;
        Ok(Seat {
            backend,
            peer: Some(peer),
        })
    }
}

#[async_trait]
impl Sitter for Part {
    type Seat = Seat;
    const NAME: &'static str = "engine";

    async fn sit(&self) -> Result<Seat> {
        let rooms = rooms::open(&self.options)?;
        match hub::open(&self.options, &rooms.clock).await? {
            Reached::Own(store) => {
                // Before its jobs run again.
                for (brought, model) in self.models.brought() {
                    rooms.models.bind(&brought.key, model);
                    rooms.models.assign(&brought.key, &brought.job_id);
                }
                let (options, sink) = (self.options.clone(), Arc::clone(&self.sink));
                let backend = owner::open(options, rooms, store, sink, self.models.default()).await?;
                Ok(Seat { backend, peer: None })
            }
            Reached::Served(peer) => self.served(peer).await,
        }
    }

    fn peer(seat: &Seat) -> Option<Peer> {
        seat.peer.clone()
    }
}

#[async_trait]
impl Backend for Member {
    async fn create(&self, creation: Creation, model: Option<Arc<dyn Model>>) -> Result<String> {
        self.succession.seat().await?.backend.create(creation, model).await
    }

    fn set_model(&self, model: Option<Arc<dyn Model>>) {
        self.part.models.set_default(model.clone());
        self.succession.last().backend.set_model(model);
    }

    async fn wake(&self) -> Result<()> {
        self.ask(|backend| async move { backend.wake().await }.boxed()).await
    }

    async fn job(&self, id: &str) -> Result<Option<Job>> {
        self.ask(|backend| async move { backend.job(id).await }.boxed()).await
    }

    async fn jobs(&self, filter: JobFilter) -> Result<Vec<Job>> {
        let question = |backend: Arc<dyn Backend>| {
            let filter = filter.clone();
            async move { backend.jobs(filter).await }.boxed()
        };
        self.ask(question).await
    }

    async fn cancel(&self, id: &str) -> Result<bool> {
        self.ask(|backend| async move { backend.cancel(id).await }.boxed())
            .await
    }

    async fn retry(&self, id: &str) -> Result<bool> {
        self.ask(|backend| async move { backend.retry(id).await }.boxed()).await
    }

    async fn metrics(&self) -> Result<Value> {
        self.ask(|backend| async move { backend.metrics().await }.boxed()).await
    }

    async fn metrics_text(&self, format: Format, near: Near) -> Result<String> {
        let question = |backend: Arc<dyn Backend>| {
            let near = near.clone();
            async move { backend.metrics_text(format, near).await }.boxed()
        };
        self.ask(question).await
    }

    async fn trace(&self, id: &str) -> Result<Value> {
        self.ask(|backend| async move { backend.trace(id).await }.boxed()).await
    }

    async fn health(&self) -> Result<Value> {
        self.ask(|backend| async move { backend.health().await }.boxed()).await
    }

    async fn verify(&self, directory: PathBuf, specification: Option<Value>) -> Result<CreationReport> {
        let question = |backend: Arc<dyn Backend>| {
            let (directory, specification) = (directory.clone(), specification.clone());
            async move { backend.verify(directory, specification).await }.boxed()
        };
        self.ask(question).await
    }

    async fn doctor(&self) -> Result<Value> {
        self.ask(|backend| async move { backend.doctor().await }.boxed()).await
    }

    async fn close(&self) -> Result<()> {
        self.succession.end().await.backend.close().await
    }
}
