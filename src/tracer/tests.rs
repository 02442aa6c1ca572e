use super::*;
use crate::clock::ManualClock;
use crate::tracer::exporter::Export;
use parking_lot::Mutex;

const LONG: Duration = Duration::from_mins(1);

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
    assert_eq!((metrics.started, metrics.ended, metrics.exported), (2, 2, 2));
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
