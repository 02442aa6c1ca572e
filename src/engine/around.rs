//! What stands between the queue and the rooms: the log around each job, and what follows from its end.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use super::commits::Commits;
use super::far_logs::FarLogs;
use crate::event::{Event, EventKind, EventSink, LogLine};
use crate::pipeline::{Metrics, Models, Pipeline};
use crate::queue::{Attempt, AttemptError, Handler};

/// Runs jobs with the engine's log around them.
pub struct Logged {
    pub pipeline: Arc<Pipeline>,
    pub dispatch: Dispatch,
    pub commits: Arc<Commits>,
}

#[async_trait]
impl Handler for Logged {
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        let job = attempt.job.clone();
        let outcome = self.pipeline.run(attempt).with_subscriber(self.dispatch.clone()).await;
        self.commits.ending(job);
        outcome
    }
}

/// Passes events on, and forgets a job's model when the job is over.
pub struct Releasing {
    pub models: Arc<Models>,
    pub metrics: Arc<Metrics>,
    pub commits: Arc<Commits>,
    pub next: Arc<dyn EventSink>,
}

impl EventSink for Releasing {
    fn emit(&self, event: Event) {
        self.commits.heard(&event.job_id, &event.kind);
        if event.kind.is_final() {
            self.models.release_job(&event.job_id);
            self.count(&event.kind);
        }
        self.next.emit(event);
    }

    fn log(&self, lines: Vec<LogLine>) {
        self.next.log(lines);
    }
}

/// Tells lines of the log to the processes whose jobs they are about, too.
pub struct Telling {
    pub far: Arc<FarLogs>,
    pub next: Arc<dyn EventSink>,
}

impl EventSink for Telling {
    fn emit(&self, event: Event) {
        self.next.emit(event);
    }

    fn log(&self, lines: Vec<LogLine>) {
        self.far.send(&lines);
        self.next.log(lines);
    }
}

impl Releasing {
    fn count(&self, kind: &EventKind) {
        let ended = match kind {
            EventKind::Completed { .. } => ["completed", ""],
            EventKind::Failed { code, .. } => ["failed", code.as_str()],
            _ => ["cancelled", ""],
        };
        self.metrics.jobs.add(&ended, 1);
    }
}
