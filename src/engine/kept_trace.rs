//! The spans of a trace that lie in the data directory.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::rooms::traces_dir;
use crate::error::{Code, Error, Result};
use crate::pipeline::trace_of;
use crate::queue::{Queue, QueueApi};
use crate::tracer::{TraceId, Tracer, stored_spans};

/// How long spans that were not written yet are waited for.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// Those of the trace, or of the job, of that id.
pub async fn read(queue: &Queue, tracer: Tracer, data_dir: &Path, id: &str) -> Result<Value> {
    let trace = match TraceId::parse(id) {
        Some(trace) => trace,
        None => queue.get(id).await?.as_ref().and_then(trace_of).ok_or_else(|| {
            Error::new(
                Code::JobNotFound,
                format!("there is no job and no trace '{id}'; `auton8n jobs` lists the jobs"),
            )
        })?,
    };
    let directory = traces_dir(data_dir);
    let read = tokio::task::spawn_blocking(move || {
        tracer.flush(FLUSH_DEADLINE);
        stored_spans(&directory, trace)
    });
    let spans = read
        .await
        .map_err(|error| Error::new(Code::Internal, "the trace was not read").because(error))??;
    Ok(json!({ "traceId": trace.to_string(), "spans": spans }))
}
