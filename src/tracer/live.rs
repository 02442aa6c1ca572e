//! A span that has not ended.

use std::sync::Arc;

use super::context::SpanContext;
use super::recorder::Shared;
use super::span::{Link, SpanEvent, SpanRecord, Status};
use super::value::Value;
use crate::error::Error;

/// A span under way; it ends at the latest when it is dropped. One of a disabled tracer does nothing.
#[must_use = "a span that is dropped at once has no duration"]
pub struct Span(Option<Box<Live>>);

struct Live {
    tracer: Arc<Shared>,
    record: SpanRecord,
    sampled: bool,
}

impl Span {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn new(tracer: Arc<Shared>, record: SpanRecord, sampled: bool) -> Self {
        Self(Some(Box::new(Live {
            tracer,
            record,
            sampled,
        })))
    }

    fn recording(&mut self) -> Option<&mut Live> {
        self.0.as_deref_mut().filter(|live| live.sampled)
    }

    /// Who it is: parent of other spans. `None` where tracing is off.
    pub fn context(&self) -> Option<&SpanContext> {
        self.0.as_ref().map(|live| &live.record.context)
    }

    /// Sets an attribute.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        if let Some(live) = self.recording()
            && !live.tracer.limits.set(&mut live.record.attributes, key, value.into())
        {
            live.record.dropped_attributes += 1;
        }
    }

    /// It began before it was known whose it is.
    pub fn began(&mut self, at_ns: u64) {
        if let Some(live) = self.recording() {
            live.record.start_ns = at_ns.min(live.record.start_ns);
        }
    }

    /// Gives it another name, known only now.
    pub fn rename(&mut self, name: &str) {
        if let Some(live) = self.recording() {
            live.record.name = live.tracer.limits.cut(name.to_owned());
        }
    }

    /// Adds something that happened now.
    pub fn event(&mut self, name: &str, attributes: &[(&str, Value)]) {
        let Some(live) = self.recording() else { return };
        let limits = live.tracer.limits;
        if live.record.events.len() >= limits.events {
            live.record.dropped_events += 1;
            return;
        }
        let mut kept = Vec::with_capacity(attributes.len().min(limits.attributes));
        for (key, value) in attributes {
            limits.set(&mut kept, key, value.clone());
        }
        let at_ns = live.tracer.clock.now_ns();
        live.record.events.push(SpanEvent {
            name: limits.cut(name.to_owned()),
            at_ns,
            attributes: kept,
        });
    }

    /// Adds another span that belongs to it.
    pub fn link(&mut self, context: &SpanContext) {
        let Some(live) = self.recording() else { return };
        if live.record.links.len() >= live.tracer.limits.links {
            live.record.dropped_links += 1;
        } else {
            live.record.links.push(Link {
                context: context.clone(),
                attributes: Vec::new(),
            });
        }
    }

    /// Says that it went well.
    pub fn ok(&mut self) {
        if let Some(live) = self.recording() {
            live.record.status = Status::Ok;
        }
    }

    /// Says that it failed, with the error as an event.
    pub fn fail(&mut self, error: &Error) {
        let code = error.code().as_str();
        self.event(
            "exception",
            &[
                ("exception.type", code.into()),
                ("exception.message", error.message().into()),
            ],
        );
        self.set("error.type", code);
        if let Some(live) = self.recording() {
            live.record.status = Status::Error(live.tracer.limits.cut(error.message().to_owned()));
        }
    }

    /// Ends it now.
    pub fn end(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        if let Some(mut live) = self.0.take() {
            live.record.end_ns = live.tracer.clock.now_ns().max(live.record.start_ns);
            live.tracer.ended(live.record, live.sampled);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.finish();
    }
}
