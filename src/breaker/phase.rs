//! Where a breaker stands, and what it must remember there.

use serde::Serialize;

/// The state that users see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are refused.
    Open,
    /// A few trials go through.
    HalfOpen,
}

impl BreakerState {
    /// Its name, as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// A place among the trials, held until `until`.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    pub id: u32,
    pub until: u64,
}

/// The state with its memory.
#[derive(Debug)]
pub enum Phase {
    Closed {
        failures_in_a_row: u32,
    },
    /// `until` is `None` where only a hand opens it again.
    Open {
        until: Option<u64>,
    },
    HalfOpen {
        successes: u32,
        trials: Vec<Trial>,
    },
}

impl Phase {
    pub const CLOSED: Self = Self::Closed { failures_in_a_row: 0 };

    pub const fn state(&self) -> BreakerState {
        match self {
            Self::Closed { .. } => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}
