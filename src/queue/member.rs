//! A process's part in a queue: it has the store itself, or is served by the process that owns the
//! data directory, and takes its place when that one goes. Handlers and workers stay registered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::seat::{Seat, Where};
use super::socket::Peer;
use super::succession::{Sitter, Succession};
use super::{
    Handler, HubOptions, Job, PlainAdded, PlainJobs, Queue, QueueApi, Retention, Schedule, Worker, WorkerOptions,
};
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};
use crate::event::EventSink;

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
    part: Arc<Part>,
    succession: Succession<Part>,
}

/// What outlives an owner.
struct Part {
    name: String,
    place: Where,
    clock: SharedClock,
    options: MemberOptions,
    sink: Arc<dyn EventSink>,
    registered: Mutex<Registered>,
}

#[derive(Default)]
struct Registered {
    /// The queue, where this process has the store.
    near: Option<Queue>,
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
        let part = Arc::new(Part {
            name,
            place,
            clock,
            options,
            sink,
            registered: Mutex::default(),
        });
        let first = part.sit().await?;
        let succession = Succession::begin(Arc::clone(&part), first);
        Ok(Self { part, succession })
    }

    /// Whether another process has the store.
    pub fn is_served(&self) -> bool {
        self.near().is_none()
    }

    /// The queue, near or far. Waits a while where its owner just went.
    pub async fn api(&self) -> Result<Arc<dyn QueueApi>> {
        Ok(self.succession.seat().await?.api())
    }

    /// Adds plain jobs as `Queue::add_plain` does; they come back too where another process has the store.
    pub fn add_plain(
        &self,
        jobs: PlainJobs,
        told: impl FnOnce(Result<PlainAdded>) + Send + 'static,
    ) -> std::result::Result<(), PlainJobs> {
        match self.near() {
            Some(queue) => queue.add_plain(jobs, told),
            None => Err(jobs),
        }
    }

    /// The workers of this member run jobs of that name.
    pub fn register(&self, name: &str, handler: Arc<dyn Handler>) -> Result<()> {
        super::check::name("job", name)?;
        let mut registered = self.part.registered.lock();
        registered.handlers.insert(name.to_owned(), handler.clone());
        match &registered.near {
            Some(queue) => queue.register(name, handler),
            None => Ok(()),
        }
    }

    /// Starts a worker under an id of the caller's, or lets it stand by until this process has the store.
    pub fn start_worker(&self, id: u32, options: WorkerOptions, started: Started) -> Result<()> {
        options.check()?;
        if self.succession.is_stopped() {
            return Err(Error::new(Code::Closed, "the queue is closed; open it again"));
        }
        let mut registered = self.part.registered.lock();
        let mut post = Post {
            options,
            started,
            worker: None,
        };
        if let Some(queue) = &registered.near {
            post.start(queue)?;
        }
        registered.workers.insert(id, post);
        Ok(())
    }

    /// Stops a worker; running jobs have until the deadline.
    pub async fn stop_worker(&self, id: u32, deadline: Duration) {
        let post = self.part.registered.lock().workers.remove(&id);
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

    fn near(&self) -> Option<Queue> {
        self.part.registered.lock().near.clone()
    }

    fn owned(&self) -> Result<Queue> {
        self.near().ok_or_else(|| {
            Error::new(
                Code::StoreBusy,
                "jobs are imported by the owner of the data directory; stop the process that owns it",
            )
        })
    }

    /// Stops the workers and closes the queue.
    pub async fn close(&self, deadline: Duration) {
        match self.succession.end().await {
            Seat::Near(queue, keeper) => {
                queue.shutdown(deadline).await;
                keeper.close().await;
            }
            Seat::Far(_, peer) => peer.close(),
        }
        let mut registered = self.part.registered.lock();
        registered.handlers.clear();
        registered.workers.clear();
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

impl Registered {
    fn begin(&mut self, queue: &Queue) -> Result<()> {
        self.near = Some(queue.clone());
        for (name, handler) in &self.handlers {
            queue.register(name, handler.clone())?;
        }
        self.workers.values_mut().try_for_each(|post| post.start(queue))
    }
}

#[async_trait]
impl Sitter for Part {
    type Seat = Seat;
    const NAME: &'static str = "queue";

    async fn sit(&self) -> Result<Seat> {
        self.place.sit(&self.name, &self.clock, self.options, &self.sink).await
    }

    fn peer(seat: &Seat) -> Option<Peer> {
        seat.peer()
    }

    /// With the store comes everything that is registered.
    fn seated(&self, seat: &Seat) {
        if let Seat::Near(queue, _) = seat
            && let Err(error) = self.registered.lock().begin(queue)
        {
            tracing::error!("the workers of a queue did not start again: {error}");
        }
    }
}
