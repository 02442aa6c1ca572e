//! What a queue measures while it is open.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::store::Counts;

const SAMPLES: usize = 1024;
const WINDOW: i64 = 60_000;

/// How a queue does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    #[serde(flatten)]
    pub counts: Counts,
    pub total: u64,
    pub paused: bool,
    /// Milliseconds that the job that waits longest has waited.
    pub oldest_waiting_ms: Option<i64>,
    /// Milliseconds since a worker of this process took a job.
    pub since_last_claim_ms: Option<i64>,
    /// Jobs that completed here in the last minute.
    pub completed_last_minute: u64,
    /// 0 to 1: the share of failed attempts among the last attempts.
    pub error_rate: f64,
    /// Milliseconds from the time a job may run to its start.
    pub wait_ms: Percentiles,
    /// Milliseconds that an attempt takes.
    pub run_ms: Percentiles,
}

/// Of the last attempts; zero where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// The last attempts.
#[derive(Debug, Default)]
pub struct Stats {
    last_claim: Option<i64>,
    waits: VecDeque<i64>,
    runs: VecDeque<(i64, bool)>,
    completed: VecDeque<(i64, u64)>,
}

impl Stats {
    /// A job was taken that could run since `run_at`.
    pub fn claimed(&mut self, now: i64, run_at: i64) {
        self.last_claim = Some(now);
        bounded(&mut self.waits, (now - run_at).max(0));
    }

    /// An attempt ended.
    pub fn ended(&mut self, now: i64, took: i64, good: bool) {
        bounded(&mut self.runs, (took.max(0), good));
        if good {
            match self.completed.back_mut() {
                Some((second, count)) if *second == now / 1000 => *count += 1,
                _ => self.completed.push_back((now / 1000, 1)),
            }
            while self
                .completed
                .front()
                .is_some_and(|(second, _)| second * 1000 + WINDOW < now)
            {
                self.completed.pop_front();
            }
        }
    }

    /// The figures at `now`.
    pub fn metrics(&self, counts: Counts, paused: bool, now: i64) -> Metrics {
        let recent = self
            .completed
            .iter()
            .filter(|(second, _)| second * 1000 + WINDOW >= now);
        let failed = self.runs.iter().filter(|(_, good)| !good).count();
        Metrics {
            total: counts.pending
                + counts.scheduled
                + counts.running
                + counts.retrying
                + counts.completed
                + counts.failed
                + counts.cancelled,
            paused,
            oldest_waiting_ms: counts.oldest_waiting.map(|since| (now - since).max(0)),
            since_last_claim_ms: self.last_claim.map(|at| (now - at).max(0)),
            completed_last_minute: recent.map(|(_, count)| count).sum(),
            error_rate: if self.runs.is_empty() {
                0.0
            } else {
                failed as f64 / self.runs.len() as f64
            },
            wait_ms: percentiles(self.waits.iter().copied().collect()),
            run_ms: percentiles(self.runs.iter().map(|(took, _)| *took).collect()),
            counts,
        }
    }
}

fn bounded<T>(samples: &mut VecDeque<T>, sample: T) {
    if samples.len() == SAMPLES {
        samples.pop_front();
    }
    samples.push_back(sample);
}

fn percentiles(mut samples: Vec<i64>) -> Percentiles {
    if samples.is_empty() {
        return Percentiles::default();
    }
    samples.sort_unstable();
    let at = |share: f64| {
        let rank = (share * samples.len() as f64).ceil() as usize;
        samples[rank.clamp(1, samples.len()) - 1] as f64
    };
    Percentiles {
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_last_attempts() {
        let mut stats = Stats::default();
        for n in 1..=100 {
            stats.claimed(1000 + n, 1000);
            stats.ended(1000 + n, n, n % 4 != 0);
        }
        let metrics = stats.metrics(
            Counts {
                pending: 2,
                oldest_waiting: Some(1),
                ..Counts::default()
            },
            false,
            1100,
        );
        assert_eq!(
            metrics.run_ms,
            Percentiles {
                p50: 50.0,
                p95: 95.0,
                p99: 99.0
            }
        );
        assert_eq!((metrics.completed_last_minute, metrics.error_rate), (75, 0.25));
        assert_eq!((metrics.oldest_waiting_ms, metrics.total), (Some(1099), 2));
        assert_eq!(stats.metrics(Counts::default(), false, 99_000).completed_last_minute, 0);
    }
}
