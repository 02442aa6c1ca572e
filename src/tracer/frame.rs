//! Many spans in one array of numbers and one text, as they cross the border.
//!
//! The text holds all strings one after the other; the numbers hold their lengths in UTF-16 units and
//! everything else, in the order in which [`Reader::span`] reads them. A name stands in the text at its first
//! use only; the next ones say its place. Ids are numbers of 32 bits.

use super::context::{SpanContext, SpanId, TraceId, TraceState};
use super::span::{Kind, Link, SpanEvent, SpanRecord, Status};
use super::value::Value;

/// Bits of a span's first number, above its kind and below its flags.
const HAS_PARENT: u32 = 8;
const HAS_STATE: u32 = 16;
const HAS_REST: u32 = 32;

/// Names that a frame keeps; further ones stand in the text each time.
const MOST_NAMES: usize = 1_024;

/// A list within a list within a list is as deep as it goes.
const DEEPEST: usize = 3;

/// Spans that are not read yet.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub spans: usize,
    pub numbers: Vec<f64>,
    pub text: Vec<u16>,
}

impl Frame {
    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.numbers.len() * 8 + self.text.len() * 2
    }

    /// The spans up to the first one that cannot be read.
    pub fn read(&self) -> Vec<SpanRecord> {
        let mut reader = Reader {
            numbers: self.numbers.iter(),
            text: &self.text,
            names: Vec::new(),
        };
        let mut spans = Vec::with_capacity(self.spans.min(4_096));
        while spans.len() < self.spans {
            let Some(span) = reader.span() else { break };
            spans.push(span);
        }
        spans
    }
}

struct Reader<'a> {
    numbers: std::slice::Iter<'a, f64>,
    text: &'a [u16],
    names: Vec<String>,
}

impl Reader<'_> {
    fn number(&mut self) -> Option<f64> {
        self.numbers.next().copied()
    }

    fn count(&mut self) -> Option<usize> {
        self.number().map(|number| number as usize)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.count()?;
        self.units(length)
    }

    fn units(&mut self, length: usize) -> Option<String> {
        let (text, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        Some(String::from_utf16_lossy(text))
    }

    fn nanoseconds(&mut self) -> Option<u64> {
        self.number().map(|ms| (ms * 1e6) as u64)
    }

    fn bits(&mut self) -> Option<u32> {
        self.number().map(|bits| (bits as i32).cast_unsigned())
    }

    fn span_id(&mut self) -> Option<SpanId> {
        let id = u64::from(self.bits()?) << 32 | u64::from(self.bits()?);
        (id != 0).then_some(SpanId(id.to_be_bytes()))
    }

    fn trace_id(&mut self) -> Option<TraceId> {
        let mut id = 0_u128;
        for _ in 0..4 {
            id = id << 32 | u128::from(self.bits()?);
        }
        (id != 0).then_some(TraceId(id.to_be_bytes()))
    }

    /// A name, and what the lowest three bits of its number say.
    fn name(&mut self) -> Option<(String, usize)> {
        let number = self.count()?;
        let (place, low) = (number >> 3, number & 7);
        if let Some(name) = self.names.get(place) {
            return Some((name.clone(), low));
        }
        let name = self.text()?;
        if place == self.names.len() && place < MOST_NAMES {
            self.names.push(name.clone());
        }
        Some((name, low))
    }

    fn value(&mut self, kind: usize, depth: usize) -> Option<Value> {
        Some(match kind {
            0 => Value::Text(self.text()?),
            1 => Value::Bool(self.number()? > 0.0),
            2 => Value::Int(self.number()? as i64),
            3 => Value::Float(self.number()?),
            4 if depth < DEEPEST => {
                let count = self.count()?;
                (0..count)
                    .map(|_| {
                        let (_, kind) = self.name()?;
                        self.value(kind, depth + 1)
                    })
                    .collect::<Option<Vec<_>>>()
                    .map(Value::List)?
            }
            _ => return None,
        })
    }

    fn attributes(&mut self) -> Option<Vec<(String, Value)>> {
        let count = self.count()?;
        let mut attributes = Vec::with_capacity(count.min(128));
        for _ in 0..count {
            let (name, kind) = self.name()?;
            attributes.push((name, self.value(kind, 0)?));
        }
        Some(attributes)
    }

    fn span(&mut self) -> Option<SpanRecord> {
        let head = self.number()? as u32;
        let (trace, span) = (self.trace_id()?, self.span_id()?);
        let parent = if head & HAS_PARENT == 0 {
            None
        } else {
            Some(self.span_id()?)
        };
        let (start_ns, end_ns) = (self.nanoseconds()?, self.nanoseconds()?);
        let (name, _) = self.name()?;
        let state = if head & HAS_STATE == 0 {
            TraceState::default()
        } else {
            TraceState::parse(&self.text()?)
        };
        let mut record = SpanRecord {
            context: SpanContext {
                trace,
                span,
                flags: (head >> 8) as u8,
                state,
            },
            parent,
            name,
            kind: Kind::from_number(head & 7)?,
            start_ns,
            end_ns,
            attributes: self.attributes()?,
            events: Vec::new(),
            links: Vec::new(),
            status: Status::Unset,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        };
        if head & HAS_REST != 0 {
            self.rest(&mut record)?;
        }
        Some(record)
    }

    /// What few spans have.
    fn rest(&mut self, span: &mut SpanRecord) -> Option<()> {
        span.status = match (self.count()?, self.text()?) {
            (1, _) => Status::Ok,
            (2, message) => Status::Error(message),
            _ => Status::Unset,
        };
        for _ in 0..self.count()? {
            span.events.push(SpanEvent {
                name: self.text()?,
                at_ns: self.nanoseconds()?,
                attributes: self.attributes()?,
            });
        }
        for _ in 0..self.count()? {
            span.links.push(Link {
                context: self.linked()?,
                attributes: self.attributes()?,
            });
        }
        let mut dropped = || self.number().map(|count| count as u32);
        span.dropped_attributes = dropped()?;
        span.dropped_events = dropped()?;
        span.dropped_links = dropped()?;
        Some(())
    }

    /// The context of a link comes in digits, since it may be anybody's.
    fn linked(&mut self) -> Option<SpanContext> {
        let trace = TraceId::parse(&self.units(32)?)?;
        let span = SpanId::parse(&self.units(16)?)?;
        let flags = self.number()? as u8;
        let state = TraceState::parse(&self.text()?);
        Some(SpanContext {
            trace,
            span,
            flags,
            state,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_numbers_and_text_are_read_without_a_panic(
            numbers in prop::collection::vec(prop_oneof![(-3.0..60.0_f64), any::<f64>()], 0..80),
            text in prop::collection::vec(any::<u16>(), 0..200),
            head in 0_u32..64,
        ) {
            let start = [f64::from(head), 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
            let numbers = start.into_iter().chain(numbers).collect();
            let _ = Frame { spans: 9, numbers, text }.read();
        }
    }
}
