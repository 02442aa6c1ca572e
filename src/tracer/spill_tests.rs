use parking_lot::Mutex;

use super::*;
use crate::clock::SystemClock;
use crate::tracer::{Export, Exporter, Kind, Tracer, TracerOptions};

const LONG: Duration = Duration::from_mins(1);

/// Takes spans, or says for ever that it is busy.
struct Receiver {
    taken: Arc<Mutex<Vec<String>>>,
    busy: bool,
}

impl Exporter for Receiver {
    fn export(&mut self, _: &Resource, spans: &[SpanRecord]) -> Result<Export> {
        if self.busy {
            let after = Some(Duration::from_secs(30));
            let why = "busy".into();
            return Ok(Export::Retry { after, why });
        }
        self.taken.lock().extend(spans.iter().map(|span| span.name.clone()));
        Ok(Export::Done { rejected: 0 })
    }
}

fn tracer(directory: &Path, service: &str, busy: bool, most: u64) -> (Tracer, Arc<Mutex<Vec<String>>>) {
    let taken = Arc::<Mutex<Vec<String>>>::default();
    let exporter = Receiver {
        taken: Arc::clone(&taken),
        busy,
    };
    let mut options = TracerOptions::new(service, Box::new(exporter));
    let redact: Redact = Arc::new(|text| text.replace("hunter2", "***"));
    options.redact = Some(redact);
    options.spill = Some(SpillOptions {
        directory: directory.to_owned(),
        max_bytes: most,
    });
    (Tracer::new(options, SystemClock::shared()).unwrap(), taken)
}

fn text_in(directory: &Path) -> String {
    let files = fs::read_dir(directory).into_iter().flatten();
    files
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default())
        .collect()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_was_not_sent_is_sent_by_the_next_one_redacted_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = tracer(folder.path(), "svc", true, 1 << 20);
    let mut span = first.start("asks hunter2", Kind::Client, None);
    span.set("password", "hunter2");
    span.set("ratio", f64::NAN);
    span.event("hunter2 said", &[]);
    span.end();
    let _ = first.start("second", Kind::Internal, None);
    until("both are kept", || text_in(folder.path()).lines().count() == 3);
    assert!(!text_in(folder.path()).contains("hunter2"));
    // There is no time: as good as a kill, but for the lock, which goes with the thread.
    first.shutdown(Duration::from_millis(1));
    drop(first);

    let (stranger, taken) = tracer(folder.path(), "another", false, 1 << 20);
    assert!(stranger.shutdown(LONG));
    assert!(taken.lock().is_empty());
    drop(stranger);
    until("the next one sends them", || {
        let (second, taken) = tracer(folder.path(), "svc", false, 1 << 20);
        assert!(second.shutdown(LONG));
        let found = !taken.lock().is_empty();
        if found {
            assert_eq!(*taken.lock(), ["asks ***", "second"]);
        }
        found
    });
    until("its file is gone", || text_in(folder.path()).is_empty());
    let (third, taken) = tracer(folder.path(), "svc", false, 1 << 20);
    assert!(third.shutdown(LONG));
    assert!(taken.lock().is_empty(), "only once");
}

#[test]
fn files_go_with_what_was_sent_and_stay_within_their_bound() {
    let folder = tempfile::tempdir().unwrap();
    let (quick, taken) = tracer(folder.path(), "svc", false, 1 << 20);
    for _ in 0..1_000 {
        let _ = quick.start("sent", Kind::Internal, None);
    }
    assert!(quick.flush(LONG));
    assert_eq!(taken.lock().len(), 1_000);
    until("nothing is left", || text_in(folder.path()).is_empty());
    assert_eq!(quick.metrics().unkept, Some(0));

    let (stuck, _) = tracer(folder.path(), "svc", true, 20_000);
    for _ in 0..1_000 {
        let _ = stuck.start(&"x".repeat(100), Kind::Internal, None);
    }
    until("it is full", || stuck.metrics().unkept.unwrap() > 500);
    assert!(text_in(folder.path()).len() <= 20_000);
    assert_eq!(stuck.metrics().dropped, 0, "they wait in memory all the same");
    stuck.shutdown(Duration::from_millis(1));
}

#[test]
fn a_damaged_file_and_a_directory_that_cannot_be_made_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a", ""), ("b", "{"), ("c", "[]\n{}\n"), ("d", "\u{0}\n\n")] {
        fs::write(folder.path().join(format!("{name}{SUFFIX}")), text).unwrap();
    }
    let (sound, taken) = tracer(folder.path(), "svc", false, 1 << 20);
    let _ = sound.start("goes", Kind::Internal, None);
    assert!(sound.shutdown(LONG));
    assert_eq!(*taken.lock(), ["goes"]);

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (barred, taken) = tracer(&file, "svc", false, 1 << 20);
    let _ = barred.start("goes", Kind::Internal, None);
    assert!(barred.shutdown(LONG));
    assert_eq!(*taken.lock(), ["goes"]);
    assert!(
        SpillOptions {
            directory: PathBuf::new(),
            max_bytes: 1 << 20
        }
        .check()
        .is_err()
    );
    assert!(
        SpillOptions {
            directory: "x".into(),
            max_bytes: 1
        }
        .check()
        .is_err()
    );
}
