//! Starts spans and hands the ended ones to the batch.

use std::sync::Arc;
use std::time::Duration;

use super::batch::{BatchOptions, Batcher, TracerMetrics};
use super::context::{SpanContext, SpanId, TraceId, TraceState};
use super::exporter::{Exporter, Resource};
use super::limits::Limits;
use super::live::Span;
use super::redact::Redact;
use super::sampler::{AlwaysSampler, ParentBasedSampler, Sampler};
use super::span::{Kind, SpanRecord, Status};
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};

/// What a tracer needs.
pub struct TracerOptions {
    pub service_name: String,
    pub service_version: Option<String>,
    pub environment: Option<String>,
    pub exporter: Box<dyn Exporter>,
    pub sampler: Arc<dyn Sampler>,
    pub batch: BatchOptions,
    pub limits: Limits,
    pub redact: Option<Redact>,
}

impl TracerOptions {
    /// Every trace, whole, with the usual limits.
    pub fn new(service_name: impl Into<String>, exporter: Box<dyn Exporter>) -> Self {
        Self {
            service_name: service_name.into(),
            service_version: None,
            environment: None,
            exporter,
            sampler: Arc::new(ParentBasedSampler::new(Arc::new(AlwaysSampler))),
            batch: BatchOptions::default(),
            limits: Limits::default(),
            redact: None,
        }
    }
}

/// Starts spans. Clones are the same tracer.
#[derive(Clone)]
pub struct Tracer(Option<Arc<Shared>>);

pub(super) struct Shared {
    batch: Batcher,
    sampler: Arc<dyn Sampler>,
    pub(super) clock: SharedClock,
    pub(super) limits: Limits,
}

impl Tracer {
    /// A tracer; options out of range are `OPTION_INVALID`.
    pub fn new(options: TracerOptions, clock: SharedClock) -> Result<Self> {
        let resource = resource(
            &options.service_name,
            options.service_version,
            options.environment,
        )?;
        let batch = Batcher::new(options.exporter, resource, options.batch, options.redact)?;
        Ok(Self(Some(Arc::new(Shared {
            batch,
            sampler: options.sampler,
            clock,
            limits: options.limits,
        }))))
    }

    /// A tracer whose spans do nothing and cost nothing.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// Starts a span under `parent`, or a new trace.
    pub fn start(&self, name: &str, kind: Kind, parent: Option<&SpanContext>) -> Span {
        let Some(shared) = &self.0 else {
            return Span::NONE;
        };
        let trace = parent.map_or_else(TraceId::random, |parent| parent.trace);
        let sampled = shared
            .sampler
            .sample(trace, parent, shared.clock.monotonic_ms());
        let state = parent.map_or_else(TraceState::default, |parent| parent.state.clone());
        let flags = parent.map_or(0, |parent| parent.flags & 2) | u8::from(sampled);
        let start_ns = if sampled { shared.clock.now_ns() } else { 0 };
        shared.batch.count(1, 0);
        let record = SpanRecord {
            context: SpanContext {
                trace,
                span: SpanId::random(),
                flags,
                state,
            },
            parent: parent.map(|parent| parent.span),
            name: if sampled {
                shared.limits.cut(name.to_owned())
            } else {
                String::new()
            },
            kind,
            start_ns,
            end_ns: start_ns,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            status: Status::Unset,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        };
        Span::new(Arc::clone(shared), record, sampled)
    }

    /// Waits until everything that has ended is exported or failed; false when the time is up. It
    /// blocks its thread.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0
            .as_ref()
            .is_none_or(|shared| shared.batch.flush(timeout))
    }

    /// Flushes and ends the thread; spans that end later are dropped and counted. It blocks its thread.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.0
            .as_ref()
            .is_none_or(|shared| shared.batch.shutdown(timeout))
    }

    /// What became of the spans so far.
    pub fn metrics(&self) -> TracerMetrics {
        self.0
            .as_ref()
            .map(|shared| shared.batch.metrics())
            .unwrap_or_default()
    }
}

impl Shared {
    pub(super) fn ended(&self, record: SpanRecord, sampled: bool) {
        self.batch.count(0, 1);
        if sampled {
            self.batch.push(record);
        }
    }
}

/// The attributes of the sender.
pub fn resource(
    name: &str,
    version: Option<String>,
    environment: Option<String>,
) -> Result<Resource> {
    if name.is_empty() {
        return Err(Error::new(
            Code::OptionInvalid,
            "Tracer option serviceName must not be empty",
        ));
    }
    let mut attributes = vec![("service.name".to_owned(), name.into())];
    attributes.extend(version.map(|version| ("service.version".to_owned(), version.into())));
    attributes
        .extend(environment.map(|name| ("deployment.environment.name".to_owned(), name.into())));
    attributes.push(("telemetry.sdk.name".to_owned(), "auton8n".into()));
    attributes.push(("telemetry.sdk.language".to_owned(), "nodejs".into()));
    attributes.push((
        "telemetry.sdk.version".to_owned(),
        env!("CARGO_PKG_VERSION").into(),
    ));
    Ok(Resource(attributes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::tracer::exporter::Export;
    use parking_lot::Mutex;

    const LONG: Duration = Duration::from_secs(20);

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<SpanRecord>>>);

    impl Exporter for Memory {
        fn export(&mut self, _: &Resource, spans: &[SpanRecord]) -> Result<Export> {
            assert!(!spans.iter().any(|span| span.name == "panic"), "asked to");
            self.0.lock().extend_from_slice(spans);
            Ok(Export::Done { rejected: 0 })
        }
    }

    fn tracer(change: impl FnOnce(&mut TracerOptions)) -> (Tracer, Memory, Arc<ManualClock>) {
        let memory = Memory::default();
        let clock = ManualClock::at(1_000);
        let mut options = TracerOptions::new("test", Box::new(memory.clone()));
        change(&mut options);
        (Tracer::new(options, clock.clone()).unwrap(), memory, clock)
    }

    #[test]
    fn a_child_has_its_parents_trace_and_everything_said_arrives() {
        let (tracer, memory, clock) = tracer(|_| {});
        let mut parent = tracer.start("job", Kind::Server, None);
        parent.set("tries", 2_i64);
        parent.set("tries", 3_i64);
        let mut child = tracer.start("stage", Kind::Internal, parent.context());
        clock.advance(5);
        child.event("line", &[("n", 1_i64.into())]);
        child.fail(&Error::new(Code::Timeout, "too long"));
        drop(child);
        parent.end();
        assert!(tracer.flush(LONG));
        let spans = memory.0.lock();
        let [child, parent] = &spans[..] else {
            panic!("two spans")
        };
        assert_eq!(
            (child.parent, child.context.trace),
            (Some(parent.context.span), parent.context.trace)
        );
        assert_eq!(child.end_ns - child.start_ns, 5_000_000);
        assert_eq!(child.status, Status::Error("too long".to_owned()));
        assert_eq!(child.events.len(), 2);
        assert_eq!(parent.attributes, [("tries".to_owned(), 3_i64.into())]);
        let metrics = tracer.metrics();
        assert_eq!(
            (metrics.started, metrics.ended, metrics.exported),
            (2, 2, 2)
        );
    }

    #[test]
    fn a_disabled_tracer_does_nothing() {
        let tracer = Tracer::disabled();
        let mut span = tracer.start("x", Kind::Internal, None);
        span.set("a", true);
        assert!(span.context().is_none());
        span.end();
        assert!(tracer.shutdown(LONG));
        assert_eq!(tracer.metrics(), TracerMetrics::default());
    }

    #[test]
    fn secrets_are_taken_out_of_every_text() {
        let (tracer, memory, _) = tracer(|options| {
            options.redact = Some(Arc::new(|text| text.replace("hush", "***")));
        });
        let mut span = tracer.start("hush name", Kind::Internal, None);
        span.set("hush key", vec!["a hush"]);
        span.event("hush event", &[("k", "hush".into())]);
        span.fail(&Error::new(Code::Internal, "hush message"));
        span.end();
        assert!(tracer.shutdown(LONG));
        assert!(!format!("{:?}", memory.0.lock()).contains("hush"));
    }

    #[test]
    fn what_is_more_than_the_limits_is_dropped_and_counted() {
        let (tracer, memory, _) = tracer(|options| {
            options.limits = Limits {
                attributes: 2,
                events: 1,
                links: 0,
                text: 5,
            }
        });
        let mut span = tracer.start("long name", Kind::Internal, None);
        for key in ["a", "b", "c", "d"] {
            span.set(key, "äääää");
        }
        span.event("1", &[]);
        span.event("2", &[]);
        let context = span.context().cloned().unwrap();
        span.link(&context);
        span.end();
        assert!(tracer.flush(LONG));
        let spans = memory.0.lock();
        assert_eq!(
            (
                spans[0].dropped_attributes,
                spans[0].dropped_events,
                spans[0].dropped_links
            ),
            (2, 1, 1)
        );
        assert_eq!(
            (spans[0].name.as_str(), &spans[0].attributes[0].1),
            ("long ", &"ää".into())
        );
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_a_panic_costs_only_its_batch() {
        let (tracer, memory, _) = tracer(|options| {
            options.batch = BatchOptions {
                max_size: 1,
                max_queue: 4,
                interval: 60_000,
            }
        });
        tracer.start("panic", Kind::Internal, None).end();
        assert!(tracer.flush(LONG));
        for _ in 0..1_000 {
            tracer.start("x", Kind::Internal, None).end();
        }
        assert!(tracer.shutdown(LONG));
        tracer.start("late", Kind::Internal, None).end();
        let metrics = tracer.metrics();
        assert_eq!((metrics.failed, metrics.started), (1, 1_002));
        assert_eq!(metrics.exported + metrics.dropped, 1_001);
        assert_eq!(memory.0.lock().len() as u64, metrics.exported);
        assert!(metrics.dropped >= 1);
    }

    #[test]
    fn the_interval_exports_without_a_flush() {
        let (tracer, memory, _) = tracer(|options| options.batch.interval = 20);
        tracer.start("x", Kind::Internal, None).end();
        let deadline = std::time::Instant::now() + LONG;
        while memory.0.lock().is_empty() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(memory.0.lock().len(), 1);
    }
}
