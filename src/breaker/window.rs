//! The rolling window: partial sums in a ring, so that a call costs the same at any rate.

use super::histogram::Histogram;

const BUCKETS: u64 = 10;

/// What lies in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    pub calls: u64,
    pub failures: u64,
    pub slow: u64,
    pub total_ms: f64,
}

impl Sums {
    /// Percentage of the calls that failed, 0 where there were none.
    pub fn error_percentage(&self) -> f64 {
        percentage(self.failures, self.calls)
    }

    /// Percentage of the calls that were slow, 0 where there were none.
    pub fn slow_percentage(&self) -> f64 {
        percentage(self.slow, self.calls)
    }

    /// Mean duration in milliseconds, 0 where there were no calls.
    pub fn average_ms(&self) -> f64 {
        if self.calls == 0 {
            0.0
        } else {
            self.total_ms / self.calls as f64
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
        self.total_ms += other.total_ms;
    }
}

fn percentage(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

#[derive(Debug)]
struct Bucket {
    epoch: u64,
    sums: Sums,
    times: Histogram,
}

/// Sums of the last `span_ms`, in ten buckets: a call leaves after nine to ten tenths of it.
#[derive(Debug)]
pub struct Window {
    width_ms: u64,
    /// Only buckets in which something happened, the oldest first.
    buckets: std::collections::VecDeque<Bucket>,
    /// Calls, failures and slow calls of all buckets together.
    sums: Sums,
}

impl Window {
    /// An empty window of this length.
    pub fn new(span_ms: u64) -> Self {
        Self {
            width_ms: span_ms.div_ceil(BUCKETS).max(1),
            buckets: std::collections::VecDeque::new(),
            sums: Sums::default(),
        }
    }

    /// Milliseconds of one bucket.
    pub fn width_ms(&self) -> u64 {
        self.width_ms
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.clear();
        self.sums = Sums::default();
    }

    /// Counts one call.
    pub fn add(&mut self, failed: bool, slow: bool, duration_ms: f64, now: u64) {
        self.advance(now);
        let call = Sums {
            calls: 1,
            failures: failed.into(),
            slow: slow.into(),
            total_ms: sane(duration_ms),
        };
        self.sums.add(&call);
        let epoch = now / self.width_ms;
        if self.buckets.back().is_none_or(|bucket| bucket.epoch < epoch) {
            self.buckets.push_back(Bucket {
                epoch,
                sums: Sums::default(),
                times: Histogram::default(),
            });
        }
        if let Some(bucket) = self.buckets.back_mut() {
            bucket.sums.add(&call);
            bucket.times.add(duration_ms);
        }
    }

    /// What lies in the window now.
    pub fn sums(&mut self, now: u64) -> Sums {
        self.advance(now);
        self.sums
    }

    /// The response times in the window now.
    pub fn times(&mut self, now: u64) -> Histogram {
        self.advance(now);
        let mut all = Histogram::default();
        for bucket in &self.buckets {
            all.merge(&bucket.times);
        }
        all
    }

    fn advance(&mut self, now: u64) {
        let epoch = now / self.width_ms;
        let mut evicted = false;
        while let Some(bucket) = self.buckets.front()
            && bucket.epoch + BUCKETS <= epoch
        {
            self.buckets.pop_front();
            evicted = true;
        }
        if evicted {
            // Added anew instead of subtracted, so that the sum of floats does not drift.
            self.sums = Sums::default();
            for bucket in &self.buckets {
                self.sums.add(&bucket.sums);
            }
        }
    }
}

fn sane(duration_ms: f64) -> f64 {
    if duration_ms.is_finite() {
        duration_ms.max(0.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_leave_after_the_window() {
        let mut window = Window::new(1_000);
        window.add(true, false, 5.0, 0);
        window.add(false, true, 15.0, 500);
        assert_eq!(
            window.sums(999),
            Sums {
                calls: 2,
                failures: 1,
                slow: 1,
                total_ms: 20.0
            }
        );
        assert_eq!(window.sums(1_000).failures, 0);
        assert_eq!(window.sums(1_499).calls, 1);
        assert_eq!(window.sums(1_500), Sums::default());
    }

    #[test]
    fn memory_does_not_grow_with_the_rate() {
        let mut window = Window::new(1_000);
        for call in 0..100_000_u64 {
            window.add(call % 2 == 0, false, 1.0, call);
        }
        assert!(window.buckets.len() <= 10);
        let sums = window.sums(100_000);
        assert!((900..=1_000).contains(&sums.calls));
        assert!((sums.error_percentage() - 50.0).abs() < 1.0);
    }

    #[test]
    fn a_window_shorter_than_its_buckets_still_turns() {
        let mut window = Window::new(1);
        window.add(true, false, f64::NAN, 0);
        assert_eq!(window.sums(0).failures, 1);
        assert_eq!(window.sums(100), Sums::default());
    }
}
