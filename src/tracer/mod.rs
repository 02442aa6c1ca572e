//! Spans, W3C context, samplers, and exporters that work on a thread of their own.
//!
//! Every string that leaves passes the redactor first.

mod baggage;
mod batch;
mod batch_options;
mod context;
mod exporter;
mod file;
mod frame;
mod limits;
mod live;
mod otlp;
mod queue;
#[path = "tracer.rs"]
mod recorder;
mod redact;
mod sampler;
mod span;
mod spill;
mod spill_options;
mod value;
mod work;

pub use baggage::Baggage;
pub use batch::Batcher;
pub use batch_options::{BatchOptions, TracerMetrics};
pub use context::{SpanContext, SpanId, TraceId, TraceState};
pub use exporter::{ConsoleExporter, Export, Exporter, Resource};
pub use file::{FileExporter, stored_spans};
pub use frame::Frame;
pub use limits::Limits;
pub use live::Span;
pub use otlp::{Compression, OtlpExporter, OtlpOptions, Protocol};
pub use recorder::{Tracer, TracerOptions, resource};
pub use redact::Redact;
pub use sampler::{AlwaysSampler, ParentBasedSampler, ProbabilitySampler, RateLimitingSampler, Sampler};
pub use span::{Kind, Link, SpanEvent, SpanRecord, Status};
pub use spill_options::SpillOptions;
pub use value::Value;
