//! The export of spans, as JavaScript sees it: spans arrive many at a time and leave on a thread of
//! the engine's own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Float64Array, PromiseRaw, Utf16String};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::Value;

use super::error::{BorderError, promise};
use super::redactor::redactor;
use crate::error::{Code, Error, Result};
use crate::tracer::{BatchOptions, Batcher, Frame, OtlpExporter, OtlpOptions, SpillOptions, resource};

/// Nothing waits longer than this for a flush.
const LONGEST_MS: f64 = 600_000.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PipelineOptions {
    service_name: String,
    service_version: Option<String>,
    environment: Option<String>,
    #[serde(default)]
    batch: BatchOptions,
    otlp: OtlpOptions,
    spill: Option<Spilling>,
}

/// Where spans are kept until they are exported.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spilling {
    directory: PathBuf,
    max_bytes: Option<u64>,
}

/// Checks options of an OTLP exporter without making one.
#[napi(catch_unwind)]
pub fn check_otlp_options(options: Value) -> Result<(), BorderError> {
    OtlpExporter::new(parse(options, "OTLP exporter")?)?;
    Ok(())
}

/// What became of the spans.
#[napi(object, object_from_js = false)]
pub struct PipelineMetrics {
    pub exported: i64,
    pub dropped: i64,
    pub failed: i64,
    pub last_error: Option<String>,
    pub unkept: Option<i64>,
}

/// A queue of spans and the thread that sends them to an OTLP receiver.
#[napi]
pub struct SpanPipeline {
    batch: Arc<Batcher>,
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl SpanPipeline {
    #[napi(constructor, catch_unwind)]
    pub fn new(options: Value) -> Result<Self, BorderError> {
        let options: PipelineOptions = parse(options, "Tracer")?;
        let resource = resource(&options.service_name, options.service_version, options.environment)?;
        let exporter = Box::new(OtlpExporter::new(options.otlp)?);
        let spill = options.spill.map(|given| {
            let mut spill = SpillOptions::new(given.directory);
            spill.max_bytes = given.max_bytes.unwrap_or(spill.max_bytes);
            spill
        });
        let batch = Arc::new(Batcher::new(exporter, resource, options.batch, redactor(), spill)?);
        Ok(Self { batch })
    }

    /// Takes `spans` spans: the first `count` numbers and all of the text.
    #[napi(catch_unwind)]
    pub fn push(&self, spans: u32, numbers: Float64Array, count: u32, text: Utf16String) {
        let numbers = numbers.get(..count as usize).unwrap_or_default().to_vec();
        self.batch.push_frame(Frame {
            spans: spans as usize,
            numbers,
            text: text.to_vec(),
        });
    }

    /// Waits until everything taken so far is exported or failed; false when the time is up.
    #[napi]
    pub fn flush<'env>(&self, env: &'env Env, timeout: f64) -> napi::Result<PromiseRaw<'env, bool>> {
        let batch = Arc::clone(&self.batch);
        promise(env, blocking(move || batch.flush(milliseconds(timeout))))
    }

    /// The same, blocking the thread: only for the end of the process.
    #[napi(catch_unwind)]
    pub fn flush_blocking(&self, timeout: f64) -> bool {
        self.batch.flush(milliseconds(timeout))
    }

    /// Flushes and ends the thread; false when the time was up.
    #[napi]
    pub fn shutdown<'env>(&self, env: &'env Env, timeout: f64) -> napi::Result<PromiseRaw<'env, bool>> {
        let batch = Arc::clone(&self.batch);
        promise(env, blocking(move || batch.shutdown(milliseconds(timeout))))
    }

    #[napi(catch_unwind)]
    pub fn metrics(&self) -> PipelineMetrics {
        let metrics = self.batch.metrics();
        PipelineMetrics {
            exported: metrics.exported as i64,
            dropped: metrics.dropped as i64,
            failed: metrics.failed as i64,
            last_error: metrics.last_error,
            unkept: metrics.unkept.map(|count| count as i64),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(Code::Internal, "Waiting for spans was interrupted").because(error))
}

fn milliseconds(timeout: f64) -> Duration {
    Duration::from_millis(timeout.clamp(0.0, LONGEST_MS) as u64)
}

fn parse<T: serde::de::DeserializeOwned>(options: Value, what: &str) -> Result<T> {
    serde_json::from_value(options).map_err(|error| Error::new(Code::OptionInvalid, format!("{what} options: {error}")))
}
