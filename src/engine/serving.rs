//! What the owner answers to the processes that it serves.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::backend::Backend;
use super::near::Near;
use super::owner::Owner;
use super::served::FarCreation;
use super::served_model::{BroughtModel, FarModel};
use crate::error::{Code, Error, Result};
use crate::generation::Model;
use crate::metrics::Format;
use crate::queue::{Peer, RpcHandler};

/// The prefix of the engine's methods.
pub const PREFIX: &str = "engine.";

/// Answers for the owner as long as it is open.
pub struct Serving {
    owner: Weak<Owner>,
}

impl Serving {
    /// Answers for `owner`, without keeping it.
    pub fn of(owner: &Arc<Owner>) -> Arc<Self> {
        Arc::new(Self {
            owner: Arc::downgrade(owner),
        })
    }
}

#[derive(Deserialize)]
struct Verify {
    directory: PathBuf,
    #[serde(default)]
    specification: Option<Value>,
}

#[async_trait]
impl RpcHandler for Serving {
    async fn call(&self, method: &str, params: Value, peer: &Peer) -> Result<Value> {
        let owner = self.owner.upgrade().ok_or_else(|| {
            Error::new(
                Code::Closed,
                "the engine that owns the data directory is closed; open yours again",
            )
        })?;
        match method {
            "engine.create" => {
                let asked: FarCreation = read(params)?;
                let model = asked.model_key.map(|key| {
                    let model: Arc<dyn Model> = Arc::new(FarModel::new(peer.clone(), key.clone()));
                    (key, model)
                });
                let id = owner.create_with(asked.creation, model).await?;
                owner.far_logs.follow(peer, &id);
                Ok(Value::String(id))
            }
            "engine.models" => {
                let brought: Vec<BroughtModel> = read(params)?;
                for BroughtModel { key, job_id } in brought {
                    let model = Arc::new(FarModel::new(peer.clone(), key.clone()));
                    owner.models().bind(&key, model);
                    owner.models().assign(&key, &job_id);
                    owner.far_logs.follow(peer, &job_id);
                }
                owner.wake_waiting().await.map(|()| Value::Null)
            }
            "engine.metrics" => owner.metrics().await,
            "engine.metricsText" => {
                let format = Format::parse(params.as_str().unwrap_or_default())?;
                owner.metrics_text(format, Near::default()).await.map(Value::String)
            }
            "engine.trace" => owner.trace(params.as_str().unwrap_or_default()).await,
            "engine.health" => owner.health().await,
            "engine.doctor" => owner.doctor().await,
            "engine.verify" => {
                let asked: Verify = read(params)?;
                owner
                    .verify(asked.directory, asked.specification)
                    .await
                    .map(|report| json!(report))
            }
            other => Err(Error::new(
                Code::StoreUnavailable,
                format!("this version does not answer {other:?}"),
            )),
        }
    }

    fn notified(&self, _method: &str, _params: Value) {}
}

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T> {
    serde_json::from_value(params).map_err(|error| {
        Error::new(
            Code::OptionInvalid,
            format!("the question of the other process is not understood: {error}"),
        )
    })
}
