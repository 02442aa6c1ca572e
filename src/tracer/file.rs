//! Spans kept on the disk, so that a trace can be looked at without a receiver.
//!
//! Each line is one `ExportTraceServiceRequest` in OTLP's JSON, the form of the collector's file
//! exporter. Two files of half the bound each take turns.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::context::{SpanId, TraceId};
use super::exporter::{Export, Exporter, Resource};
use super::otlp::encode_json;
use super::span::SpanRecord;
use crate::error::{Code, Error, Result};

/// Bytes of both files together.
const MOST_BYTES: u64 = 16 << 20;

const NEWER: &str = "spans.jsonl";
const OLDER: &str = "spans.1.jsonl";

/// Writes spans to two files in turn, and hands them on.
pub struct FileExporter {
    directory: PathBuf,
    most: u64,
    open: Option<(File, u64)>,
    next: Option<Box<dyn Exporter>>,
    /// The first span of the batch that was written last: it may come again, since `next` may ask for it.
    written: Option<SpanId>,
}

impl FileExporter {
    /// Keeps at most 16 MiB of spans in `directory`, which is made at the first of them.
    pub fn new(directory: PathBuf, next: Option<Box<dyn Exporter>>) -> Self {
        Self {
            directory,
            most: MOST_BYTES,
            open: None,
            next,
            written: None,
        }
    }

    fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        let (mut file, mut size) = match self.open.take() {
            Some(open) => open,
            None => open(&self.directory)?,
        };
        if size > 0 && size + line.len() as u64 > self.most / 2 {
            drop(file);
            fs::rename(self.directory.join(NEWER), self.directory.join(OLDER))?;
            (file, size) = open(&self.directory)?;
        }
        file.write_all(line)?;
        self.open = Some((file, size + line.len() as u64));
        Ok(())
    }
}

fn open(directory: &Path) -> std::io::Result<(File, u64)> {
    fs::create_dir_all(directory)?;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(directory.join(NEWER))?;
    let mut file = file;
    let size = file.metadata()?.len();
    if size > 0 {
        // The last line may have been cut short; the next one must not continue it.
        file.write_all(b"\n")?;
    }
    Ok((file, size))
}

impl Exporter for FileExporter {
    fn export(&mut self, resource: &Resource, spans: &[SpanRecord]) -> Result<Export> {
        let first = spans.first().map(|span| span.context.span);
        let mut kept = Ok(());
        if first != self.written {
            self.written = first;
            let mut line = encode_json(resource, spans);
            line.push(b'\n');
            if line.len() as u64 <= self.most / 2 {
                kept = self.write(&line);
            }
        }
        match &mut self.next {
            // A full disk must not keep spans from their receiver.
            Some(next) => next.export(resource, spans),
            None => kept.map(|()| Export::Done { rejected: 0 }).map_err(|error| {
                let what = format!("spans could not be written to {}", self.directory.display());
                Error::new(Code::ExportFailed, what).because(error)
            }),
        }
    }
}

/// The spans of a trace that are kept in `directory`, as OTLP's JSON has them, the oldest first.
pub fn stored_spans(directory: &Path, trace: TraceId) -> Result<Vec<Value>> {
    let id = trace.to_string();
    let mut spans = Vec::new();
    for name in [OLDER, NEWER] {
        let file = match File::open(directory.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(directory, error)),
        };
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| unreadable(directory, error))?;
            // A line that a kill cut short is no JSON, and is left out.
            let line = String::from_utf8_lossy(&line);
            if line.contains(&id) {
                collect(&line, &id, &mut spans);
            }
        }
    }
    Ok(spans)
}

fn collect(line: &str, id: &str, spans: &mut Vec<Value>) {
    let Ok(Value::Object(request)) = serde_json::from_str(line) else {
        return;
    };
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    for resource in list(&Value::Object(request), "resourceSpans") {
        for scope in list(&resource, "scopeSpans") {
            spans.extend(list(&scope, "spans").into_iter().filter(|span| span["traceId"] == id));
        }
    }
}

fn unreadable(directory: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::StoreUnavailable,
        format!("the spans in {} cannot be read", directory.display()),
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::tracer::{Kind, Redact, Tracer, TracerOptions};
    use std::sync::Arc;
    use std::time::Duration;

    fn tracer(exporter: FileExporter) -> Tracer {
        let mut options = TracerOptions::new("test", Box::new(exporter));
        let redact: Redact = Arc::new(|text| text.replace("hunter2", "***"));
        options.redact = Some(redact);
        Tracer::new(options, SystemClock::shared()).unwrap()
    }

    #[test]
    fn a_trace_is_found_again_redacted_and_across_openings() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("traces");
        let trace = TraceId::random();
        assert!(stored_spans(&directory, trace).unwrap().is_empty());
        for name in ["first hunter2", "second"] {
            let tracer = tracer(FileExporter::new(directory.clone(), None));
            let _ = tracer.start("another trace", Kind::Internal, None);
            let mut span = tracer.start_in(Some(trace), name, Kind::Internal, None);
            span.set("password", "hunter2");
            span.end();
            assert!(tracer.shutdown(Duration::from_secs(10)));
        }
        let spans = stored_spans(&directory, trace).unwrap();
        let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["first ***", "second"]);
        assert!(!serde_json::to_string(&spans).unwrap().contains("hunter2"));
    }

    #[test]
    fn the_files_stay_within_their_bound_and_lose_the_oldest() {
        let folder = tempfile::tempdir().unwrap();
        let mut exporter = FileExporter::new(folder.path().to_owned(), None);
        exporter.most = 20_000;
        let tracer = tracer(exporter);
        let mut last = TraceId::random();
        let first = last;
        for _ in 0..200 {
            let _ = tracer.start_in(Some(last), &"x".repeat(300), Kind::Internal, None);
            assert!(tracer.flush(Duration::from_secs(10)));
            last = TraceId::random();
        }
        let _ = tracer.start_in(Some(last), "last", Kind::Internal, None);
        assert!(tracer.shutdown(Duration::from_secs(10)));
        let size: u64 = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(size <= 20_000, "{size}");
        assert!(stored_spans(folder.path(), first).unwrap().is_empty());
        assert_eq!(stored_spans(folder.path(), last).unwrap().len(), 1);
    }

    #[test]
    fn a_batch_that_is_sent_again_is_written_once() {
        struct Twice(u32);
        impl Exporter for Twice {
            fn export(&mut self, _: &Resource, _: &[SpanRecord]) -> Result<Export> {
                self.0 += 1;
                let after = Some(Duration::from_millis(1));
                Ok(if self.0 == 1 {
                    Export::Retry {
                        after,
                        why: "busy".into(),
                    }
                } else {
                    Export::Done { rejected: 0 }
                })
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let tracer = tracer(FileExporter::new(folder.path().to_owned(), Some(Box::new(Twice(0)))));
        let trace = TraceId::random();
        let _ = tracer.start_in(Some(trace), "once", Kind::Internal, None);
        assert!(tracer.shutdown(Duration::from_secs(10)));
        assert_eq!(stored_spans(folder.path(), trace).unwrap().len(), 1);
        assert_eq!(tracer.metrics().exported, 1);
    }
}
