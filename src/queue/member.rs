//! A process's part in a queue: it has the store itself, or is served by the process that owns the
//! data directory, and takes its place when that one goes. Handlers and workers stay registered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::seat::{Seat, Where};
use super::socket::Peer;
use super::{
    Handler, HubOptions, Job, PlainAdded, PlainJobs, Queue, QueueApi, Retention, Schedule, Worker, WorkerOptions,
};
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};
use crate::event::EventSink;

/// Between two attempts to take a place.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a call waits for a new owner.
const PATIENCE: Duration = Duration::from_secs(5);

/// Called with a worker when it really works; a standing-by one does later.
type Started = Box<dyn Fn(&Worker) + Send + Sync>;

/// How a member takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemberOptions {
    /// Those of the first opening of a store in a process count.
    pub hub: HubOptions,
    /// Of ended jobs of its queue.
    pub retention: Retention,
}

/// A handle; the last one to be dropped does not close it, `close` does.
pub struct Member {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    place: Where,
    clock: SharedClock,
    options: MemberOptions,
    sink: Arc<dyn EventSink>,
    seat: Mutex<Seat>,
    changed: watch::Sender<u64>,
    registered: Mutex<Registered>,
    stop: CancellationToken,
}

/// What outlives an owner.
#[derive(Default)]
struct Registered {
    handlers: HashMap<String, Arc<dyn Handler>>,
    workers: HashMap<u32, Post>,
}

struct Post {
    options: WorkerOptions,
    started: Started,
    worker: Option<Worker>,
}

impl Member {
    /// Opens the queue of that name; `sink` hears its events.
    pub async fn open(
        name: String,
        place: Where,
        clock: SharedClock,
        options: MemberOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<Self> {
        let inner = Arc::new(Inner {
            name,
            place,
            clock,
            options,
            sink,
            seat: Mutex::new(Seat::Empty),
            changed: watch::Sender::new(0),
            registered: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let seat = inner
            .place
            .sit(&inner.name, &inner.clock, inner.options, &inner.sink)
            .await?;
        let far = seat.peer();
        *inner.seat.lock() = seat;
        if let Some(peer) = far {
            // It ends with the member, or when it is the owner.
            tokio::spawn(follow(inner.clone(), peer));
        }
        Ok(Self { inner })
    }

    /// Whether another process has the store.
    pub fn is_served(&self) -> bool {
        self.inner.near().is_none()
    }

    /// The queue, near or far. Waits a while where its owner just went.
    pub async fn api(&self) -> Result<Arc<dyn QueueApi>> {
        if self.is_served() && self.inner.stop.is_cancelled() {
            return Err(Error::new(Code::Closed, "the queue is closed; open it again"));
        }
        let mut changes = self.inner.changed.subscribe();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                changes.borrow_and_update();
                if let Some(api) = self.inner.api() {
                    return Some(api);
                }
                changes.changed().await.ok()?;
            }
        });
        waited.await.ok().flatten().ok_or_else(|| {
            Error::new(
                Code::StoreBusy,
                "the process that owned the data directory went away, and no other one took its place yet; try again",
            )
        })
    }

    /// Adds plain jobs as `Queue::add_plain` does; they come back too where another process has the store.
    pub fn add_plain(
        &self,
        jobs: PlainJobs,
        told: impl FnOnce(Result<PlainAdded>) + Send + 'static,
    ) -> std::result::Result<(), PlainJobs> {
        match self.inner.near() {
            Some(queue) => queue.add_plain(jobs, told),
            None => Err(jobs),
        }
    }

    /// The workers of this member run jobs of that name.
    pub fn register(&self, name: &str, handler: Arc<dyn Handler>) -> Result<()> {
        super::check::name("job", name)?;
        let mut registered = self.inner.registered.lock();
        registered.handlers.insert(name.to_owned(), handler.clone());
        match self.inner.near() {
            Some(queue) => queue.register(name, handler),
            None => Ok(()),
        }
    }

    /// Starts a worker under an id of the caller's, or lets it stand by until this process has the store.
    pub fn start_worker(&self, id: u32, options: WorkerOptions, started: Started) -> Result<()> {
        options.check()?;
        if self.inner.stop.is_cancelled() {
            return Err(Error::new(Code::Closed, "the queue is closed; open it again"));
        }
        let mut registered = self.inner.registered.lock();
        let mut post = Post {
            options,
            started,
            worker: None,
        };
        if let Some(queue) = self.inner.near() {
            post.start(&queue)?;
        }
        registered.workers.insert(id, post);
        Ok(())
    }

    /// Stops a worker; running jobs have until the deadline.
    pub async fn stop_worker(&self, id: u32, deadline: Duration) {
        let post = self.inner.registered.lock().workers.remove(&id);
        if let Some(worker) = post.and_then(|post| post.worker) {
            worker.stop(deadline).await;
        }
    }

    /// Takes over jobs of another store.
    pub async fn restore(&self, jobs: Vec<Job>) -> Result<u64> {
        self.owned()?.restore(jobs).await
    }

    /// Takes over schedules of another store.
    pub async fn restore_schedules(&self, schedules: Vec<Schedule>) -> Result<u64> {
        self.owned()?.restore_schedules(schedules).await
    }

    fn owned(&self) -> Result<Queue> {
        self.inner.near().ok_or_else(|| {
            Error::new(
                Code::StoreBusy,
                "jobs are imported by the owner of the data directory; stop the process that owns it",
            )
        })
    }

    /// Stops the workers and closes the queue.
    pub async fn close(&self, deadline: Duration) {
        self.inner.stop.cancel();
        let near = match &*self.inner.seat.lock() {
            Seat::Near(queue, keeper) => Some((queue.clone(), keeper.clone())),
            Seat::Far(_, peer) => {
                peer.close();
                None
            }
            Seat::Empty => None,
        };
        if let Some((queue, keeper)) = near {
            queue.shutdown(deadline).await;
            keeper.close().await;
        }
        *self.inner.registered.lock() = Registered::default();
    }
}

impl Post {
    fn start(&mut self, queue: &Queue) -> Result<()> {
        let worker = queue.start_worker(self.options)?;
        (self.started)(&worker);
        self.worker = Some(worker);
        Ok(())
    }
}

impl Inner {
    fn near(&self) -> Option<Queue> {
        match &*self.seat.lock() {
            Seat::Near(queue, _) => Some(queue.clone()),
            _ => None,
        }
    }

    fn api(&self) -> Option<Arc<dyn QueueApi>> {
        match &*self.seat.lock() {
            Seat::Near(queue, _) => Some(Arc::new(queue.clone())),
            Seat::Far(queue, peer) if !peer.is_closed() => Some(Arc::new(queue.clone())),
            _ => None,
        }
    }

    /// Takes a seat, and with the store everything that is registered.
    fn take(&self, seat: Seat) -> Result<()> {
        let mut registered = self.registered.lock();
        if let Seat::Near(queue, _) = &seat {
            for (name, handler) in &registered.handlers {
                queue.register(name, handler.clone())?;
            }
            for post in registered.workers.values_mut() {
                post.start(queue)?;
            }
        }
        *self.seat.lock() = seat;
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }
}

/// Waits for the end of the owner and takes its place, or is served by the one that did.
async fn follow(inner: Arc<Inner>, mut peer: Peer) {
    let stop = inner.stop.clone();
    while stop.run_until_cancelled(peer.closed()).await.is_some() {
        *inner.seat.lock() = Seat::Empty;
        let seat = loop {
            if stop.is_cancelled() {
                return;
            }
            match inner
                .place
                .sit(&inner.name, &inner.clock, inner.options, &inner.sink)
                .await
            {
                Ok(seat) => break seat,
                Err(error) => tracing::debug!("the place of the owner is not taken yet: {error}"),
            }
            tokio::time::sleep(AGAIN).await;
        };
        let (next, keeper) = match &seat {
            Seat::Near(_, keeper) => (None, Some(keeper.clone())),
            other => (other.peer(), None),
        };
        // Closed while it sat down: nobody else would give the store back.
        if let (true, Some(keeper)) = (stop.is_cancelled(), keeper) {
            keeper.close().await;
            return;
        }
        if let Err(error) = inner.take(seat) {
            tracing::error!("the workers of a queue did not start again: {error}");
        }
        match next {
            Some(next) => peer = next,
            None => return,
        }
    }
}
