//! The circuit breaker: a state machine that guards a call, and apart from it the rule that trips it.
//!
//! Time is passed in as monotonic milliseconds, so the wall clock can neither open nor close it.

mod control;
mod guard;
mod histogram;
#[path = "breaker.rs"]
mod machine;
mod metrics;
mod options;
mod outcome;
mod phase;
mod registry;
mod snapshot;
mod state;
mod trip;
mod window;

#[cfg(test)]
mod model_tests;

pub use guard::guard;
pub use histogram::Percentiles;
pub use machine::Breaker;
pub use metrics::BreakerMetrics;
pub use options::BreakerOptions;
pub use outcome::{BreakerEvent, Outcome, Permit};
pub use phase::BreakerState;
pub use registry::Registry;
pub use snapshot::BreakerSnapshot;
