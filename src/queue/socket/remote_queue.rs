//! A queue of a store that another process owns.

use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::peer::{Peer, RpcHandler};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::queue::{Job, JobFilter, JobStatus, Limits, Metrics, NewJob, QueueApi, Schedule, ScheduleOptions, check};
use crate::store::{Retention, SharedState};

/// Reaches a queue through the owner's socket.
#[derive(Clone)]
pub struct RemoteQueue {
    peer: Peer,
    name: String,
}

/// Hears the events that the owner sends.
struct Near {
    name: String,
    sink: Arc<dyn EventSink>,
}

#[async_trait]
impl RpcHandler for Near {
    async fn call(&self, method: &str, _params: Value, _peer: &Peer) -> Result<Value> {
        Err(Error::new(
            Code::StoreUnavailable,
            format!("this end does not answer {method:?}"),
        ))
    }

    fn notified(&self, method: &str, params: Value) {
        if method == "queue.event"
            && let Ok(event) = serde_json::from_value::<Event>(params)
            && event.queue == self.name
        {
            self.sink.emit(event);
        }
    }
}

impl RemoteQueue {
    /// Takes the connection for one queue; `sink` hears its events.
    /// Where `retention` is given, the owner keeps so much of its ended jobs.
    pub async fn open(peer: &Peer, name: &str, sink: Arc<dyn EventSink>, retention: Option<Retention>) -> Result<Self> {
        check::name("queue", name)?;
        peer.handle(Arc::new(Near {
            name: name.to_owned(),
            sink,
        }));
        let queue = Self {
            peer: peer.clone(),
            name: name.to_owned(),
        };
        queue
            .ask::<Value>("queue.subscribe", json!({ "retention": retention }))
            .await?;
        Ok(queue)
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, mut params: Value) -> Result<T> {
        params["queue"] = Value::String(self.name.clone());
        let answer = self.peer.request(method, params).await?;
        serde_json::from_value(answer).map_err(|error| {
            Error::new(
                Code::StoreUnavailable,
                "the owner's answer is not understood; is it of another version?",
            )
            .because(error)
        })
    }
}

#[async_trait]
impl QueueApi for RemoteQueue {
    async fn add(&self, jobs: Vec<NewJob>) -> Result<Vec<Job>> {
        check::jobs(&jobs)?;
        self.ask("queue.add", json!({ "jobs": jobs })).await
    }

    async fn get(&self, id: &str) -> Result<Option<Job>> {
        self.ask("queue.get", json!({ "id": id })).await
    }

    async fn list(&self, filter: JobFilter) -> Result<Vec<Job>> {
        self.ask("queue.list", json!({ "filter": filter })).await
    }

    async fn cancel(&self, id: &str) -> Result<bool> {
        self.ask("queue.cancel", json!({ "id": id })).await
    }

    async fn retry(&self, id: &str) -> Result<Job> {
        self.ask("queue.retry", json!({ "id": id })).await
    }

    async fn metrics(&self) -> Result<Metrics> {
        self.ask("queue.metrics", json!({})).await
    }

    async fn clean(&self, older_than: u64, status: Option<JobStatus>) -> Result<u64> {
        self.ask("queue.clean", json!({ "olderThan": older_than, "status": status }))
            .await
    }

    async fn pause(&self) -> Result<()> {
        self.ask::<Value>("queue.pause", json!({})).await.map(drop)
    }

    async fn resume(&self) -> Result<()> {
        self.ask::<Value>("queue.resume", json!({})).await.map(drop)
    }

    async fn set_limits(&self, limits: Limits) -> Result<()> {
        self.ask::<Value>("queue.setLimits", json!({ "limits": limits }))
            .await
            .map(drop)
    }

    async fn limits(&self) -> Result<Limits> {
        self.ask("queue.limits", json!({})).await
    }

    async fn schedule(&self, id: &str, options: ScheduleOptions) -> Result<Schedule> {
        self.ask("queue.schedule", json!({ "id": id, "options": options }))
            .await
    }

    async fn unschedule(&self, id: &str) -> Result<bool> {
        self.ask("queue.unschedule", json!({ "id": id })).await
    }

    async fn schedules(&self) -> Result<Vec<Schedule>> {
        self.ask("queue.schedules", json!({})).await
    }

    async fn states(&self, prefix: &str) -> Result<Vec<SharedState>> {
        self.ask("queue.states", json!({ "prefix": prefix })).await
    }

    async fn set_state(&self, key: &str, version: i64, value: Value) -> Result<bool> {
        self.ask(
            "queue.setState",
            json!({ "key": key, "version": version, "value": value }),
        )
        .await
    }
}
