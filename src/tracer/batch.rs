//! Exports in batches on a thread of its own, which a blocked event loop or a full runtime cannot stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::batch_options::{BatchOptions, TracerMetrics};
use super::exporter::{Exporter, Resource};
use super::frame::Frame;
use super::queue::{Item, Queue};
use super::redact::Redact;
use super::span::SpanRecord;
use super::spill::Spill;
use super::spill_options::SpillOptions;
use super::work::{Work, is_late};
use crate::error::Result;
use parking_lot::{Condvar, Mutex};

/// Bytes that may wait, whatever the number of spans.
const MOST_BYTES: usize = 64 << 20;
/// What a flush may take longer, so that files of spans which are exported are gone.
const SETTLE: Duration = Duration::from_millis(200);

/// The queue and its thread, which starts with the first span.
pub struct Batcher {
    shared: Arc<Shared>,
    spill: Option<Spill>,
}

/// What the handle and the threads share.
pub struct Shared {
    pub(super) queue: Mutex<Queue>,
    /// Something came, or somebody waits.
    pub(super) wake: Condvar,
    /// The fate of some spans is known.
    pub(super) settled: Condvar,
    work: Mutex<Option<Work>>,
    options: BatchOptions,
}

impl Batcher {
    /// Options out of range are `OPTION_INVALID`.
    pub fn new(
        exporter: Box<dyn Exporter>,
        resource: Resource,
        options: BatchOptions,
        redact: Option<Redact>,
        spill: Option<SpillOptions>,
    ) -> Result<Self> {
        options.check()?;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            settled: Condvar::new(),
            work: Mutex::new(Some(Work {
                exporter,
                resource: resource.clone(),
                redact: redact.clone(),
            })),
            options,
        });
        let start = |spill| Spill::start(spill, resource, redact, options.max_queue, Arc::clone(&shared));
        let spill = spill.map(start).transpose()?;
        Ok(Self { shared, spill })
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
        let Some(spill) = &self.spill else {
            self.shared.add(item);
            return;
        };
        if let Some(upto) = self.shared.add(item.clone()) {
            spill.keep(item, upto);
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
        let whole = self.shared.flush(deadline);
        if let Some(spill) = &self.spill {
            spill.settle(deadline.max(Instant::now() + SETTLE));
        }
        whole
    }

    /// Sends what waits for at most `timeout` and ends the thread; what is left is counted as failed.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        if let Some(spill) = &self.spill {
            // What others left is taken in first: nothing is, once it is closing.
            spill.settle(deadline);
        }
        self.shared.queue.lock().closing.get_or_insert(deadline);
        let whole = self.flush(timeout);
        self.shared.wake.notify_one();
        whole
    }

    /// What became of the spans so far.
    pub fn metrics(&self) -> TracerMetrics {
        let mut metrics = self.shared.queue.lock().metrics.clone();
        metrics.unkept = self.spill.as_ref().map(|spill| spill.unkept.load(Ordering::Relaxed));
        metrics
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.shared.queue.lock().closing.get_or_insert_with(Instant::now);
        self.shared.wake.notify_one();
    }
}

impl Shared {
    /// Takes them in, and answers how many ever were; `None` where they had to be dropped.
    pub fn add(self: &Arc<Self>, item: Item) -> Option<u64> {
        let queue = &mut *self.queue.lock();
        if !queue.push(item, self.options.max_queue, MOST_BYTES, Instant::now()) {
            return None;
        }
        if !queue.running
            && let Some(mut work) = self.work.lock().take()
        {
            let shared = Arc::clone(self);
            queue.running = true;
            let thread = std::thread::Builder::new().name("auton8n-tracer".to_owned());
            if let Err(error) = thread.spawn(move || work.run(&shared, shared.options)) {
                queue.running = false;
                queue.metrics.last_error = Some(format!("no thread for the exporter: {error}"));
            }
        }
        if queue.len() >= self.options.max_size || queue.added - queue.settled <= 256 {
            self.wake.notify_one();
        }
        Some(queue.added)
    }

    /// Of all that ever were taken in, the number of those whose fate is known for good, the oldest ones.
    pub fn decided(&self) -> u64 {
        self.queue.lock().decided
    }

    /// Whether the exporter's thread works.
    pub fn is_running(&self) -> bool {
        self.queue.lock().running
    }

    /// Whether it is closed and nothing is sent any more.
    pub fn is_over(&self) -> bool {
        let queue = self.queue.lock();
        queue.closing.is_some() && !queue.running
    }

    /// Has the exporter's thread look again.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    fn flush(&self, deadline: Instant) -> bool {
        let queue = &mut self.queue.lock();
        let target = queue.added;
        queue.wanted = queue.wanted.max(target);
        self.wake.notify_one();
        while queue.settled < target && queue.running {
            if self.settled.wait_until(queue, deadline).timed_out() {
                break;
            }
        }
        queue.settled >= target
    }

    /// Whether the time to close is over.
    pub fn is_late(&self) -> bool {
        is_late(&self.queue.lock())
    }
}
