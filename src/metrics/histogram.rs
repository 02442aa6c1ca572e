//! How values are distributed, in buckets, each with the trace that fell into it last.

use parking_lot::Mutex;

use super::exposition::Exposition;
use super::labels::Series;

/// A trace that shows a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    pub trace_id: String,
    pub value: f64,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// One distribution.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// One a bound, and one for all above.
    pub counts: Vec<u64>,
    pub exemplars: Vec<Option<Exemplar>>,
    pub sum: f64,
}

/// Distributions of one name.
#[derive(Debug)]
pub struct HistogramFamily {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    bounds: &'static [f64],
    series: Mutex<Series<Histogram>>,
}

impl HistogramFamily {
    /// Distributions `name` with buckets up to each of `bounds`; those of `known` begin empty.
    pub fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        bounds: &'static [f64],
        known: &[&[&str]],
    ) -> Self {
        let mut series = Series::new(labels.len());
        for values in known {
            series.of(values, || empty(bounds));
        }
        Self {
            name,
            help,
            labels,
            bounds,
            series: Mutex::new(series),
        }
    }

    /// Takes one value in, with the sampled trace that it comes from. One that is no number is left out.
    pub fn observe(&self, values: &[&str], value: f64, trace: Option<(&str, i64)>) {
        if !value.is_finite() {
            return;
        }
        let mut series = self.series.lock();
        let histogram = series.of(values, || empty(self.bounds));
        let at = self
            .bounds
            .iter()
            .position(|bound| value <= *bound)
            .unwrap_or(self.bounds.len());
        histogram.counts[at] += 1;
        histogram.sum += value;
        if let Some((trace_id, at_ms)) = trace {
            histogram.exemplars[at] = Some(Exemplar {
                trace_id: trace_id.to_owned(),
                value,
                at_ms,
            });
        }
    }

    /// Writes all of them.
    pub fn write(&self, out: &mut Exposition) {
        out.histogram(self.name, self.help);
        for (values, histogram) in self.series.lock().iter() {
            out.distribution(self.name, self.labels, values, self.bounds, histogram);
        }
    }
}

fn empty(bounds: &[f64]) -> Histogram {
    Histogram {
        counts: vec![0; bounds.len() + 1],
        exemplars: vec![None; bounds.len() + 1],
        sum: 0.0,
    }
}
