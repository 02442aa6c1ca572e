//! The JSON form of OTLP: ids in hexadecimal, 64-bit numbers as text.

use std::fmt::Write;

use crate::tracer::exporter::Resource;
use crate::tracer::span::{SpanRecord, Status};
use crate::tracer::value::Value;

/// An `ExportTraceServiceRequest`.
pub fn encode(resource: &Resource, spans: &[SpanRecord]) -> Vec<u8> {
    let mut w = Writer(String::with_capacity(256 + spans.len() * 512));
    w.raw("{\"resourceSpans\":[{\"resource\":{");
    w.attributes(&resource.0);
    w.raw("},\"scopeSpans\":[{\"scope\":{\"name\":\"auton8n\",\"version\":");
    w.text(env!("CARGO_PKG_VERSION"));
    w.raw("},\"spans\":");
    w.list(spans, Writer::span);
    w.raw("}]}]}");
    w.0.into_bytes()
}

/// How many spans the answer says were rejected.
pub fn rejected(answer: &[u8]) -> u64 {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    rejected
        .as_u64()
        .or_else(|| rejected.as_str()?.parse().ok())
        .unwrap_or(0)
}

struct Writer(String);

impl Writer {
    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Writing to a string cannot fail, so the result says nothing.
    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        let _ = self.0.write_fmt(what);
    }

    fn text(&mut self, text: &str) {
        self.raw(&serde_json::Value::from(text).to_string());
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            each(self, item);
        }
        self.raw("]");
    }

    fn attributes(&mut self, attributes: &[(String, Value)]) {
        self.raw("\"attributes\":");
        self.list(attributes, |w, (key, value)| {
            w.raw("{\"key\":");
            w.text(key);
            w.raw(",\"value\":");
            w.value(value);
            w.raw("}");
        });
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => {
                self.raw("{\"stringValue\":");
                self.text(text);
                self.raw("}");
            }
            Value::Bool(flag) => self.put(format_args!("{{\"boolValue\":{flag}}}")),
            Value::Int(number) => self.put(format_args!("{{\"intValue\":\"{number}\"}}")),
            Value::Float(number) if number.is_finite() => {
                self.put(format_args!("{{\"doubleValue\":{number:?}}}"));
            }
            Value::Float(number) if number.is_nan() => self.raw("{\"doubleValue\":\"NaN\"}"),
            Value::Float(number) => {
                let sign = if *number < 0.0 { "-" } else { "" };
                self.put(format_args!("{{\"doubleValue\":\"{sign}Infinity\"}}"));
            }
            Value::List(values) => {
                self.raw("{\"arrayValue\":{\"values\":");
                self.list(values, Writer::value);
                self.raw("}}");
            }
        }
    }

    fn span(&mut self, span: &SpanRecord) {
        let context = &span.context;
        self.put(format_args!(
            "{{\"traceId\":\"{}\",\"spanId\":\"{}\"",
            context.trace, context.span
        ));
        if !context.state.is_empty() {
            self.raw(",\"traceState\":");
            self.text(&context.state.header());
        }
        if let Some(parent) = &span.parent {
            self.put(format_args!(",\"parentSpanId\":\"{parent}\""));
        }
        self.raw(",\"name\":");
        self.text(&span.name);
        self.put(format_args!(
            ",\"kind\":{},\"flags\":{},\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\",",
            span.kind.wire(),
            context.flags,
            span.start_ns,
            span.end_ns
        ));
        self.attributes(&span.attributes);
        self.put(format_args!(
            ",\"droppedAttributesCount\":{},\"events\":",
            span.dropped_attributes
        ));
        self.list(&span.events, |w, event| {
            w.put(format_args!("{{\"timeUnixNano\":\"{}\",\"name\":", event.at_ns));
            w.text(&event.name);
            w.raw(",");
            w.attributes(&event.attributes);
            w.raw("}");
        });
        self.put(format_args!(
            ",\"droppedEventsCount\":{},\"links\":",
            span.dropped_events
        ));
        self.list(&span.links, |w, link| {
            w.put(format_args!(
                "{{\"traceId\":\"{}\",\"spanId\":\"{}\",",
                link.context.trace, link.context.span
            ));
            w.put(format_args!("\"flags\":{},\"traceState\":", link.context.flags));
            w.text(&link.context.state.header());
            w.raw(",");
            w.attributes(&link.attributes);
            w.raw("}");
        });
        self.put(format_args!(
            ",\"droppedLinksCount\":{},\"status\":",
            span.dropped_links
        ));
        match &span.status {
            Status::Unset => self.raw("{}"),
            Status::Ok => self.raw("{\"code\":1}"),
            Status::Error(message) => {
                self.raw("{\"code\":2,\"message\":");
                self.text(message);
                self.raw("}");
            }
        }
        self.raw("}");
    }
}
