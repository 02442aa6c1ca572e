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
use crate::engine::{self, Backend, Creation, EngineOptions, Near};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink, LogLine};
use crate::generation::Model;
use crate::metrics::Format;
use crate::pipeline::Wish;
use crate::queue::JobFilter;
use crate::specification;

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

    fn log(&self, lines: Vec<LogLine>) {
        // Like a hint: where the loop is too busy, lines are lost.
        let _ = self.0.call(
            vec![json!({ "type": "log-lines", "lines": lines })],
            ThreadsafeFunctionCallMode::NonBlocking,
        );
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
    /// Opens the engine of a data directory; `model` answers for jobs that have none of their own.
    #[napi]
    pub fn open(
        env: &Env,
        options: Value,
        listener: EngineListener,
        model: Option<ModelCallback>,
    ) -> napi::Result<PromiseRaw<'_, Engine>> {
        let listener = Arc::new(listener);
        let model = js_model(model, &listener);
        promise(env, async move {
            let options = EngineOptions::from_value(options)?;
            let sink = Arc::new(JsSink(Arc::clone(&listener)));
            let backend = engine::open(options, sink, model).await?;
            Ok(Engine { backend, listener })
        })
    }

    /// Stores a creation; resolves with the job's id when it is durable. The specification is JSON text, since a
    /// cyclic or deeply nested object can only be refused where it is written.
    #[napi]
    pub fn create_plugin<'env>(
        &self,
        env: &'env Env,
        specification: String,
        options: Value,
        model: Option<ModelCallback>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.create(
            env,
            move || Ok(Wish::Specification(specification::value_of(&specification)?)),
            options,
            model,
        )
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
        self.create(env, move || Ok(Wish::Description(description)), options, model)
    }

    /// Sets the model of jobs that have none of their own, at once; resolves when those that waited for one are woken.
    #[napi]
    pub fn set_model<'env>(&self, env: &'env Env, model: Option<ModelCallback>) -> napi::Result<PromiseRaw<'env, ()>> {
        let model = js_model(model, &self.listener);
        let wake = model.is_some();
        self.backend.set_model(model);
        let backend = Arc::clone(&self.backend);
        promise(env, async move { if wake { backend.wake().await } else { Ok(()) } })
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

    /// The same for a Prometheus; `format` is `prometheus` or `openmetrics`, `near` is what only JavaScript knows.
    #[napi]
    pub fn metrics_text<'env>(
        &self,
        env: &'env Env,
        format: String,
        near: Option<Value>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move {
            backend
                .metrics_text(Format::parse(&format)?, Near::from_value(near)?)
                .await
        })
    }

    /// The spans of a trace or a job that are kept.
    #[napi]
    pub fn trace<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, Value>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move { backend.trace(&id).await })
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
        specification: Option<String>,
    ) -> napi::Result<PromiseRaw<'env, Value>> {
        let backend = Arc::clone(&self.backend);
        promise(env, async move {
            let specification = specification.as_deref().map(specification::value_of).transpose()?;
            let report = backend.verify(PathBuf::from(directory), specification).await?;
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
        wish: impl FnOnce() -> Result<Wish> + Send + 'static,
        options: Value,
        model: Option<ModelCallback>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let backend = Arc::clone(&self.backend);
        let model = js_model(model, &self.listener);
        promise(env, async move {
            let creation = creation_of(&wish()?, options)?;
            backend.create(creation, model).await
        })
    }
}

fn js_model(callback: Option<ModelCallback>, listener: &Arc<EngineListener>) -> Option<Arc<dyn Model>> {
    callback.map(|callback| Arc::new(JsModel::new(callback, Arc::clone(listener))) as Arc<dyn Model>)
}

fn creation_of(wish: &Wish, options: Value) -> Result<Creation> {
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
