//! One job is one trace: under the caller's span where one was active, else under the job's own id.

use uuid::Uuid;

use crate::queue::Job;
use crate::tracer::{Kind, Span, SpanContext, TraceId, Tracer};

/// Where a job's metadata carries the caller's context.
pub const TRACEPARENT: &str = "traceparent";

/// Where it carries the run of the agent that asked for it.
const RUN_ID: &str = "runId";

/// The trace of a job: the caller's, or the job's id, so that all of its attempts are one trace.
pub fn trace_of(job: &Job) -> Option<TraceId> {
    parent_of(job)
        .map(|parent| parent.trace)
        .or_else(|| Uuid::parse_str(&job.id).ok().map(|id| TraceId(id.into_bytes())))
}

fn parent_of(job: &Job) -> Option<SpanContext> {
    let metadata = job.options.metadata.as_ref()?;
    SpanContext::parse(metadata[TRACEPARENT].as_str()?, metadata["tracestate"].as_str())
}

/// Begins a span in the trace of a job, below its caller's where it has one.
pub fn span_of(tracer: &Tracer, job: &Job, name: &str, kind: Kind) -> Span {
    tracer.start_in(trace_of(job), name, kind, parent_of(job).as_ref())
}

/// Begins the span of an attempt.
pub fn begin(tracer: &Tracer, job: &Job) -> Span {
    let mut span = span_of(tracer, job, "create plugin", Kind::Consumer);
    span.set("auton8n.job.id", job.id.as_str());
    span.set("auton8n.job.attempt", i64::from(job.attempts));
    if let Some(run) = job
        .options
        .metadata
        .as_ref()
        .and_then(|metadata| metadata[RUN_ID].as_str())
    {
        span.set("elizaos.run.id", run);
    }
    span
}
