//! The protobuf form of `opentelemetry.proto.collector.trace.v1`, by hand: the dozen messages that a
//! sender needs.

use crate::tracer::exporter::Resource;
use crate::tracer::span::{SpanRecord, Status};
use crate::tracer::value::Value;

/// An `ExportTraceServiceRequest`.
pub fn encode(resource: &Resource, spans: &[SpanRecord]) -> Vec<u8> {
    let mut w = Writer(Vec::with_capacity(256 + spans.len() * 256));
    w.message(1, |w| {
        w.message(1, |w| attributes(w, 1, &resource.0));
        w.message(2, |w| {
            w.message(1, |w| {
                w.text(1, "auton8n");
                w.text(2, env!("CARGO_PKG_VERSION"));
            });
            for record in spans {
                w.message(2, |w| span(w, record));
            }
        });
    });
    w.0
}

fn span(w: &mut Writer, span: &SpanRecord) {
    w.bytes(1, &span.context.trace.0);
    w.bytes(2, &span.context.span.0);
    w.text(3, &span.context.state.header());
    if let Some(parent) = &span.parent {
        w.bytes(4, &parent.0);
    }
    w.text(5, &span.name);
    w.varint(6, span.kind.wire());
    w.fixed64(7, span.start_ns);
    w.fixed64(8, span.end_ns);
    attributes(w, 9, &span.attributes);
    w.varint(10, span.dropped_attributes.into());
    for event in &span.events {
        w.message(11, |w| {
            w.fixed64(1, event.at_ns);
            w.text(2, &event.name);
            attributes(w, 3, &event.attributes);
        });
    }
    w.varint(12, span.dropped_events.into());
    for link in &span.links {
        w.message(13, |w| {
            w.bytes(1, &link.context.trace.0);
            w.bytes(2, &link.context.span.0);
            w.text(3, &link.context.state.header());
            attributes(w, 4, &link.attributes);
            w.fixed32(6, link.context.flags.into());
        });
    }
    w.varint(14, span.dropped_links.into());
    match &span.status {
        Status::Unset => {}
        Status::Ok => w.message(15, |w| w.varint(3, 1)),
        Status::Error(message) => w.message(15, |w| {
            w.text(2, message);
            w.varint(3, 2);
        }),
    }
    w.fixed32(16, span.context.flags.into());
}

fn attributes(w: &mut Writer, field: u64, attributes: &[(String, Value)]) {
    for (key, content) in attributes {
        w.message(field, |w| {
            w.text(1, key);
            w.message(2, |w| value(w, content));
        });
    }
}

/// A member of a `oneof` is written even where it is the default, or it would be none.
fn value(w: &mut Writer, content: &Value) {
    match content {
        Value::Text(text) => w.bytes(1, text.as_bytes()),
        Value::Bool(flag) => w.varint_always(2, (*flag).into()),
        Value::Int(number) => w.varint_always(3, *number as u64),
        Value::Float(number) => {
            w.key(4, 1);
            w.0.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::List(values) => w.message(5, |w| {
            for content in values {
                w.message(1, |w| value(w, content));
            }
        }),
    }
}

/// How many spans the answer says were rejected: `partial_success.rejected_spans`.
pub fn rejected(answer: &[u8]) -> u64 {
    field(answer, 1, 2)
        .and_then(|(_, partial)| field(partial, 1, 0))
        .map_or(0, |(number, _)| number.cast_signed().max(0).cast_unsigned())
}

/// The last value of a field, as a number or as bytes.
fn field(mut message: &[u8], wanted: u64, wire: u64) -> Option<(u64, &[u8])> {
    let mut found = None;
    while !message.is_empty() {
        let key = read_varint(&mut message)?;
        let value: (u64, &[u8]) = match key & 7 {
            0 => (read_varint(&mut message)?, &[]),
            1 => (0, message.split_off(..8)?),
            2 => {
                let length = usize::try_from(read_varint(&mut message)?).ok()?;
                (0, message.split_off(..length)?)
            }
            5 => (0, message.split_off(..4)?),
            _ => return None,
        };
        if key >> 3 == wanted && key & 7 == wire {
            found = Some(value);
        }
    }
    found
}

fn read_varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *message.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

struct Writer(Vec<u8>);

impl Writer {
    fn raw_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.raw_varint(field << 3 | wire);
    }

    fn varint_always(&mut self, field: u64, number: u64) {
        self.key(field, 0);
        self.raw_varint(number);
    }

    fn varint(&mut self, field: u64, number: u64) {
        if number != 0 {
            self.varint_always(field, number);
        }
    }

    fn fixed32(&mut self, field: u64, number: u32) {
        self.key(field, 5);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn fixed64(&mut self, field: u64, number: u64) {
        self.key(field, 1);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, 2);
        self.raw_varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// The length stands before the body and is known after it: the body moves by its few bytes.
    fn message(&mut self, field: u64, body: impl FnOnce(&mut Self)) {
        self.key(field, 2);
        let start = self.0.len();
        body(self);
        let length = self.0.len() - start;
        self.raw_varint(length as u64);
        if let Some(whole) = self.0.get_mut(start..) {
            whole.rotate_left(length);
        }
    }
}
