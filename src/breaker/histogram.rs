//! Response times in a bounded number of counters.

use serde::Serialize;

/// Steps of each doubling: an answer is at most 1/16 off.
const STEPS: usize = 8;
/// Doublings from 1/64 ms to about 73 minutes.
const DOUBLINGS: usize = 28;
const SMALLEST_MS: f64 = 1.0 / 64.0;
pub const CELLS: usize = STEPS * DOUBLINGS + 1;

/// Response times in milliseconds below which that share of the calls lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
}

/// Counts durations in cells that grow by a constant ratio. Only cells in which something lies are kept: most breakers
/// see few different durations, and there may be many breakers.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Index and count, by index.
    cells: Vec<(u8, u32)>,
    total: u64,
}

impl Histogram {
    /// Counts one duration.
    pub fn add(&mut self, duration_ms: f64) {
        self.put(cell_of(duration_ms) as u8, 1);
        self.total += 1;
    }

    /// Adds how many fell into each cell.
    pub fn add_cells(&mut self, cells: &[u8]) {
        for cell in cells {
            self.put((*cell).min(CELLS as u8 - 1), 1);
        }
        self.total += cells.len() as u64;
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (index, more) in &other.cells {
            self.put(*index, *more);
        }
        self.total += other.total;
    }

    fn put(&mut self, index: u8, more: u32) {
        match self.cells.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(at) => self.cells[at].1 = self.cells[at].1.saturating_add(more),
            Err(at) => {
                if self.cells.len() == self.cells.capacity() {
                    self.cells.reserve_exact(2);
                }
                self.cells.insert(at, (index, more));
            }
        }
    }

    /// The duration at this share of the calls, 0 where there were none.
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0_u64;
        for (index, count) in &self.cells {
            seen += u64::from(*count);
            if seen >= rank {
                return middle_of(usize::from(*index));
            }
        }
        0.0
    }

    /// The usual ones.
    pub fn percentiles(&self) -> Percentiles {
        Percentiles {
            p50: self.quantile(0.5),
            p90: self.quantile(0.9),
            p95: self.quantile(0.95),
            p99: self.quantile(0.99),
        }
    }
}

/// Durations that are not numbers or are negative count as none.
fn cell_of(duration_ms: f64) -> usize {
    if duration_ms.is_nan() || duration_ms < SMALLEST_MS {
        return 0;
    }
    // The exponent and the first three bits of the fraction are the doubling and its step.
    let cell = ((duration_ms / SMALLEST_MS).to_bits() >> 49).saturating_sub(1023 << 3);
    usize::try_from(cell).map_or(CELLS - 1, |cell| (cell + 1).min(CELLS - 1))
}

/// The duration that a cell stands for.
pub fn middle_of(cell: usize) -> f64 {
    let Some(cell) = cell.checked_sub(1) else {
        return 0.0;
    };
    let doubling = (cell / STEPS) as f64;
    let within = ((cell % STEPS) as f64 + 0.5) / STEPS as f64;
    SMALLEST_MS * doubling.exp2() * (1.0 + within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_of_a_known_spread() {
        let mut histogram = Histogram::default();
        for ms in 1..=1000 {
            histogram.add(f64::from(ms));
        }
        let found = histogram.percentiles();
        for (value, wanted) in [
            (found.p50, 500.0),
            (found.p90, 900.0),
            (found.p95, 950.0),
            (found.p99, 990.0),
        ] {
            assert!((value - wanted).abs() / wanted < 0.0626, "{value} for {wanted}");
        }
    }

    #[test]
    fn nothing_counted_is_zero_and_hostile_durations_do_not_panic() {
        let mut histogram = Histogram::default();
        assert!(histogram.quantile(0.99).abs() < f64::EPSILON);
        for duration in [f64::NAN, f64::INFINITY, -1.0, 0.0, f64::MAX, f64::MIN_POSITIVE] {
            histogram.add(duration);
        }
        assert!(histogram.percentiles().p99.is_finite());
    }

    proptest! {
        #[test]
        fn a_duration_is_found_within_a_sixteenth(ms in 0.02_f64..3_000_000.0) {
            let mut histogram = Histogram::default();
            histogram.add(ms);
            prop_assert!((histogram.quantile(0.5) - ms).abs() / ms <= 0.0626);
        }
    }
}
