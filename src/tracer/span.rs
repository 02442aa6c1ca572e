//! What a span says once it has ended.

use serde::{Deserialize, Serialize};

use super::context::{SpanContext, SpanId};
use super::value::Value;

/// What a span stands for, with OpenTelemetry's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Kind {
    /// The number of the API, from 0.
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Internal,
            1 => Self::Server,
            2 => Self::Client,
            3 => Self::Producer,
            4 => Self::Consumer,
            _ => return None,
        })
    }

    /// The number on the wire, from 1.
    pub const fn wire(self) -> u64 {
        self as u64 + 1
    }
}

/// How what it stands for ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    #[default]
    Unset,
    Ok,
    Error(String),
}

/// Something that happened at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    pub name: String,
    /// Nanoseconds since 1970.
    pub at_ns: u64,
    pub attributes: Vec<(String, Value)>,
}

/// Another span that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub context: SpanContext,
    pub attributes: Vec<(String, Value)>,
}

/// A span that has ended. Times are nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanRecord {
    pub context: SpanContext,
    pub parent: Option<SpanId>,
    pub name: String,
    pub kind: Kind,
    pub start_ns: u64,
    pub end_ns: u64,
    pub attributes: Vec<(String, Value)>,
    pub events: Vec<SpanEvent>,
    pub links: Vec<Link>,
    pub status: Status,
    pub dropped_attributes: u32,
    pub dropped_events: u32,
    pub dropped_links: u32,
}
