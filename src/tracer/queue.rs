//! What waits to be exported: bounded in spans and bytes, and honest about what it drops.

use std::collections::VecDeque;
use std::time::Instant;

use super::batch_options::TracerMetrics;
use super::frame::Frame;
use super::span::SpanRecord;

/// Spans that crossed the border wait unread, so that a burst costs little.
#[derive(Clone)]
pub enum Item {
    Record(Box<SpanRecord>),
    Frame(Frame),
}

impl Item {
    /// How many there are.
    pub fn spans(&self) -> usize {
        match self {
            Self::Record(_) => 1,
            Self::Frame(frame) => frame.spans,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            // A guess: names and attributes of a usual span.
            Self::Record(_) => 1_024,
            Self::Frame(frame) => frame.bytes(),
        }
    }

    /// The spans, and how many could not be read.
    pub fn read(self) -> (Vec<SpanRecord>, usize) {
        match self {
            Self::Record(span) => (vec![*span], 0),
            Self::Frame(frame) => {
                let spans = frame.read();
                let unread = frame.spans.saturating_sub(spans.len());
                (spans, unread)
            }
        }
    }
}

/// What waits, and the counts of what went.
#[derive(Default)]
pub struct Queue {
    items: VecDeque<Item>,
    spans: usize,
    bytes: usize,
    /// When the oldest one came.
    pub since: Option<Instant>,
    /// Spans ever taken in, and of those the ones whose fate is known.
    pub added: u64,
    pub settled: u64,
    /// Up to where the fate is known for good: not only that there was no time left at the end.
    pub decided: u64,
    /// Up to where somebody waits.
    pub wanted: u64,
    /// Set when it closes: until when it may still send.
    pub closing: Option<Instant>,
    pub running: bool,
    pub metrics: TracerMetrics,
}

impl Queue {
    /// Takes it in, or drops and counts it.
    pub fn push(&mut self, item: Item, most_spans: usize, most_bytes: usize, now: Instant) -> bool {
        let (spans, bytes) = (item.spans(), item.bytes());
        if self.closing.is_some() || self.spans + spans > most_spans || self.bytes + bytes > most_bytes {
            self.metrics.dropped += spans as u64;
            return false;
        }
        self.since.get_or_insert(now);
        self.spans += spans;
        self.bytes += bytes;
        self.added += spans as u64;
        self.items.push_back(item);
        true
    }

    /// Takes out at least `size` spans where there are so many; a frame stays whole.
    pub fn take(&mut self, size: usize, now: Instant) -> Vec<Item> {
        let (mut batch, mut spans) = (Vec::new(), 0);
        while spans < size
            && let Some(item) = self.items.pop_front()
        {
            spans += item.spans();
            self.bytes = self.bytes.saturating_sub(item.bytes());
            batch.push(item);
        }
        self.spans = self.spans.saturating_sub(spans);
        self.since = (self.spans > 0).then_some(now);
        batch
    }

    /// How many spans wait.
    pub fn len(&self) -> usize {
        self.spans
    }
}
