//! Turns what the rooms say through `tracing` into lines, each with the job, trace and stage that it is about.
//!
//! It is set for the engine's own futures, never for the process, whose subscriber is the host's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::logs::Logs;
use crate::event::LogLine;

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// What a span adds to the lines within it.
struct Known {
    fields: Map<String, Value>,
    holders: usize,
}

/// Writes lines into a log.
pub struct LogSubscriber {
    logs: Arc<Logs>,
    next: AtomicU64,
    spans: Mutex<HashMap<u64, Known>>,
}

impl LogSubscriber {
    /// Lines go into `logs`.
    pub fn new(logs: Arc<Logs>) -> Self {
        Self {
            logs,
            next: AtomicU64::new(1),
            spans: Mutex::default(),
        }
    }

    fn context(&self, parent: Option<&Id>) -> Map<String, Value> {
        let id = parent
            .map(Id::into_u64)
            .or_else(|| ENTERED.with_borrow(|entered| entered.last().copied()));
        let spans = self.spans.lock();
        id.and_then(|id| spans.get(&id))
            .map(|known| known.fields.clone())
            .unwrap_or_default()
    }
}

impl Subscriber for LogSubscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("auton8n")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut fields = if span.is_root() {
            Map::new()
        } else {
            self.context(span.parent())
        };
        span.record(&mut Fields(&mut fields));
        self.spans.lock().insert(id, Known { fields, holders: 1 });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if let Some(known) = self.spans.lock().get_mut(&span.into_u64()) {
            values.record(&mut Fields(&mut known.fields));
        }
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = if event.is_root() {
            Map::new()
        } else {
            self.context(event.parent())
        };
        event.record(&mut Fields(&mut fields));
        let mut text = |name: &str| match fields.shift_remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (job_id, trace_id, stage) = (text("job_id"), text("trace_id"), text("stage"));
        let message = text("message").unwrap_or_default();
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        self.logs.push(LogLine {
            level,
            message,
            at: 0,
            job_id,
            trace_id,
            stage,
            fields,
        });
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(at) = entered.iter().rposition(|id| *id == span.into_u64()) {
                entered.remove(at);
            }
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(known) = self.spans.lock().get_mut(&id.into_u64()) {
            known.holders += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut spans = self.spans.lock();
        let Some(known) = spans.get_mut(&id.into_u64()) else {
            return true;
        };
        known.holders -= 1;
        let over = known.holders == 0;
        if over {
            spans.remove(&id.into_u64());
        }
        over
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}
