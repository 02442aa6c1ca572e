//! Which spans are recorded.

use std::sync::Arc;

use parking_lot::Mutex;

use super::context::{SpanContext, TraceId};

/// Decides whether a span is recorded. `now_ms` is monotonic.
pub trait Sampler: Send + Sync + 'static {
    /// True to record it.
    fn sample(&self, trace: TraceId, parent: Option<&SpanContext>, now_ms: u64) -> bool;
}

/// Records every span.
#[derive(Debug)]
pub struct AlwaysSampler;

impl Sampler for AlwaysSampler {
    fn sample(&self, _: TraceId, _: Option<&SpanContext>, _: u64) -> bool {
        true
    }
}

/// Records a share of the traces, whole: the trace id decides, as in OpenTelemetry.
#[derive(Debug)]
pub struct ProbabilitySampler {
    threshold: u64,
}

impl ProbabilitySampler {
    /// `share` from 0 to 1; what is outside counts as the nearest of them.
    pub fn new(share: f64) -> Self {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        Self {
            threshold: ((1.0 - share) * (1_u64 << 56) as f64) as u64,
        }
    }
}

impl Sampler for ProbabilitySampler {
    fn sample(&self, trace: TraceId, _: Option<&SpanContext>, _: u64) -> bool {
        let mut last = [0; 8];
        last[1..].copy_from_slice(&trace.0[9..]);
        u64::from_be_bytes(last) >= self.threshold
    }
}

/// Records at most so many spans a second: a bucket of tokens.
#[derive(Debug)]
pub struct RateLimitingSampler {
    per_ms: f64,
    burst: f64,
    state: Mutex<(f64, Option<u64>)>,
}

impl RateLimitingSampler {
    /// `burst` spans may come at once.
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self {
            per_ms: per_second.max(0.0) / 1_000.0,
            burst,
            state: Mutex::new((burst, None)),
        }
    }
}

impl Sampler for RateLimitingSampler {
    fn sample(&self, _: TraceId, _: Option<&SpanContext>, now_ms: u64) -> bool {
        let (tokens, last) = &mut *self.state.lock();
        let passed = now_ms.saturating_sub(last.unwrap_or(now_ms)) as f64;
        *tokens = (*tokens + passed * self.per_ms).min(self.burst);
        *last = Some(now_ms.max(last.unwrap_or(0)));
        let taken = *tokens >= 1.0;
        if taken {
            *tokens -= 1.0;
        }
        taken
    }
}

/// Does what the parent did; asks another sampler where there is none.
#[derive(Clone)]
pub struct ParentBasedSampler {
    root: Arc<dyn Sampler>,
}

impl ParentBasedSampler {
    /// `root` decides for spans without a parent.
    pub fn new(root: Arc<dyn Sampler>) -> Self {
        Self { root }
    }
}

impl Sampler for ParentBasedSampler {
    fn sample(&self, trace: TraceId, parent: Option<&SpanContext>, now_ms: u64) -> bool {
        parent.map_or_else(|| self.root.sample(trace, None, now_ms), SpanContext::sampled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::{SpanId, TraceState};

    #[test]
    fn a_share_of_the_traces_is_recorded_and_the_same_ones_each_time() {
        let sampler = ProbabilitySampler::new(0.25);
        let ids: Vec<_> = (0..4_000).map(|_| TraceId::random()).collect();
        let taken: Vec<_> = ids.iter().map(|id| sampler.sample(*id, None, 0)).collect();
        assert_eq!(
            taken,
            ids.iter().map(|id| sampler.sample(*id, None, 9)).collect::<Vec<_>>()
        );
        let count = taken.iter().filter(|taken| **taken).count();
        assert!((800..1_200).contains(&count), "{count}");
        assert!(ids.iter().all(|id| ProbabilitySampler::new(1.0).sample(*id, None, 0)));
        assert!(ids.iter().all(|id| !ProbabilitySampler::new(0.0).sample(*id, None, 0)));
    }

    #[test]
    fn a_rate_holds_after_its_burst() {
        let sampler = RateLimitingSampler::new(10.0, 3.0);
        let trace = TraceId::random();
        assert_eq!((0..10).filter(|_| sampler.sample(trace, None, 1_000)).count(), 3);
        assert_eq!((0..10).filter(|_| sampler.sample(trace, None, 1_200)).count(), 2);
        assert_eq!((0..10).filter(|_| sampler.sample(trace, None, 900_000)).count(), 3);
    }

    #[test]
    fn a_parent_decides_before_the_root_sampler() {
        let sampler = ParentBasedSampler::new(Arc::new(ProbabilitySampler::new(0.0)));
        let context = |flags| SpanContext {
            trace: TraceId::random(),
            span: SpanId::random(),
            flags,
            state: TraceState::default(),
        };
        assert!(sampler.sample(TraceId::random(), Some(&context(1)), 0));
        assert!(!sampler.sample(TraceId::random(), Some(&context(0)), 0));
        assert!(!sampler.sample(TraceId::random(), None, 0));
    }
}
