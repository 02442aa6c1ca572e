//! Many spans in one array of numbers and one text, as they cross the border.
//!
//! The text holds all strings one after the other; the numbers hold their lengths in UTF-16 units and
//! everything else, in the order in which [`Reader::span`] reads them.

use super::context::{SpanContext, SpanId, TraceId, TraceState};
use super::span::{Kind, Link, SpanEvent, SpanRecord, Status};
use super::value::Value;

/// A list within a list within a list is as deep as it goes.
const DEEPEST: usize = 3;

/// Spans that are not read yet.
#[derive(Debug, Default)]
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

    fn context(&mut self) -> Option<SpanContext> {
        let trace = TraceId::parse(&self.units(32)?)?;
        let span = SpanId::parse(&self.units(16)?)?;
        let flags = self.number()? as u8;
        let state = self.text()?;
        let state = if state.is_empty() {
            TraceState::default()
        } else {
            TraceState::parse(&state)
        };
        Some(SpanContext {
            trace,
            span,
            flags,
            state,
        })
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        Some(match self.count()? {
            0 => Value::Text(self.text()?),
            1 => Value::Bool(self.number()? > 0.0),
            2 => Value::Int(self.number()? as i64),
            3 => Value::Float(self.number()?),
            4 if depth < DEEPEST => {
                let count = self.count()?;
                (0..count)
                    .map(|_| self.value(depth + 1))
                    .collect::<Option<Vec<_>>>()
                    .map(Value::List)?
            }
            _ => return None,
        })
    }

    fn attributes(&mut self) -> Option<Vec<(String, Value)>> {
        let count = self.count()?;
        (0..count).map(|_| Some((self.text()?, self.value(0)?))).collect()
    }

    fn span(&mut self) -> Option<SpanRecord> {
        let context = self.context()?;
        let parent = if self.number()? > 0.0 {
            Some(SpanId::parse(&self.units(16)?)?)
        } else {
            None
        };
        let name = self.text()?;
        let kind = Kind::from_number(self.number()? as u32)?;
        let (start_ns, end_ns) = (self.nanoseconds()?, self.nanoseconds()?);
        let status = match (self.count()?, self.text()?) {
            (1, _) => Status::Ok,
            (2, message) => Status::Error(message),
            _ => Status::Unset,
        };
        let attributes = self.attributes()?;
        let count = self.count()?;
        let events = (0..count)
            .map(|_| {
                Some(SpanEvent {
                    name: self.text()?,
                    at_ns: self.nanoseconds()?,
                    attributes: self.attributes()?,
                })
            })
            .collect::<Option<_>>()?;
        let count = self.count()?;
        let links = (0..count)
            .map(|_| {
                Some(Link {
                    context: self.context()?,
                    attributes: self.attributes()?,
                })
            })
            .collect::<Option<_>>()?;
        let mut dropped = || self.number().map(|count| count as u32);
        let (dropped_attributes, dropped_events, dropped_links) = (dropped()?, dropped()?, dropped()?);
        Some(SpanRecord {
            context,
            parent,
            name,
            kind,
            start_ns,
            end_ns,
            attributes,
            events,
            links,
            status,
            dropped_attributes,
            dropped_events,
            dropped_links,
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
            head in "[0-9a-f]{48}",
        ) {
            let text = head.encode_utf16().chain(text).collect();
            let _ = Frame { spans: 9, numbers, text }.read();
        }
    }
}
