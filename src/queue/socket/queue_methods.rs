//! The owner's side of a served queue.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::peer::{Peer, RpcHandler};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink, NoSink};
use crate::queue::{Hub, JobFilter, JobStatus, Limits, NewJob, Queue, QueueApi, ScheduleOptions};

/// Answers `queue.…`.
pub struct QueueMethods {
    hub: Hub,
}

impl QueueMethods {
    /// Of the queues of this hub.
    pub fn new(hub: &Hub) -> Arc<Self> {
        Arc::new(Self { hub: hub.clone() })
    }
}

#[derive(Deserialize)]
struct Of {
    queue: String,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<NewJob>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Filter {
    filter: JobFilter,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Clean {
    older_than: u64,
    status: Option<JobStatus>,
}

#[derive(Deserialize)]
struct NewLimits {
    limits: Limits,
}

#[derive(Deserialize)]
struct NewSchedule {
    id: String,
    options: ScheduleOptions,
}

#[derive(Deserialize)]
struct Prefix {
    prefix: String,
}

#[derive(Deserialize)]
struct State {
    key: String,
    version: i64,
    value: Value,
}

#[derive(Deserialize)]
struct Nothing {}

fn read<T: for<'de> Deserialize<'de>>(params: Value) -> Result<T> {
    serde_json::from_value(params).map_err(not_understood)
}

fn not_understood(error: serde_json::Error) -> Error {
    Error::new(
        Code::OptionInvalid,
        "the question to the owner of the queue is not understood",
    )
    .because(error)
}

fn written<T: serde::Serialize>(value: T) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::new(Code::Internal, "an answer cannot be written").because(error))
}

/// Sends events to the process that asked for them.
struct Far(Peer);

impl EventSink for Far {
    fn emit(&self, event: Event) {
        if let Ok(event) = serde_json::to_value(event) {
            self.0.notify("queue.event", event);
        }
    }
}

impl QueueMethods {
    async fn ask<T: for<'de> Deserialize<'de>>(&self, params: Value) -> Result<(Queue, T)> {
        // Not one structure with the rest flattened into it, which could not read the data of jobs.
        let queue = Of::deserialize(&params).map_err(not_understood)?.queue;
        let of = read(params)?;
        Ok((Queue::open(&self.hub, &queue, Arc::new(NoSink)).await?, of))
    }

    async fn subscribe(&self, params: Value, peer: &Peer) -> Result<Value> {
        let (queue, Nothing {}) = self.ask(params).await?;
        let listener = queue.subscribe(Arc::new(Far(peer.clone())));
        let peer = peer.clone();
        tokio::spawn(async move {
            peer.closed().await;
            drop(listener);
        });
        Ok(Value::Null)
    }
}

#[async_trait]
impl RpcHandler for QueueMethods {
    async fn call(&self, method: &str, params: Value, peer: &Peer) -> Result<Value> {
        match method {
            "queue.add" => {
                let (queue, Jobs { jobs }) = self.ask(params).await?;
                written(queue.add(jobs).await?)
            }
            "queue.get" => {
                let (queue, Id { id }) = self.ask(params).await?;
                written(queue.get(&id).await?)
            }
            "queue.list" => {
                let (queue, Filter { filter }) = self.ask(params).await?;
                written(queue.list(filter).await?)
            }
            "queue.cancel" => {
                let (queue, Id { id }) = self.ask(params).await?;
                written(queue.cancel(&id).await?)
            }
            "queue.retry" => {
                let (queue, Id { id }) = self.ask(params).await?;
                written(queue.retry(&id).await?)
            }
            "queue.metrics" => {
                let (queue, Nothing {}) = self.ask(params).await?;
                written(queue.metrics().await?)
            }
            "queue.clean" => {
                let (queue, Clean { older_than, status }) = self.ask(params).await?;
                written(queue.clean(older_than, status).await?)
            }
            "queue.pause" => {
                let (queue, Nothing {}) = self.ask(params).await?;
                queue.pause().await.map(|()| Value::Null)
            }
            "queue.resume" => {
                let (queue, Nothing {}) = self.ask(params).await?;
                queue.resume().await.map(|()| Value::Null)
            }
            "queue.setLimits" => {
                let (queue, NewLimits { limits }) = self.ask(params).await?;
                queue.set_limits(limits).await.map(|()| Value::Null)
            }
            "queue.limits" => {
                let (queue, Nothing {}) = self.ask(params).await?;
                written(queue.limits().await?)
            }
            "queue.schedule" => {
                let (queue, NewSchedule { id, options }) = self.ask(params).await?;
                written(queue.schedule(&id, options).await?)
            }
            "queue.unschedule" => {
                let (queue, Id { id }) = self.ask(params).await?;
                written(queue.unschedule(&id).await?)
            }
            "queue.schedules" => {
                let (queue, Nothing {}) = self.ask(params).await?;
                written(queue.schedules().await?)
            }
            "queue.states" => {
                let (queue, Prefix { prefix }) = self.ask(params).await?;
                written(queue.states(&prefix).await?)
            }
            "queue.setState" => {
                let (queue, State { key, version, value }) = self.ask(params).await?;
                written(queue.set_state(&key, version, value).await?)
            }
            "queue.subscribe" => self.subscribe(params, peer).await,
            other => Err(
                Error::new(Code::StoreUnavailable, format!("the owner does not know {other:?}"))
                    .with_details(json!({ "method": other })),
            ),
        }
    }
}
