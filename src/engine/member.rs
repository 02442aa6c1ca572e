//! The engine of a process that another one serves: when that one goes, it takes its place, or is served by the process
//! that did. Its models stay with its jobs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::backend::{Backend, Creation};
use super::hub::{self, Reached};
use super::near::Near;
use super::options::EngineOptions;
use super::served_model::NearModels;
use super::{owner, rooms, served};
use crate::error::{Code, Error, Result};
use crate::event::EventSink;
use crate::generation::Model;
use crate::metrics::Format;
use crate::pipeline::CreationReport;
use crate::queue::{Job, JobFilter, Peer};

/// Between two attempts to take a place.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a call waits for a new owner.
const PATIENCE: Duration = Duration::from_secs(5);

/// A part in a data directory.
pub struct Member {
    inner: Arc<Inner>,
    follower: Mutex<Option<JoinHandle<()>>>,
}

struct Inner {
    options: EngineOptions,
    sink: Arc<dyn EventSink>,
    models: Arc<NearModels>,
    seat: Mutex<Option<Seat>>,
    changed: watch::Sender<()>,
    stop: CancellationToken,
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
        self.inner.stop.cancel();
    }
}

impl Seat {
    fn is_left(&self) -> bool {
        self.peer.as_ref().is_some_and(Peer::is_closed)
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
    let seat = Seat {
        backend: served::open(peer.clone(), Arc::clone(&models)).await?,
        peer: Some(peer.clone()),
    };
    let inner = Arc::new(Inner {
        options,
        sink,
        models,
        seat: Mutex::new(Some(seat)),
        changed: watch::Sender::new(()),
        stop: CancellationToken::new(),
    });
    let follower = tokio::spawn(follow(Arc::clone(&inner), peer));
    Ok(Arc::new(Member {
        inner,
        follower: Mutex::new(Some(follower)),
    }))
}

impl Inner {
    /// Who answers. Waits a while where the owner just went.
    async fn seat(&self) -> Result<Seat> {
        let mut changes = self.changed.subscribe();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                changes.borrow_and_update();
                if self.stop.is_cancelled() {
                    return Err(Error::new(Code::Closed, "the engine is closed; open it again"));
                }
                let seat = self.seat.lock().clone();
                if let Some(seat) = seat.filter(|seat| !seat.is_left()) {
                    return Ok(seat);
                }
                // It ends with `self` only.
                let _ = changes.changed().await;
            }
        });
        waited.await.unwrap_or_else(|_| {
            Err(Error::new(
                Code::StoreBusy,
                "the process that owned the data directory went away, and no other one took its place yet; try again",
            ))
        })
    }

    /// Asks what may be asked twice: once more where the owner went meanwhile.
    async fn ask<'q, T>(&self, question: impl Fn(Arc<dyn Backend>) -> BoxFuture<'q, Result<T>> + Send) -> Result<T> {
        let seat = self.seat().await?;
        let answer = question(Arc::clone(&seat.backend)).await;
        if answer.is_err() && seat.is_left() {
            return question(self.seat().await?.backend).await;
        }
        answer
    }

    /// Takes the place of the owner, or is served by the process that did.
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
            Reached::Served(peer) => {
                let backend = served::open(peer.clone(), Arc::clone(&self.models)).await?;
                Ok(Seat {
                    backend,
                    peer: Some(peer),
                })
            }
        }
    }
}

/// Waits for the end of each owner.
async fn follow(inner: Arc<Inner>, mut peer: Peer) {
    let stop = inner.stop.clone();
    while stop.run_until_cancelled(peer.closed()).await.is_some() {
        let seat = loop {
            match inner.sit().await {
                Ok(seat) => break seat,
                Err(error) => tracing::debug!("the place of the owner is not taken yet: {error}"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                return;
            }
        };
        let next = seat.peer.clone();
        *inner.seat.lock() = Some(seat);
        inner.changed.send_replace(());
        match next {
            Some(next) => peer = next,
            None => return,
        }
    }
}

#[async_trait]
impl Backend for Member {
    async fn create(&self, creation: Creation, model: Option<Arc<dyn Model>>) -> Result<String> {
        self.inner.seat().await?.backend.create(creation, model).await
    }

    fn set_model(&self, model: Option<Arc<dyn Model>>) {
        self.inner.models.set_default(model.clone());
        if let Some(seat) = &*self.inner.seat.lock() {
            seat.backend.set_model(model);
        }
    }

    async fn wake(&self) -> Result<()> {
        self.inner
            .ask(|backend| async move { backend.wake().await }.boxed())
            .await
    }

    async fn job(&self, id: &str) -> Result<Option<Job>> {
        self.inner
            .ask(|backend| async move { backend.job(id).await }.boxed())
            .await
    }

    async fn jobs(&self, filter: JobFilter) -> Result<Vec<Job>> {
        let question = |backend: Arc<dyn Backend>| {
            let filter = filter.clone();
            async move { backend.jobs(filter).await }.boxed()
        };
        self.inner.ask(question).await
    }

    async fn cancel(&self, id: &str) -> Result<bool> {
        self.inner
            .ask(|backend| async move { backend.cancel(id).await }.boxed())
            .await
    }

    async fn retry(&self, id: &str) -> Result<bool> {
        self.inner
            .ask(|backend| async move { backend.retry(id).await }.boxed())
            .await
    }

    async fn metrics(&self) -> Result<Value> {
        self.inner
            .ask(|backend| async move { backend.metrics().await }.boxed())
            .await
    }

    async fn metrics_text(&self, format: Format, near: Near) -> Result<String> {
        let question = |backend: Arc<dyn Backend>| {
            let near = near.clone();
            async move { backend.metrics_text(format, near).await }.boxed()
        };
        self.inner.ask(question).await
    }

    async fn trace(&self, id: &str) -> Result<Value> {
        self.inner
            .ask(|backend| async move { backend.trace(id).await }.boxed())
            .await
    }

    async fn health(&self) -> Result<Value> {
        self.inner
            .ask(|backend| async move { backend.health().await }.boxed())
            .await
    }

    async fn verify(&self, directory: PathBuf, specification: Option<Value>) -> Result<CreationReport> {
        let question = |backend: Arc<dyn Backend>| {
            let (directory, specification) = (directory.clone(), specification.clone());
            async move { backend.verify(directory, specification).await }.boxed()
        };
        self.inner.ask(question).await
    }

    async fn doctor(&self) -> Result<Value> {
        self.inner
            .ask(|backend| async move { backend.doctor().await }.boxed())
            .await
    }

    async fn close(&self) -> Result<()> {
        self.inner.stop.cancel();
        self.inner.changed.send_replace(());
        let follower = self.follower.lock().take();
        if let Some(follower) = follower {
            // It may sit down just now, and what it opens has to be closed.
            let _ = follower.await;
        }
        let seat = self.inner.seat.lock().take();
        match seat {
            Some(seat) => seat.backend.close().await,
            None => Ok(()),
        }
    }
}
