//! Numbers that only grow.

use parking_lot::Mutex;

use super::exposition::Exposition;
use super::labels::Series;

/// Counters of one name.
#[derive(Debug)]
pub struct CounterFamily {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    series: Mutex<Series<u64>>,
}

impl CounterFamily {
    /// Counters `name` (without `_total`), one for each set of values of `labels`. Those of `known` begin at 0,
    /// so that the first increase of one is seen as an increase.
    pub fn new(name: &'static str, help: &'static str, labels: &'static [&'static str], known: &[&[&str]]) -> Self {
        let mut series = Series::new(labels.len());
        for values in known {
            series.of(values, || 0);
        }
        Self {
            name,
            help,
            labels,
            series: Mutex::new(series),
        }
    }

    /// Counts `by` more.
    pub fn add(&self, values: &[&str], by: u64) {
        let mut series = self.series.lock();
        let count = series.of(values, || 0);
        *count = count.saturating_add(by);
    }

    /// Writes all of them.
    pub fn write(&self, out: &mut Exposition) {
        out.counter(self.name, self.help);
        for (values, count) in self.series.lock().iter() {
            out.count(self.name, self.labels, values, *count as f64);
        }
    }
}
