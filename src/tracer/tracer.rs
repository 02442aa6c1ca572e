//! Starts spans and hands the ended ones to the batch.

use std::sync::Arc;
use std::time::Duration;

use super::batch::Batcher;
use super::batch_options::{BatchOptions, TracerMetrics};
use super::context::{SpanContext, SpanId, TraceId, TraceState};
use super::exporter::{Exporter, Resource};
use super::limits::Limits;
use super::live::Span;
use super::redact::Redact;
use super::sampler::{AlwaysSampler, ParentBasedSampler, Sampler};
use super::span::{Kind, SpanRecord, Status};
use super::spill_options::SpillOptions;
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};

/// What a tracer needs.
pub struct TracerOptions {
    pub service_name: String,
    pub service_version: Option<String>,
    pub environment: Option<String>,
    pub exporter: Box<dyn Exporter>,
    pub sampler: Arc<dyn Sampler>,
    pub batch: BatchOptions,
    pub limits: Limits,
    pub redact: Option<Redact>,
    /// Where spans are kept until they are exported. Default: nowhere.
    pub spill: Option<SpillOptions>,
}

impl TracerOptions {
    /// Every trace, whole, with the usual limits.
    pub fn new(service_name: impl Into<String>, exporter: Box<dyn Exporter>) -> Self {
        Self {
            service_name: service_name.into(),
            service_version: None,
            environment: None,
            exporter,
            sampler: Arc::new(ParentBasedSampler::new(Arc::new(AlwaysSampler))),
            batch: BatchOptions::default(),
            limits: Limits::default(),
            redact: None,
            spill: None,
        }
    }
}

/// Starts spans. Clones are the same tracer.
#[derive(Clone)]
pub struct Tracer(Option<Arc<Shared>>);

pub(super) struct Shared {
    batch: Batcher,
    sampler: Arc<dyn Sampler>,
    pub(super) clock: SharedClock,
    pub(super) limits: Limits,
}

impl Tracer {
    /// A tracer; options out of range are `OPTION_INVALID`.
    pub fn new(options: TracerOptions, clock: SharedClock) -> Result<Self> {
        let resource = resource(&options.service_name, options.service_version, options.environment)?;
        let batch = Batcher::new(options.exporter, resource, options.batch, options.redact, options.spill)?;
        Ok(Self(Some(Arc::new(Shared {
            batch,
            sampler: options.sampler,
            clock,
            limits: options.limits,
        }))))
    }

    /// A tracer whose spans do nothing and cost nothing.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// Starts a span under `parent`, or a new trace.
    pub fn start(&self, name: &str, kind: Kind, parent: Option<&SpanContext>) -> Span {
        self.start_in(None, name, kind, parent)
    }

    /// Starts a span under `parent`, or without a parent in the trace of that id.
    pub fn start_in(&self, trace: Option<TraceId>, name: &str, kind: Kind, parent: Option<&SpanContext>) -> Span {
        let Some(shared) = &self.0 else {
            return Span::NONE;
        };
        let trace = parent
            .map(|parent| parent.trace)
            .or(trace)
            .unwrap_or_else(TraceId::random);
        let sampled = shared.sampler.sample(trace, parent, shared.clock.monotonic_ms());
        let state = parent.map_or_else(TraceState::default, |parent| parent.state.clone());
        let flags = parent.map_or(0, |parent| parent.flags & 2) | u8::from(sampled);
        let start_ns = if sampled { shared.clock.now_ns() } else { 0 };
        shared.batch.count(1, 0);
        let record = SpanRecord {
            context: SpanContext {
                trace,
                span: SpanId::random(),
                flags,
                state,
            },
            parent: parent.map(|parent| parent.span),
            name: if sampled {
                shared.limits.cut(name.to_owned())
            } else {
                String::new()
            },
            kind,
            start_ns,
            end_ns: start_ns,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            status: Status::Unset,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        };
        Span::new(Arc::clone(shared), record, sampled)
    }

    /// Waits until everything that has ended is exported or failed; false when the time is up. It
    /// blocks its thread.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.batch.flush(timeout))
    }

    /// Flushes and ends the thread; spans that end later are dropped and counted. It blocks its thread.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.batch.shutdown(timeout))
    }

    /// What became of the spans so far.
    pub fn metrics(&self) -> TracerMetrics {
        self.0.as_ref().map(|shared| shared.batch.metrics()).unwrap_or_default()
    }
}

impl Shared {
    pub(super) fn ended(&self, record: SpanRecord, sampled: bool) {
        self.batch.count(0, 1);
        if sampled {
            self.batch.push(record);
        }
    }
}

/// The attributes of the sender.
pub fn resource(name: &str, version: Option<String>, environment: Option<String>) -> Result<Resource> {
    if name.is_empty() {
        return Err(Error::new(
            Code::OptionInvalid,
            "Tracer option serviceName must not be empty",
        ));
    }
    let mut attributes = vec![("service.name".to_owned(), name.into())];
    attributes.extend(version.map(|version| ("service.version".to_owned(), version.into())));
    attributes.extend(environment.map(|name| ("deployment.environment.name".to_owned(), name.into())));
    attributes.push(("telemetry.sdk.name".to_owned(), "auton8n".into()));
    attributes.push(("telemetry.sdk.language".to_owned(), "nodejs".into()));
    attributes.push(("telemetry.sdk.version".to_owned(), env!("CARGO_PKG_VERSION").into()));
    Ok(Resource(attributes))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
