//! Where spans go.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::span::SpanRecord;
use super::value::Value;
use crate::error::Result;

/// Who sends the spans: attributes such as `service.name`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resource(pub Vec<(String, Value)>);

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    /// It was taken, but for `rejected` spans.
    Done { rejected: u64 },
    /// It may be sent again, after `after` where the receiver says so.
    Retry { after: Option<Duration>, why: String },
}

/// Sends spans; it runs on the batch's own thread and may block.
pub trait Exporter: Send + 'static {
    /// Sends a batch. An error is final: the batch is counted as failed.
    fn export(&mut self, resource: &Resource, spans: &[SpanRecord]) -> Result<Export>;
}

/// Writes a line for each span to a sink.
pub struct ConsoleExporter {
    sink: Box<dyn FnMut(&str) + Send>,
}

impl ConsoleExporter {
    /// Lines go to `sink`.
    pub fn new(sink: impl FnMut(&str) + Send + 'static) -> Self {
        Self { sink: Box::new(sink) }
    }
}

impl Exporter for ConsoleExporter {
    fn export(&mut self, _: &Resource, spans: &[SpanRecord]) -> Result<Export> {
        for span in spans {
            let ms = span.end_ns.saturating_sub(span.start_ns) as f64 / 1e6;
            let (trace, id) = (span.context.trace, span.context.span);
            (self.sink)(&format!(
                "{trace} {id} {} {ms:.3} ms {:?} {:?}",
                span.name, span.status, span.attributes
            ));
        }
        Ok(Export::Done { rejected: 0 })
    }
}
