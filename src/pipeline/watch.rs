//! What is told of a stage while it runs: a span, and a duration with its outcome.

use std::sync::Arc;

use super::metrics::Metrics;
use super::stage::Stage;
use crate::clock::SharedClock;
use crate::error::{Error, Result};
use crate::tracer::{Kind, Span, SpanContext, Tracer};

/// The numbers and spans of the pipeline.
#[derive(Clone)]
pub struct Telemetry {
    pub tracer: Tracer,
    pub metrics: Arc<Metrics>,
    pub clock: SharedClock,
}

impl Telemetry {
    /// Begins to watch a stage.
    pub fn stage(&self, stage: Stage, parent: Option<&SpanContext>) -> StageWatch {
        let mut span = self.tracer.start(stage.as_str(), Kind::Internal, parent);
        span.set("auton8n.stage", stage.as_str());
        StageWatch {
            telemetry: self.clone(),
            stage,
            started: self.clock.monotonic_ms(),
            span: Some(span),
            told: false,
        }
    }

    /// Watches a stage that is over at once.
    pub fn watch<T>(&self, stage: Stage, parent: Option<&SpanContext>, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let watch = self.stage(stage, parent);
        let result = work();
        watch.settle(result.as_ref().err());
        result
    }

    /// The trace id and the time of an exemplar, where the trace is kept.
    pub fn exemplar(&self, context: Option<&SpanContext>) -> Option<(String, i64)> {
        context
            .filter(|context| context.sampled())
            .map(|context| (context.trace_id(), self.clock.now_ms()))
    }

    /// Seconds since a monotonic time.
    pub fn seconds_since(&self, started: u64) -> f64 {
        self.clock.monotonic_ms().saturating_sub(started) as f64 / 1e3
    }
}

/// A stage under way; one that is dropped counts as stopped.
pub struct StageWatch {
    telemetry: Telemetry,
    stage: Stage,
    started: u64,
    span: Option<Span>,
    told: bool,
}

impl StageWatch {
    /// Who its span is.
    pub fn context(&self) -> Option<&SpanContext> {
        self.span.as_ref().and_then(Span::context)
    }

    /// Sets an attribute of its span.
    pub fn set(&mut self, key: &str, value: impl Into<crate::tracer::Value>) {
        if let Some(span) = &mut self.span {
            span.set(key, value);
        }
    }

    /// It ended with this outcome.
    pub fn end(mut self, outcome: &str) {
        self.set("auton8n.check.status", outcome);
        self.tell(outcome);
        if let Some(span) = self.span.take() {
            span.end();
        }
    }

    /// It passed, or failed with this error.
    pub fn settle(self, error: Option<&Error>) {
        match error {
            None => self.end("passed"),
            Some(error) => self.fail(error, "failed"),
        }
    }

    /// It ended with an error.
    pub fn fail(mut self, error: &Error, outcome: &str) {
        if let Some(span) = &mut self.span {
            span.fail(error);
        }
        self.end(outcome);
    }

    fn tell(&mut self, outcome: &str) {
        self.told = true;
        let seconds = self.telemetry.seconds_since(self.started);
        tracing::info!(stage = self.stage.as_str(), outcome, seconds, "a stage ended");
        let exemplar = self.telemetry.exemplar(self.context());
        let exemplar = exemplar.as_ref().map(|(id, at)| (id.as_str(), *at));
        self.telemetry
            .metrics
            .stages
            .observe(&[self.stage.as_str(), outcome], seconds, exemplar);
    }
}

impl Drop for StageWatch {
    fn drop(&mut self) {
        if !self.told {
            self.tell("stopped");
        }
    }
}
