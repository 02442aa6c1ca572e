//! The engine, as JavaScript sees it: one `Arc`, a few lines a method.

use std::path::PathBuf;
use std::sync::Arc;

use napi::bindgen_prelude::{Promise, PromiseRaw};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use serde_json::{Value, json};

use super::error::promise;
use super::model::JsModel;
use crate::engine::{self, Backend, Creation, EngineOptions};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::generation::Model;
use crate::pipeline::Wish;
use crate::queue::JobFilter;

/// Takes events; weak, so that it never holds the process, and bounded, so that a busy loop drops them.
#[napi]
pub type EngineListener = ThreadsafeFunction<Vec<Value>, (), Vec<Value>, Status, false, true, 4096>;

/// Answers a prompt; it never rejects.
#[napi]
pub type ModelCallback = ThreadsafeFunction<Value, Promise<Value>, Value, Status, false, true, 64>;

/// The addon's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Hands events to JavaScript.
struct JsSink(Arc<EngineListener>);

impl EventSink for JsSink {
    fn emit(&self, event: Event) {
        // A full queue drops the hint; the store has the truth.
        let _ = self.0.call(vec![json!(event)], ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// An open engine.
#[napi]
pub struct Engine {
    backend: Arc<dyn Backend>,
    listener: Arc<EngineListener>,
}

#[napi]
impl Engine {
    /// Opens the engine of a data directory.
    #[napi]
    pub fn open<'env>(
        env: &'env Env,
        options: Value,
        listener: EngineListener,
    ) -> napi::Result<PromiseRaw<'env, Engine>> {
        let listener = Arc::new(listener);
        promise(env, async move {
            let options = EngineOptions::from_value(options)?;
            let sink = Arc::new(JsSink(Arc::clone(&listener)));
            let backend = engine::open(options, sink, None).await?;
            Ok(Engine { backend, listener })
        })
    }

    /// Stores a creation; resolves with the job's id when it is durable.
    #[napi]
    pub fn create_plugin<'env>(
        &self,
        env: &'env Env,
        specification: Value,
        options: Value,
        model: Option<ModelCallback>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.create(env, Wish::Specification(specification), options, model)
    }

    /// Stores a creation that begins with words.
    #[napi]
    pub fn create_plugin_from_description<'env>(
        &self,
        env: &'env Env,
        description: String,
        options: Value,
        model: Option<ModelCallback>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.create(env, Wish::Description(description), options, model)
    }

    /// Sets the model of jobs that have none of their own, and wakes those that wait for one.
    #[napi]
    pub fn set_model<'env>(&self, env: &'env Env, model: Option<ModelCallback>) -> napi::Result<PromiseRaw<'env, ()>> {
        let backend = Arc::clone(&self.backend);
        let model = self.model(model);
        promise(env, async move {
            let wakes = model.is_some();
            backend.set_model(model);
            if wakes { backend.wake().await } else { Ok(()) }
        })
    }

    /// A job, or null.
    #[napi]
    pub fn job<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, Option<Value>>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { Ok(backend.job(&id).await?.map(|job| json!(job))) })
    }

    /// Jobs, newest first.
    #[napi]
    pub fn jobs<'env>(&self, env: &'env Env, filter: Value) -> napi::Result<PromiseRaw<'env, Vec<Value>>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move {
            let filter: JobFilter = options_of("filter", filter)?;
            Ok(backend.jobs(filter).await?.iter().map(|job| json!(job)).collect())
        })
    }

    /// Cancels a job; false where it was over.
    #[napi]
    pub fn cancel<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, bool>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.cancel(&id).await })
    }

    /// Runs a job that ended once more.
    #[napi]
    pub fn retry<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, bool>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.retry(&id).await })
    }

    /// Numbers of all rooms.
    #[napi]
    pub fn metrics<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Value>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.metrics().await })
    }

    /// Whether a creation could be made, and what is missing.
    #[napi]
    pub fn health<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Value>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.health().await })
    }

    /// Examines a plugin project that exists already.
    #[napi]
    pub fn verify<'env>(
        &self,
        env: &'env Env,
        directory: String,
        specification: Option<Value>,
    ) -> napi::Result<PromiseRaw<'env, Value>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move {
            let report = backend
                .verify(PathBuf::from(directory), specification.filter(|value| !value.is_null()))
                .await?;
            Ok(json!(report))
        })
    }

    /// What is here, what is missing and what to do about it.
    #[napi]
    pub fn doctor<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Value>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.doctor().await })
    }

    /// Stops the workers and gives everything back.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.close().await })
    }
}

impl Engine {
    fn create<'env>(
        &self,
        env: &'env Env,
        wish: Wish,
        options: Value,
        model: Option<ModelCallback>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let backend = Arc::clone(&self.backend);
        let model = self.model(model);
        promise(env, async move {
            let creation = creation_of(wish, options)?;
            backend.create(creation, model).await
        })
    }

    fn model(&self, callback: Option<ModelCallback>) -> Option<Arc<dyn Model>> {
        let listener = Arc::clone(&self.listener);
        callback.map(|callback| Arc::new(JsModel::new(callback, listener)) as Arc<dyn Model>)
    }
}

fn creation_of(wish: Wish, options: Value) -> Result<Creation> {
    let mut fields = match options {
        Value::Object(fields) => fields,
        Value::Null => serde_json::Map::new(),
        _ => {
            return Err(Error::new(
                Code::OptionInvalid,
                "the options of a creation must be an object",
            ));
        }
    };
    // Whether there is one is seen from the callback.
    fields.remove("hasModel");
    fields.insert("wish".to_owned(), json!(wish));
    options_of("the creation", Value::Object(fields))
}

fn options_of<T: serde::de::DeserializeOwned>(what: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        Error::new(
            Code::OptionInvalid,
            format!("the options of {what} are not right: {error}"),
        )
    })
}
