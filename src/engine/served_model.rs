//! A model of another process: the owner asks through the socket, the process that brought it answers.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::far_logs::LOG;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::generation::{Model, ModelReply, ModelRequest};
use crate::queue::{Peer, RpcHandler};

/// Asked by the owner.
const ASK: &str = "engine.model";
/// Told by the owner when an answer is no longer wanted.
const GIVE_UP: &str = "engine.modelCancelled";

/// One question on its way.
#[derive(Serialize, Deserialize)]
struct Question {
    key: String,
    call: String,
    request: ModelRequest,
}

/// A model of a job of another owner before.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BroughtModel {
    pub key: String,
    pub job_id: String,
}

/// The owner's end.
pub struct FarModel {
    peer: Peer,
    key: String,
}

impl FarModel {
    /// The model that the other process keeps under `key`.
    pub const fn new(peer: Peer, key: String) -> Self {
        Self { peer, key }
    }
}

#[async_trait]
impl Model for FarModel {
    async fn complete(&self, request: ModelRequest, token: CancellationToken) -> Result<ModelReply> {
        let call = Uuid::now_v7().to_string();
        let question = json!(Question {
            key: self.key.clone(),
            call: call.clone(),
            request
        });
        let answer = tokio::select! {
            answer = self.peer.request(ASK, question) => answer,
            () = token.cancelled() => {
                self.peer.notify(GIVE_UP, json!({ "call": call }));
                return Err(Error::new(Code::Cancelled, "the call of the model was given up"));
            }
        };
        let value = match answer {
            Err(_) if self.peer.is_closed() => return Err(gone()),
            other => other?,
        };
        serde_json::from_value(value).map_err(|error| {
            Error::new(Code::ModelFailed, "the other process answered what is no reply").because(error)
        })
    }
}

fn gone() -> Error {
    Error::new(
        Code::ModelNeeded,
        "the process that brought the model is gone; open the engine with `model`, or create the plugin again",
    )
}

/// The end of the process that brought its models: answers the owner and hears the events.
pub struct NearModels {
    sink: Arc<dyn EventSink>,
    models: Mutex<HashMap<String, Arc<dyn Model>>>,
    /// For jobs that bring none of their own.
    default: Mutex<Option<Arc<dyn Model>>>,
    calls: Mutex<HashMap<String, CancellationToken>>,
    /// Which job a model belongs to, so that it is forgotten with the job.
    jobs: Mutex<HashMap<String, String>>,
}

impl NearModels {
    /// With that model for jobs that bring none; events go to `sink`.
    pub fn new(sink: Arc<dyn EventSink>, default: Option<Arc<dyn Model>>) -> Arc<Self> {
        Arc::new(Self {
            sink,
            models: Mutex::default(),
            default: Mutex::new(default),
            calls: Mutex::default(),
            jobs: Mutex::default(),
        })
    }

    /// Keeps a model under a key.
    pub fn bind(&self, key: &str, model: Arc<dyn Model>) {
        self.models.lock().insert(key.to_owned(), model);
    }

    /// Says which job a key belongs to.
    pub fn assign(&self, key: &str, job_id: &str) {
        self.jobs.lock().insert(job_id.to_owned(), key.to_owned());
    }

    /// Forgets a model.
    pub fn release(&self, key: &str) {
        self.models.lock().remove(key);
    }

    /// Sets the model for jobs that bring none.
    pub fn set_default(&self, model: Option<Arc<dyn Model>>) {
        *self.default.lock() = model;
    }

    /// The model for jobs that bring none.
    pub fn default(&self) -> Option<Arc<dyn Model>> {
        self.default.lock().clone()
    }

    /// The jobs that are under way, and their models.
    pub fn brought(&self) -> Vec<(BroughtModel, Arc<dyn Model>)> {
        let (jobs, models) = (self.jobs.lock().clone(), self.models.lock());
        let model_of = |(job_id, key): (String, String)| {
            let model = models.get(&key)?.clone();
            Some((BroughtModel { key, job_id }, model))
        };
        jobs.into_iter().filter_map(model_of).collect()
    }

    async fn answer(&self, params: Value) -> Result<Value> {
        let question: Question = serde_json::from_value(params)
            .map_err(|error| Error::new(Code::ModelFailed, "the owner's question is not understood").because(error))?;
        let model = self.models.lock().get(&question.key).map(Arc::clone).ok_or_else(gone)?;
        let token = CancellationToken::new();
        self.calls.lock().insert(question.call.clone(), token.clone());
        let reply = model.complete(question.request, token).await;
        self.calls.lock().remove(&question.call);
        Ok(json!(reply?))
    }
}

#[async_trait]
impl RpcHandler for NearModels {
    async fn call(&self, method: &str, params: Value, _peer: &Peer) -> Result<Value> {
        match method {
            ASK => self.answer(params).await,
            other => Err(Error::new(
                Code::StoreUnavailable,
                format!("this process does not answer {other:?}"),
            )),
        }
    }

    fn notified(&self, method: &str, params: Value) {
        if method == GIVE_UP {
            let token = params["call"].as_str().and_then(|call| self.calls.lock().remove(call));
            if let Some(token) = token {
                token.cancel();
            }
        } else if method == LOG {
            if let Ok(lines) = serde_json::from_value(params["lines"].clone()) {
                self.sink.log(lines);
            }
        } else if method == "queue.event"
            && let Ok(event) = serde_json::from_value::<Event>(params)
        {
            if event.kind.is_final() {
                let key = self.jobs.lock().remove(&event.job_id);
                if let Some(key) = key {
                    self.release(&key);
                }
            }
            self.sink.emit(event);
        }
    }
}
