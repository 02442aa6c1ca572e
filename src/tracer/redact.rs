//! Takes secrets out of everything that leaves.

use std::sync::Arc;

use super::span::{SpanRecord, Status};
use super::value::Value;

/// Takes secrets out of a text.
pub type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Passes every text of the span through the redactor.
pub fn redact(span: &mut SpanRecord, by: &Redact) {
    text(&mut span.name, by);
    attributes(&mut span.attributes, by);
    for event in &mut span.events {
        text(&mut event.name, by);
        attributes(&mut event.attributes, by);
    }
    for link in &mut span.links {
        attributes(&mut link.attributes, by);
    }
    if let Status::Error(message) = &mut span.status {
        text(message, by);
    }
}

fn text(text: &mut String, by: &Redact) {
    *text = by(text);
}

fn attributes(attributes: &mut [(String, Value)], by: &Redact) {
    for (key, content) in attributes {
        text(key, by);
        value(content, by);
    }
}

fn value(content: &mut Value, by: &Redact) {
    match content {
        Value::Text(content) => text(content, by),
        Value::List(values) => values.iter_mut().for_each(|content| value(content, by)),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
}
