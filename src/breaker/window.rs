//! The rolling window: partial sums in a ring, so that a call costs the same at any rate.

use std::collections::VecDeque;

use super::histogram::{Histogram, middle_of};

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

    fn subtract(&mut self, other: &Self) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
        self.total_ms = (self.total_ms - other.total_ms).max(0.0);
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

/// One call of a window of calls.
#[derive(Clone, Copy, Debug)]
struct Call {
    failed: bool,
    slow: bool,
    duration_ms: f32,
}

/// What lies in the window: the calls of a time, or the last so many.
#[derive(Debug)]
enum Content {
    /// Ten buckets: a call leaves after nine to ten tenths of the time. Only those in which something happened are
    /// kept, the oldest first.
    Time { width_ms: u64, buckets: VecDeque<Bucket> },
    /// The last `most` calls, the oldest first.
    Count { most: usize, calls: VecDeque<Call> },
}

/// Sums of the last calls, which cost the same however many there are.
#[derive(Debug)]
pub struct Window {
    content: Content,
    sums: Sums,
}

impl Window {
    /// An empty window of this length in time.
    pub fn new(span_ms: u64) -> Self {
        let width_ms = span_ms.div_ceil(BUCKETS).max(1);
        Self {
            content: Content::Time {
                width_ms,
                buckets: VecDeque::new(),
            },
            sums: Sums::default(),
        }
    }

    /// An empty window of this many calls.
    pub fn of_calls(most: u32) -> Self {
        Self {
            content: Content::Count {
                most: most as usize,
                calls: VecDeque::new(),
            },
            sums: Sums::default(),
        }
    }

    /// Milliseconds of one bucket; one of calls has no buckets.
    pub const fn width_ms(&self) -> u64 {
        match self.content {
            Content::Time { width_ms, .. } => width_ms,
            Content::Count { .. } => u32::MAX as u64,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        match &mut self.content {
            Content::Time { buckets, .. } => buckets.clear(),
            Content::Count { calls, .. } => calls.clear(),
        }
        self.sums = Sums::default();
    }

    /// Counts one call.
    pub fn add(&mut self, failed: bool, slow: bool, duration_ms: f64, now: u64) {
        self.advance(now);
        let call = Call {
            failed,
            slow,
            duration_ms: sane(duration_ms) as f32,
        };
        self.sums.add(&call.sums());
        match &mut self.content {
            Content::Count { most, calls } => {
                if calls.len() == *most
                    && let Some(oldest) = calls.pop_front()
                {
                    self.sums.subtract(&oldest.sums());
                }
                calls.push_back(call);
            }
            Content::Time { .. } => {
                if let Some(bucket) = self.bucket(now) {
                    bucket.sums.add(&call.sums());
                    bucket.times.add(duration_ms);
                }
            }
        }
    }

    /// Counts successes that fell into these cells of the histogram and took so long together.
    pub fn add_successes(&mut self, cells: &[u8], total_ms: f64, now: u64) {
        self.advance(now);
        if let Content::Count { .. } = &self.content {
            for cell in cells {
                self.add(false, false, middle_of(usize::from(*cell)), now);
            }
            return;
        }
        let calls = Sums {
            calls: cells.len() as u64,
            total_ms: sane(total_ms),
            ..Sums::default()
        };
        self.sums.add(&calls);
        let bucket = self.bucket(now);
        if let Some(bucket) = bucket {
            bucket.sums.add(&calls);
            bucket.times.add_cells(cells);
        }
    }

    /// The bucket of the present, made where there is none yet.
    fn bucket(&mut self, now: u64) -> Option<&mut Bucket> {
        let Content::Time { width_ms, buckets } = &mut self.content else {
            return None;
        };
        let epoch = now / *width_ms;
        if buckets.back().is_none_or(|bucket| bucket.epoch < epoch) {
            // Most breakers are quiet: room grows by one, to ten.
            if buckets.len() == buckets.capacity() {
                buckets.reserve_exact(1);
            }
            buckets.push_back(Bucket {
                epoch,
                sums: Sums::default(),
                times: Histogram::default(),
            });
        }
        buckets.back_mut()
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
        match &self.content {
            Content::Time { buckets, .. } => buckets.iter().for_each(|bucket| all.merge(&bucket.times)),
            Content::Count { calls, .. } => calls.iter().for_each(|call| all.add(f64::from(call.duration_ms))),
        }
        all
    }

    fn advance(&mut self, now: u64) {
        let Content::Time { width_ms, buckets } = &mut self.content else {
            return;
        };
        let epoch = now / *width_ms;
        let mut evicted = false;
        while let Some(bucket) = buckets.front()
            && bucket.epoch + BUCKETS <= epoch
        {
            buckets.pop_front();
            evicted = true;
        }
        if evicted {
            // Added anew instead of subtracted, so that the sum of floats does not drift.
            self.sums = Sums::default();
            for bucket in buckets {
                self.sums.add(&bucket.sums);
            }
        }
    }
}

impl Call {
    fn sums(self) -> Sums {
        Sums {
            calls: 1,
            failures: self.failed.into(),
            slow: self.slow.into(),
            total_ms: f64::from(self.duration_ms),
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
        let Content::Time { buckets, .. } = &window.content else {
            panic!("it counts time")
        };
        assert!(buckets.len() <= 10);
        let sums = window.sums(100_000);
        assert!((900..=1_000).contains(&sums.calls));
        assert!((sums.error_percentage() - 50.0).abs() < 1.0);
    }

    #[test]
    fn a_window_of_calls_holds_the_last_ones_at_any_time() {
        let mut window = Window::of_calls(3);
        for call in 0..100_u32 {
            window.add(call >= 98, call == 97, f64::from(call), u64::from(call));
        }
        assert_eq!(
            window.sums(u64::MAX),
            Sums {
                calls: 3,
                failures: 2,
                slow: 1,
                total_ms: 97.0 + 98.0 + 99.0
            }
        );
        assert!(window.times(0).percentiles().p99 > 90.0);
        window.clear();
        assert_eq!(window.sums(0), Sums::default());
    }

    #[test]
    fn a_window_shorter_than_its_buckets_still_turns() {
        let mut window = Window::new(1);
        window.add(true, false, f64::NAN, 0);
        assert_eq!(window.sums(0).failures, 1);
        assert_eq!(window.sums(100), Sums::default());
    }
}
