//! Spans of the commits that a job's life hangs on: that it was added, and that its attempt ended.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::clock::SharedClock;
use crate::event::EventKind;
use crate::pipeline::span_of;
use crate::queue::Job;
use crate::tracer::{Kind, Span, Tracer};

/// Attempts whose end is on its way into the store.
pub struct Commits {
    tracer: Tracer,
    clock: SharedClock,
    ending: Mutex<HashMap<String, (Job, u64)>>,
    system: &'static str,
}

impl Commits {
    /// `store` is the option that names the store.
    pub fn new(tracer: Tracer, clock: SharedClock, store: Option<&str>) -> Self {
        // By the names of OpenTelemetry's conventions for databases.
        let system = match store.and_then(|store| store.split(':').next()) {
            Some("postgres" | "postgresql") => "postgresql",
            Some("redis" | "rediss") => "redis",
            _ => "sqlite",
        };
        Self {
            tracer,
            clock,
            ending: Mutex::default(),
            system,
        }
    }

    /// The time, for what begins now.
    pub fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    /// The job was stored; that began then.
    pub fn added(&self, job: &Job, began_ns: u64) {
        self.span("store add", "add", job, began_ns).end();
    }

    /// The attempt is over: its end goes into the store now.
    pub fn ending(&self, mut job: Job) {
        // Only what names its trace is needed.
        job.data = crate::store::JobData::default();
        job.checkpoint = serde_json::Value::Null;
        let now = self.now_ns();
        self.ending.lock().insert(job.id.clone(), (job, now));
    }

    /// What is told of a job was committed before.
    pub fn heard(&self, job_id: &str, kind: &EventKind) {
        let outcome = match kind {
            EventKind::Completed { .. } => "completed",
            EventKind::Failed { .. } => "failed",
            EventKind::Retrying { .. } => "retrying",
            EventKind::Cancelled => "cancelled",
            EventKind::Stalled => "stalled",
            _ => return,
        };
        let ending = self.ending.lock().remove(job_id);
        if let Some((job, began)) = ending {
            let mut span = self.span("store finish", "finish", &job, began);
            span.set("auton8n.job.attempt", i64::from(job.attempts));
            span.set("auton8n.job.outcome", outcome);
            span.end();
        }
    }

    fn span(&self, name: &str, operation: &str, job: &Job, began_ns: u64) -> Span {
        let mut span = span_of(&self.tracer, job, name, Kind::Client);
        span.began(began_ns);
        span.set("db.system.name", self.system);
        span.set("db.operation.name", operation);
        span.set("auton8n.job.id", job.id.as_str());
        span
    }
}
