//! What running jobs tell: gathered, stored in one command, told after its commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;

use super::Reporter;
use super::core::Core;
use super::outcome::cut;
use crate::clock::SharedClock;
use crate::error::Result;
use crate::event::EventKind;
use crate::store::{JobStore, Lease, Report};

const LINES: usize = 200;
const LINE: usize = 2_048;
const EVENTS: usize = 1_000;

/// Reports that are not stored yet.
#[derive(Default)]
pub struct Reports {
    waiting: Mutex<HashMap<Lease, Pending>>,
    /// Told when there is something.
    pub filled: Notify,
    /// Held from taking the reports to telling their events, so that none overtakes another.
    flushing: tokio::sync::Mutex<()>,
}

struct Pending {
    core: Arc<Core>,
    name: String,
    report: Report,
    events: Vec<(i64, EventKind)>,
}

impl Reports {
    fn tell(&self, reporter: &JobReporter, event: Option<EventKind>, change: impl FnOnce(&mut Report)) {
        let mut waiting = self.waiting.lock();
        let pending = waiting.entry(reporter.lease.clone()).or_insert_with(|| Pending {
            core: reporter.core.clone(),
            name: reporter.name.clone(),
            report: Report {
                lease: reporter.lease.clone(),
                progress: None,
                stage: None,
                iteration: None,
                checkpoint: None,
                lines: Vec::new(),
            },
            events: Vec::new(),
        });
        change(&mut pending.report);
        if let Some(event) = event
            && pending.events.len() < EVENTS
        {
            pending.events.push((reporter.clock.now_ms(), event));
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Stores what waits, then tells it.
    pub async fn flush(&self, store: &dyn JobStore) -> Result<()> {
        let _order = self.flushing.lock().await;
        let taken = std::mem::take(&mut *self.waiting.lock());
        if taken.is_empty() {
            return Ok(());
        }
        let (reports, events): (Vec<_>, Vec<_>) = taken
            .into_values()
            .map(|pending| {
                let id = pending.report.lease.id.clone();
                (pending.report, (pending.core, id, pending.name, pending.events))
            })
            .unzip();
        store.report(reports).await?;
        for (core, id, name, events) in events {
            for (at, kind) in events {
                core.emit(&id, &name, at, kind);
            }
        }
        Ok(())
    }
}

/// The reporter of one attempt.
pub struct JobReporter {
    pub reports: Arc<Reports>,
    pub core: Arc<Core>,
    pub clock: SharedClock,
    pub lease: Lease,
    pub name: String,
    /// Something was told.
    pub used: AtomicBool,
    /// The attempt ended: later words of it are dropped.
    pub over: AtomicBool,
}

impl JobReporter {
    fn tell(&self, event: Option<EventKind>, change: impl FnOnce(&mut Report)) {
        if !self.over.load(Ordering::Acquire) {
            self.used.store(true, Ordering::Release);
            self.reports.tell(self, event, change);
        }
    }
}

impl Reporter for JobReporter {
    fn progress(&self, progress: f64, stage: Option<&str>, iteration: Option<u32>) {
        let progress = if progress.is_finite() {
            progress.clamp(0.0, 100.0)
        } else {
            0.0
        };
        let stage = stage.map(|stage| cut(stage.to_owned(), LINE));
        let event = EventKind::Progress {
            progress,
            stage: stage.clone(),
            iteration,
            message: None,
        };
        self.tell(Some(event), |report| {
            report.progress = Some(progress);
            if stage.is_some() {
                report.stage = stage;
            }
            report.iteration = iteration.or(report.iteration);
        });
    }

    fn log(&self, line: &str) {
        let line = cut(line.to_owned(), LINE);
        self.tell(Some(EventKind::Log { line: line.clone() }), |report| {
            if report.lines.len() >= LINES {
                report.lines.remove(0);
            }
            report.lines.push(line);
        });
    }

    fn checkpoint(&self, state: Value) {
        self.tell(None, |report| report.checkpoint = Some(state));
    }
}
