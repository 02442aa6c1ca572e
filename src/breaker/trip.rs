//! The rule that trips a breaker: pure, apart from the state machine.

use super::options::BreakerOptions;
use super::window::Sums;

/// When a closed breaker opens.
#[derive(Clone, Copy, Debug)]
pub struct TripRule {
    failures_in_a_row: u32,
    volume: u64,
    error_percentage: f64,
    slow_percentage: Option<f64>,
}

impl TripRule {
    /// The rule that these options ask for.
    pub fn new(options: &BreakerOptions) -> Self {
        Self {
            failures_in_a_row: options.failure_threshold,
            // A window of fewer calls could never hold as many.
            volume: u64::from(
                options
                    .volume_threshold
                    .min(options.rolling_window_calls.unwrap_or(u32::MAX)),
            ),
            error_percentage: options.error_threshold_percentage,
            slow_percentage: options
                .slow_call_duration
                .map(|_| options.slow_call_percentage.unwrap_or(100.0)),
        }
    }

    /// Whether it opens now. A percentage that is met exactly opens it.
    pub fn trips(&self, failures_in_a_row: u32, window: &Sums) -> bool {
        failures_in_a_row >= self.failures_in_a_row
            || window.calls >= self.volume
                && (window.error_percentage() >= self.error_percentage
                    || self
                        .slow_percentage
                        .is_some_and(|most| window.slow_percentage() >= most))
    }

    /// How many fast successes could follow without any of them opening it.
    ///
    /// Successes only lower percentages, so once enough calls lie in the window they cannot open
    /// it; before, the one that completes the volume can.
    pub fn harmless_successes(&self, window: &Sums) -> u64 {
        if self.trips(0, window) {
            // Calls that left the window raised a percentage: the next one opens it.
            0
        } else if (window.failures == 0 && window.slow == 0) || window.calls >= self.volume {
            u64::MAX
        } else {
            self.volume - window.calls - 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(slow: Option<u64>) -> TripRule {
        TripRule::new(&BreakerOptions {
            slow_call_duration: slow,
            slow_call_percentage: slow.map(|_| 40.0),
            ..Default::default()
        })
    }

    fn sums(calls: u64, failures: u64, slow: u64) -> Sums {
        Sums {
            calls,
            failures,
            slow,
            total_ms: 0.0,
        }
    }

    #[test]
    fn opens_at_exactly_the_thresholds() {
        assert!(!rule(None).trips(4, &sums(4, 4, 0)));
        assert!(rule(None).trips(5, &sums(5, 5, 0)));
        assert!(!rule(None).trips(1, &sums(9, 5, 0)));
        assert!(rule(None).trips(0, &sums(10, 5, 0)));
        assert!(!rule(None).trips(1, &sums(11, 5, 0)));
    }

    #[test]
    fn slow_calls_count_only_where_asked() {
        assert!(!rule(None).trips(0, &sums(10, 0, 10)));
        assert!(!rule(Some(100)).trips(0, &sums(10, 0, 3)));
        assert!(rule(Some(100)).trips(0, &sums(10, 0, 4)));
    }

    #[test]
    fn harmless_successes_never_trip() {
        for calls in 0..30 {
            for failures in 0..=calls {
                let before = sums(calls, failures, 0);
                if rule(None).trips(0, &before) && calls >= 10 {
                    continue;
                }
                let harmless = rule(None).harmless_successes(&before).min(50);
                for more in 0..=harmless {
                    assert!(
                        !rule(None).trips(0, &sums(calls + more, failures, 0)),
                        "{calls} {failures} {more}"
                    );
                }
            }
        }
    }
}
