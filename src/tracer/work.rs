//! The exporter's thread: takes batches, sends them, and tells what became of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::batch::Shared;
use super::batch_options::BatchOptions;
use super::exporter::{Export, Exporter, Resource};
use super::queue::{Item, Queue};
use super::redact::{Redact, redact};
use super::span::SpanRecord;
use crate::error::{Code, Error, Result};

const ATTEMPTS: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// What the thread owns.
pub struct Work {
    pub exporter: Box<dyn Exporter>,
    pub resource: Resource,
    pub redact: Option<Redact>,
}

impl Work {
    /// Works until the queue closes.
    pub fn run(&mut self, shared: &Shared, options: BatchOptions) {
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
            if shared.is_late() {
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

/// Whether the time of a closing queue is over.
pub fn is_late(queue: &Queue) -> bool {
    queue.closing.is_some_and(|deadline| Instant::now() >= deadline)
}

fn settle(shared: &Shared, settled: u64, exported: u64, failed: u64, why: Option<String>) {
    let queue = &mut *shared.queue.lock();
    // What there was no time for is decided by the next process, where spans are kept for it.
    if queue.decided == queue.settled && !(failed > 0 && is_late(queue)) {
        queue.decided += settled;
    }
    queue.settled += settled;
    queue.metrics.exported += exported;
    queue.metrics.failed += failed;
    if exported + failed > 0 {
        queue.metrics.failing = failed > 0;
    }
    if why.is_some() {
        queue.metrics.last_error = why;
    }
    shared.settled.notify_all();
}
