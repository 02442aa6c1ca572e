//! How spans are gathered, and what became of them.

use serde::Deserialize;

use crate::error::{Code, Error, Result};

/// How spans are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BatchOptions {
    /// Spans of one export. Default 512.
    pub max_size: usize,
    /// Milliseconds after which fewer are exported too. Default 5000.
    pub interval: u64,
    /// Spans that may wait; more are dropped and counted. Default 131 072.
    pub max_queue: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            max_size: 512,
            interval: 5_000,
            max_queue: 131_072,
        }
    }
}

impl BatchOptions {
    /// Checks every range.
    pub fn check(&self) -> Result<()> {
        let sizes = (1..=100_000).contains(&self.max_size) && (1..=10_000_000).contains(&self.max_queue);
        if sizes && (1..=86_400_000).contains(&self.interval) {
            return Ok(());
        }
        Err(Error::new(
            Code::OptionInvalid,
            "Tracer option batch: maxSize must be 1 to 100000, maxQueue 1 to 10000000, interval 1 to 86400000 ms",
        ))
    }
}

/// What became of the spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracerMetrics {
    pub started: u64,
    pub ended: u64,
    pub exported: u64,
    /// Those for which there was no room.
    pub dropped: u64,
    /// Those that the exporter could not send or the receiver refused.
    pub failed: u64,
    /// Why the last export that failed did.
    pub last_error: Option<String>,
    /// Those that a kill would lose, since they could not be kept in the spill files; none where there are none.
    pub unkept: Option<u64>,
    /// Whether the last batch was lost.
    pub failing: bool,
}
