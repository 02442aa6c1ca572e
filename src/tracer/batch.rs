//! Exports in batches on a thread of its own, which a blocked event loop or a full runtime cannot stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch_options::{BatchOptions, TracerMetrics};
use super::exporter::{Export, Exporter, Resource};
use super::frame::Frame;
use super::queue::{Item, Queue};
use super::redact::{Redact, redact};
use super::span::SpanRecord;
use crate::error::{Code, Error, Result};
use parking_lot::{Condvar, Mutex};

/// Bytes that may wait, whatever the number of spans.
const MOST_BYTES: usize = 64 << 20;
const ATTEMPTS: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// The queue and its thread, which starts with the first span.
pub struct Batcher {
    shared: Arc<Shared>,
    work: Mutex<Option<Work>>,
    options: BatchOptions,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Something came, or somebody waits.
    wake: Condvar,
    /// The fate of some spans is known.
    settled: Condvar,
}

struct Work {
    exporter: Box<dyn Exporter>,
    resource: Resource,
    redact: Option<Redact>,
}

impl Batcher {
    /// Options out of range are `OPTION_INVALID`.
    pub fn new(
        exporter: Box<dyn Exporter>,
        resource: Resource,
        options: BatchOptions,
        redact: Option<Redact>,
    ) -> Result<Self> {
        options.check()?;
        let shared = Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            settled: Condvar::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            work: Mutex::new(Some(Work {
                exporter,
                resource,
                redact,
            })),
            options,
        })
    }

    /// Takes one span in.
    pub fn push(&self, span: SpanRecord) {
        self.add(Item::Record(Box::new(span)));
    }

    /// Takes many in, unread.
    pub fn push_frame(&self, frame: Frame) {
        self.add(Item::Frame(frame));
    }

    fn add(&self, item: Item) {
        let queue = &mut *self.shared.queue.lock();
        if !queue.push(item, self.options.max_queue, MOST_BYTES, Instant::now()) {
            return;
        }
        if !queue.running
            && let Some(mut work) = self.work.lock().take()
        {
            let (shared, options) = (Arc::clone(&self.shared), self.options);
            queue.running = true;
            let thread = std::thread::Builder::new().name("auton8n-tracer".to_owned());
            if let Err(error) = thread.spawn(move || work.run(&shared, options)) {
                queue.running = false;
                queue.metrics.last_error = Some(format!("no thread for the exporter: {error}"));
            }
        }
        if queue.len() >= self.options.max_size || queue.added - queue.settled <= 256 {
            self.shared.wake.notify_one();
        }
    }

    /// Counts started and ended spans.
    pub fn count(&self, started: u64, ended: u64) {
        let metrics = &mut self.shared.queue.lock().metrics;
        metrics.started += started;
        metrics.ended += ended;
    }

    /// Waits until everything that was taken in is exported or failed; false when the time is up.
    pub fn flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let queue = &mut self.shared.queue.lock();
        let target = queue.added;
        queue.wanted = queue.wanted.max(target);
        self.shared.wake.notify_one();
        while queue.settled < target && queue.running {
            if self.shared.settled.wait_until(queue, deadline).timed_out() {
                return queue.settled >= target;
            }
        }
        queue.settled >= target
    }

    /// Sends what waits for at most `timeout` and ends the thread; what is left is counted as failed.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        self.shared.queue.lock().closing.get_or_insert(deadline);
        let whole = self.flush(timeout);
        self.shared.wake.notify_one();
        whole
    }

    /// What became of the spans so far.
    pub fn metrics(&self) -> TracerMetrics {
        self.shared.queue.lock().metrics.clone()
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.shared.queue.lock().closing.get_or_insert_with(Instant::now);
        self.shared.wake.notify_one();
    }
}

impl Work {
    fn run(&mut self, shared: &Shared, options: BatchOptions) {
        while let Some(items) = next_batch(shared, options) {
            let (mut spans, mut unread) = (Vec::with_capacity(options.max_size), 0);
            for item in items {
                let (read, missing) = item.read();
                spans.extend(read);
                unread += missing as u64;
            }
            if let Some(by) = &self.redact {
                for span in &mut spans {
                    redact(span, by);
                }
            }
            settle(
                shared,
                unread,
                0,
                unread,
                (unread > 0).then(|| "a span could not be read".to_owned()),
            );
            for batch in spans.chunks(options.max_size) {
                let total = batch.len() as u64;
                match self.send(shared, batch) {
                    Ok(rejected) => {
                        let rejected = rejected.min(total);
                        let why = (rejected > 0).then(|| format!("the receiver rejected {rejected} spans"));
                        settle(shared, total, total - rejected, rejected, why);
                    }
                    Err(error) => settle(shared, total, 0, total, Some(error.to_string())),
                }
            }
        }
        let queue = &mut *shared.queue.lock();
        queue.running = false;
        shared.settled.notify_all();
    }

    /// Sends one batch, again where the receiver asks for it.
    fn send(&mut self, shared: &Shared, batch: &[SpanRecord]) -> Result<u64> {
        let mut delay = FIRST_DELAY;
        for attempt in 1.. {
            let closing = shared.queue.lock().closing;
            if closing.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Error::new(
                    Code::ExportFailed,
                    "There was no time left to send the spans",
                ));
            }
            // A panic of an exporter costs its batch, not the thread.
            let sent = catch_unwind(AssertUnwindSafe(|| self.exporter.export(&self.resource, batch)))
                .unwrap_or_else(|_| Err(Error::new(Code::ExportFailed, "The exporter panicked")))?;
            match sent {
                Export::Done { rejected } => return Ok(rejected),
                Export::Retry { why, .. } if attempt == ATTEMPTS => {
                    return Err(Error::new(Code::ExportFailed, format!("{why}, {ATTEMPTS} times")));
                }
                Export::Retry { after, why } => {
                    shared.queue.lock().metrics.last_error = Some(why);
                    let jittered = delay.mul_f64(0.75 + fastrand::f64() / 2.0);
                    pause(shared, after.map_or(jittered, |after| after.min(LONGEST_DELAY)));
                    delay = (delay * 2).min(LONGEST_DELAY);
                }
            }
        }
        Ok(0)
    }
}

/// Sleeps, but not beyond the end.
fn pause(shared: &Shared, time: Duration) {
    let until = Instant::now() + time;
    let mut queue = shared.queue.lock();
    loop {
        let until = queue.closing.map_or(until, |deadline| deadline.min(until));
        if Instant::now() >= until || shared.wake.wait_until(&mut queue, until).timed_out() {
            return;
        }
    }
}

/// Waits for a batch that is full, old or wanted; `None` when it is over.
fn next_batch(shared: &Shared, options: BatchOptions) -> Option<Vec<Item>> {
    let mut queue = shared.queue.lock();
    loop {
        let waits = queue.len() > 0;
        let asked = queue.closing.is_some() || queue.wanted > queue.settled;
        let due = queue.since.map(|since| since + Duration::from_millis(options.interval));
        let now = Instant::now();
        if waits && (asked || queue.len() >= options.max_size || due.is_some_and(|due| now >= due)) {
            return Some(queue.take(options.max_size, now));
        }
        if queue.closing.is_some() {
            return None;
        }
        match due {
            Some(due) => {
                shared.wake.wait_until(&mut queue, due);
            }
            None => shared.wake.wait(&mut queue),
        }
    }
}

fn settle(shared: &Shared, settled: u64, exported: u64, failed: u64, why: Option<String>) {
    let queue = &mut *shared.queue.lock();
    queue.settled += settled;
    queue.metrics.exported += exported;
    queue.metrics.failed += failed;
    if why.is_some() {
        queue.metrics.last_error = why;
    }
    shared.settled.notify_all();
}
