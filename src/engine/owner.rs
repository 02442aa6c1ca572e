//! The engine of the process that owns the data directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backend::{Backend, Creation};
use super::creation::job_of;
use super::doctor;
use super::options::EngineOptions;
use super::rooms::{self, Rooms};
use super::served;
use crate::error::Result;
use crate::event::{Event, EventKind, EventSink};
use crate::generation::Model;
use crate::pipeline::{CreationReport, JOB_NAME, Models, QUEUE};
use crate::queue::{Job, JobFilter, Queue, Worker};
use crate::specification;

/// How long a closing engine waits for running jobs before it hands them back.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

const DEFAULT_CONCURRENCY: u32 = 2;

/// The owner's engine.
pub struct Owner {
    options: EngineOptions,
    rooms: Rooms,
    queue: Queue,
    worker: Worker,
    token: CancellationToken,
}

/// Passes events on, and forgets a job's model when the job is over.
struct Releasing {
    models: Arc<Models>,
    next: Arc<dyn EventSink>,
}

impl EventSink for Releasing {
    fn emit(&self, event: Event) {
        if matches!(event.kind, EventKind::Completed { .. } | EventKind::Failed { .. } | EventKind::Cancelled) {
            self.models.release_job(&event.job_id);
        }
        self.next.emit(event);
    }
}
