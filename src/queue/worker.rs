//! A worker: takes jobs while it has room and runs them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::instrument::WithSubscriber;

use super::Handler;
use super::attempt;
use super::core::Core;
use super::hub::{Hub, Shared};
use super::running::Stop;
use super::slot::{ENDING, Slot};
use super::the_queue::Handlers;
use super::ticket::{Hold, Ticket};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::store::{Claim, ClaimRequest};

/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(250);
/// The longest pause in milliseconds for a rate that holds jobs back.
const LOOK: i64 = 1_000;
/// How long a handler may wind down after its token was cancelled by a stop.
const WIND_DOWN: Duration = Duration::from_secs(2);

/// How a worker works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Jobs that run at once, 1 to 10 000.
    pub concurrency: usize,
}

impl WorkerOptions {
    pub(super) fn check(self) -> Result<()> {
        if (1..=10_000).contains(&self.concurrency) {
            Ok(())
        } else {
            Err(Error::new(Code::OptionInvalid, "`concurrency` must be 1 to 10000"))
        }
    }
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { concurrency: 1 }
    }
}

/// Runs that one handler takes at once.
type Together = (Arc<dyn Handler>, Vec<Arc<Ticket>>);

/// A handle on a running worker.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    hub: Hub,
    id: u64,
    stop: CancellationToken,
    tasks: TaskTracker,
    active: watch::Receiver<bool>,
}

/// What the loop works on.
struct Loop {
    shared: Arc<Shared>,
    core: Arc<Core>,
    handlers: Handlers,
    id: u64,
    slots: Arc<Semaphore>,
    concurrency: usize,
    /// Room for attempts whose handler is done and whose end is being stored.
    ending: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
    ended: Arc<Notify>,
    active: watch::Sender<bool>,
}

/// When a worker is to look for jobs again.
enum Next {
    Now,
    /// When it is woken, or at that time.
    Wait {
        until: Option<i64>,
    },
}

impl Worker {
    pub(super) fn start(hub: &Hub, core: &Arc<Core>, handlers: &Handlers, options: WorkerOptions) -> Result<Self> {
        options.check()?;
        let (active, activity) = watch::channel(true);
        let (id, tasks) = (hub.next_worker(), TaskTracker::new());
        let shared = hub.shared().clone();
        let stop = shared.stop.child_token();
        let work = Loop {
            shared,
            core: core.clone(),
            handlers: handlers.clone(),
            id,
            slots: Arc::new(Semaphore::new(options.concurrency)),
            concurrency: options.concurrency,
            ending: Arc::new(Semaphore::new(options.concurrency.max(ENDING))),
            stop: stop.clone(),
            tasks: tasks.clone(),
            ended: Arc::default(),
            active,
        };
        tasks.spawn(work.run().with_current_subscriber());
        let inner = Inner {
            hub: hub.clone(),
            id,
            stop,
            tasks,
            active: activity,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether jobs run, or wait for their time, as it changes.
    pub fn activity(&self) -> watch::Receiver<bool> {
        self.inner.active.clone()
    }

    /// Takes no further job. Running ones have until the deadline; then their token is cancelled
    /// and they are handed back.
    pub async fn stop(&self, deadline: Duration) {
        let Inner {
            hub, id, stop, tasks, ..
        } = &*self.inner;
        stop.cancel();
        tasks.close();
        if tokio::time::timeout(deadline, tasks.wait()).await.is_err() {
            hub.shared().running.stop_worker(*id, Stop::HandBack);
            // A handler that does not heed its token is dropped by its attempt before this ends.
            let _ = tokio::time::timeout(WIND_DOWN * 2, tasks.wait()).await;
        }
    }

    /// Waits until it was stopped and its last job ended.
    pub async fn stopped(&self) {
        self.inner.stop.cancelled().await;
        self.inner.tasks.wait().await;
    }
}

impl Loop {
    async fn run(self) {
        let mut wakes = self.core.wakes();
        while let Some(room) = self.stop.run_until_cancelled(self.slots.acquire()).await {
            drop(room);
            wakes.mark_unchanged();
            // Not cut off by a stop: what was claimed must run or be handed back.
            let next = match self.claim().await {
                Ok(next) => next,
                Err(error) if error.code() == Code::Closed => break,
                Err(error) => {
                    tracing::warn!("a worker could not take jobs: {error}");
                    self.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
                    Next::Now
                }
            };
            if let Next::Wait { until } = next {
                tokio::select! {
                    _ = wakes.changed() => {}
                    () = self.ended.notified() => {}
                    () = self.pause(until) => {}
                    () = self.stop.cancelled() => {}
                }
            }
        }
        self.active.send_replace(false);
    }

    /// Until a rate makes room. The clock may jump meanwhile, so a long pause is cut.
    async fn pause(&self, until: Option<i64>) {
        match until {
            Some(until) => {
                let left = until.saturating_sub(self.shared.clock.now_ms()).clamp(1, LOOK);
                tokio::time::sleep(Duration::from_millis(left as u64)).await;
            }
            None => std::future::pending().await,
        }
    }

    /// Ends are being stored.
    fn ends(&self) -> bool {
        self.ending.available_permits() < self.concurrency.max(ENDING)
    }

    /// Takes as many jobs as there is room for.
    async fn claim(&self) -> Result<Next> {
        let limit = self.slots.available_permits();
        let names: Vec<String> = self.handlers.read().keys().cloned().collect();
        if self.core.is_paused() || names.is_empty() {
            self.active
                .send_replace(limit < self.concurrency || self.ends() || !self.shared.alone);
            return Ok(Next::Wait { until: None });
        }
        let now = self.shared.clock.now_ms();
        let request = ClaimRequest {
            queue: self.core.name.clone(),
            names,
            limit,
            now,
            lease_until: now.saturating_add_unsigned(self.shared.options.lease),
        };
        let claimed = self.shared.store.claim(request).await?;
        let count = claimed.claims.len();
        // Other processes may add jobs at any time, so a worker of a shared store stays.
        let rests = count == 0 && !claimed.unfinished && limit == self.concurrency && !self.ends();
        let busy = !rests || !self.shared.alone;
        self.active
            .send_if_modified(|active| std::mem::replace(active, busy) != busy);
        self.start(claimed.claims, now);
        Ok(if count == limit {
            Next::Now
        } else {
            Next::Wait { until: claimed.next_at }
        })
    }

    fn start(&self, claims: Vec<Claim>, now: i64) {
        {
            let mut stats = self.core.stats.lock();
            for claim in &claims {
                stats.claimed(now, claim.job.run_at);
            }
        }
        let mut together: Vec<Together> = Vec::new();
        for claim in claims {
            let handler = self.handlers.read().get(&claim.job.name).cloned();
            let Ok(permit) = self.slots.clone().try_acquire_owned() else {
                continue;
            };
            let Some(handler) = handler else { continue };
            let slot = Slot::new(permit, &self.ending, &self.ended);
            if handler.takes_tickets() && claim.job.options.timeout.is_none() {
                let task = self.tasks.token();
                let ticket = Ticket::new(&self.shared, &self.core, &handler, claim, Hold { slot, _task: task });
                match together.last_mut() {
                    Some((last, tickets)) if Arc::ptr_eq(last, &handler) => tickets.push(ticket),
                    _ => together.push((handler, vec![ticket])),
                }
            } else {
                let (shared, core, id) = (self.shared.clone(), self.core.clone(), self.id);
                let run = async move { attempt::run(&shared, &core, handler, claim, id, slot).await };
                self.tasks.spawn(run.with_current_subscriber());
            }
        }
        for (handler, tickets) in together {
            self.shared.running.start_all(tickets.iter(), self.id);
            self.shared.beat.notify_one();
            for ticket in &tickets {
                let job = ticket.job();
                let kind = EventKind::Started { attempt: job.attempts };
                self.core.emit(&job.id, &job.name, now, kind);
            }
            handler.start(tickets);
        }
    }
}
