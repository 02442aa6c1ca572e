//! Counters and histograms with bounded labels, and their text for Prometheus.
//!
//! A leaf: whoever measures something keeps families of its own and writes them into one text.

mod counter;
mod exposition;
mod histogram;
mod labels;

pub use counter::CounterFamily;
pub use exposition::{Exposition, Format};
pub use histogram::{Exemplar, HistogramFamily};
