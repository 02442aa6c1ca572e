//! Spans kept in files until they are exported, so that a process which is killed loses few of them.
//!
//! A thread of its own writes what was taken in, redacted, into segments of lines: first the resource, then a
//! line for each span. A segment goes when the fate of all its spans is known. What a process left behind is
//! exported by the next one of the same resource; a file lock tells who is alive.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::batch::Shared;
use super::exporter::Resource;
use super::queue::Item;
use super::redact::{Redact, redact};
use super::span::SpanRecord;
use super::spill_options::SpillOptions;
use crate::error::{Code, Error, Result};

/// Bytes after which a segment is full.
const SEGMENT: u64 = 256 << 10;
/// How often it is looked whether segments may go.
const LOOK: Duration = Duration::from_millis(100);
/// How long the end of the tracer waits for the last of them.
const END: Duration = Duration::from_secs(3);
const SUFFIX: &str = ".spans";

enum Told {
    /// Taken in; the number of spans ever taken in, with these.
    Spans(Item, u64),
    /// Let segments go now, and say so.
    Settle(Sender<()>),
}

/// The handle on the thread.
pub struct Spill {
    told: Sender<Told>,
    /// Spans that are still to be written.
    waiting: Arc<AtomicUsize>,
    /// Spans that could not be kept: too many, no room, or a failing disk.
    pub unkept: Arc<AtomicU64>,
    most: usize,
}

impl Spill {
    /// Starts the thread, which first takes up what others left.
    pub fn start(
        options: SpillOptions,
        resource: Resource,
        redact: Option<Redact>,
        most: usize,
        shared: Arc<Shared>,
    ) -> Result<Self> {
        options.check()?;
        let (told, hears) = mpsc::channel();
        let (waiting, unkept) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let mut segments = Segments {
            options,
            resource,
            redact,
            shared,
            waiting: Arc::clone(&waiting),
            unkept: Arc::clone(&unkept),
            open: None,
            full: VecDeque::new(),
        };
        std::thread::Builder::new()
            .name("auton8n-spill".to_owned())
            .spawn(move || segments.run(&hears))
            .map_err(|error| {
                Error::new(Code::ExportFailed, "no thread could be started to keep spans").because(error)
            })?;
        Ok(Self {
            told,
            waiting,
            unkept,
            most,
        })
    }

    /// Keeps them until `upto` spans have been exported.
    pub fn keep(&self, item: Item, upto: u64) {
        let spans = item.spans();
        if self.waiting.load(Ordering::Relaxed) + spans > self.most {
            self.unkept.fetch_add(spans as u64, Ordering::Relaxed);
            return;
        }
        self.waiting.fetch_add(spans, Ordering::Relaxed);
        // The thread lives as long as this.
        let _ = self.told.send(Told::Spans(item, upto));
    }

    /// Lets go what has been exported, within the time.
    pub fn settle(&self, deadline: Instant) {
        let (done, wait) = mpsc::channel();
        if self.told.send(Told::Settle(done)).is_ok() {
            let _ = wait.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

/// One file of lines; the lock is held as long as it is open.
struct Segment {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    /// It may go when so many spans have been exported.
    upto: u64,
}

struct Segments {
    options: SpillOptions,
    resource: Resource,
    redact: Option<Redact>,
    shared: Arc<Shared>,
    waiting: Arc<AtomicUsize>,
    unkept: Arc<AtomicU64>,
    open: Option<Segment>,
    full: VecDeque<Segment>,
}

impl Segments {
    fn run(&mut self, hears: &Receiver<Told>) {
        self.adopt();
        loop {
            match hears.recv_timeout(LOOK) {
                Ok(Told::Spans(item, upto)) => self.take(item, upto),
                Ok(Told::Settle(done)) => {
                    self.release();
                    // Nobody may wait any more.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => self.release(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Nothing is sent any more: what is left is for the next process.
            if self.shared.is_over() {
                break;
            }
        }
        while let Ok(Told::Spans(item, upto)) = hears.try_recv() {
            self.take(item, upto);
        }
        let end = Instant::now() + END;
        self.release();
        while (self.open.is_some() || !self.full.is_empty()) && self.shared.is_running() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
            self.release();
        }
        self.release();
    }

    fn take(&mut self, item: Item, upto: u64) {
        let spans = item.spans();
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        if self.shared.decided() >= upto {
            return;
        }
        let (records, _) = item.read();
        if self.write(records, upto).is_err() {
            self.unkept.fetch_add(spans as u64, Ordering::Relaxed);
        }
    }

    fn write(&mut self, records: Vec<SpanRecord>, upto: u64) -> std::io::Result<()> {
        let mut lines = Vec::with_capacity(records.len() * 512);
        for mut span in records {
            if let Some(by) = &self.redact {
                redact(&mut span, by);
            }
            serde_json::to_writer(&mut lines, &span)?;
            lines.push(b'\n');
        }
        if self.open.as_ref().is_some_and(|open| open.bytes >= SEGMENT) {
            self.full.extend(self.open.take());
        }
        let used: u64 = self.full.iter().chain(&self.open).map(|segment| segment.bytes).sum();
        if used + lines.len() as u64 > self.options.max_bytes {
            return Err(std::io::ErrorKind::QuotaExceeded.into());
        }
        let mut segment = match self.open.take() {
            Some(open) => open,
            None => self.create()?,
        };
        segment.file.write_all(&lines)?;
        segment.file.flush()?;
        segment.bytes += lines.len() as u64;
        segment.upto = upto;
        self.open = Some(segment);
        Ok(())
    }

    fn create(&self) -> std::io::Result<Segment> {
        let directory = &self.options.directory;
        fs::create_dir_all(directory)?;
        let path = directory.join(format!("{}{SUFFIX}", Uuid::now_v7()));
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.lock()?;
        let mut file = BufWriter::new(file);
        let mut head = serde_json::to_vec(&self.resource)?;
        head.push(b'\n');
        file.write_all(&head)?;
        Ok(Segment {
            path,
            file,
            bytes: head.len() as u64,
            upto: 0,
        })
    }

    /// Deletes the segments whose spans are all exported.
    fn release(&mut self) {
        let decided = self.shared.decided();
        while let Some(oldest) = self.full.pop_front_if(|segment| segment.upto <= decided) {
            // What cannot be deleted is exported once more by the next process.
            let _ = fs::remove_file(&oldest.path);
        }
        if let Some(open) = self.open.take_if(|segment| segment.upto <= decided) {
            let _ = fs::remove_file(&open.path);
        }
    }

    /// Takes up what dead processes of this resource left: it waits here like spans of our own.
    fn adopt(&mut self) {
        let Ok(entries) = fs::read_dir(&self.options.directory) else {
            return;
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with(SUFFIX))
            .collect();
        // Their names begin with the time.
        paths.sort();
        for path in paths {
            let Some((file, spans)) = left_behind(&path, &self.resource) else {
                continue;
            };
            let bytes = file.metadata().map_or(0, |meta| meta.len());
            let add = |span| self.shared.add(Item::Record(Box::new(span)));
            let Some(upto) = spans.into_iter().try_fold(0, |_, span| add(span)) else {
                // Full, or closing already: the file stays for the next process.
                continue;
            };
            let segment = Segment {
                path,
                file: BufWriter::new(file),
                bytes,
                upto,
            };
            self.full.push_back(segment);
        }
        self.shared.wake();
    }
}

/// The spans of a segment whose process is dead, with its lock; `None` where it is not ours to take.
fn left_behind(path: &Path, resource: &Resource) -> Option<(File, Vec<SpanRecord>)> {
    let file = OpenOptions::new().read(true).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    let mut lines = BufReader::new(&file).split(b'\n').map_while(std::io::Result::ok);
    let theirs: Resource = serde_json::from_slice(&lines.next()?).ok()?;
    if theirs != *resource {
        return None;
    }
    // A line that a kill cut short is no JSON.
    let spans = lines.filter_map(|line| serde_json::from_slice(&line).ok()).collect();
    Some((file, spans))
}

#[cfg(test)]
#[path = "spill_tests.rs"]
mod tests;
