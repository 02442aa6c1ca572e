//! How long until the next attempt.

use super::{Backoff, JobOptions};

/// No delay grows beyond an hour, unless it was longer from the start.
const CAP: f64 = 3_600_000.0;

/// Milliseconds to wait after the `failed`th failed attempt, counted from 1. `random` is 0 to 1;
/// jitter only ever prolongs.
pub fn retry_delay(options: &JobOptions, failed: u32, random: f64) -> u64 {
    let base = options.retry_delay as f64;
    let failed = failed.max(1);
    let grown = match options.retry_backoff {
        Backoff::Fixed => base,
        Backoff::Linear => base * f64::from(failed),
        Backoff::Exponential => base * 2f64.powi(failed.min(64) as i32 - 1),
    };
    let capped = grown.min(CAP.max(base));
    (capped * (1.0 + options.jitter.clamp(0.0, 1.0) * random.clamp(0.0, 1.0))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn options(retry_backoff: Backoff, jitter: f64) -> JobOptions {
        JobOptions {
            retry_delay: 100,
            retry_backoff,
            jitter,
            ..JobOptions::default()
        }
    }

    #[test]
    fn delays_grow_as_they_are_named() {
        let delays = |backoff| [1, 2, 3].map(|failed| retry_delay(&options(backoff, 0.0), failed, 0.9));
        assert_eq!(delays(Backoff::Fixed), [100, 100, 100]);
        assert_eq!(delays(Backoff::Linear), [100, 200, 300]);
        assert_eq!(delays(Backoff::Exponential), [100, 200, 400]);
    }

    proptest! {
        #[test]
        fn a_delay_is_bounded_and_never_shorter_than_asked(
            delay in 0u64..100_000_000, failed in 0u32..u32::MAX, random in -1.0f64..2.0, jitter in 0.0f64..1.0
        ) {
            let options = JobOptions { retry_delay: delay, ..options(Backoff::Exponential, jitter) };
            let waited = retry_delay(&options, failed, random);
            prop_assert!(waited >= delay);
            prop_assert!(waited <= 2 * delay.max(3_600_000));
        }
    }
}
