//! How jobs that a worker took are started: from its own task, or from the thread that tells how others ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::instrument::WithSubscriber;

use super::Handler;
use super::attempt;
use super::core::Core;
use super::hub::Shared;
use super::room::{Places, Room, Slot};
use super::the_queue::Handlers;
use super::ticket::{Hold, Ticket};
use crate::error::Result;
use crate::event::EventKind;
use crate::store::{Claim, ClaimRequest, Claimed, ReadAhead};

/// Runs that one handler takes at once.
pub type Together = (Arc<dyn Handler>, Vec<Arc<Ticket>>);

/// What starts the jobs of a worker.
pub struct Starter {
    pub shared: Arc<Shared>,
    pub core: Arc<Core>,
    pub handlers: Handlers,
    pub id: u64,
    pub room: Arc<Room>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    /// The store works on a claim.
    pub claiming: AtomicBool,
    /// The claim that it works on for another thread; `None` when the worker's task is over.
    pub handed: Mutex<Option<Handed>>,
    pub is_handed: Notify,
}

/// A claim that the worker's task is to wait for.
pub type Handed = Option<BoxFuture<'static, Taken>>;

/// What a claim asked for and got.
pub struct Taken {
    /// Kept for the jobs that start at once.
    pub places: Places,
    /// How many were to be read ahead.
    pub wanted: usize,
    pub now: i64,
    pub answer: Result<(Claimed, Vec<ReadAhead>)>,
}

impl Starter {
    /// What asks the store for so many jobs; `None` where there is no handler.
    pub fn request(&self, limit: usize) -> Option<ClaimRequest> {
        let names: Vec<String> = self.handlers.read().keys().cloned().collect();
        let now = self.shared.clock.now_ms();
        (!names.is_empty()).then(|| ClaimRequest {
            queue: self.core.name.clone(),
            names,
            limit,
            now,
            lease_until: now.saturating_add_unsigned(self.shared.lease()),
        })
    }

    /// Takes jobs for the slots that became free, as far as the store has them at hand; they are for the caller to start.
    /// What else there is to do, the worker's own task does.
    pub fn next(self: &Arc<Self>) -> Vec<Together> {
        let waits = self.stop.is_cancelled() || self.core.is_paused() || self.shared.store.reads_ahead();
        if waits || self.claiming.swap(true, Ordering::AcqRel) {
            self.room.ended.notify_one();
            return Vec::new();
        }
        let places = self.room.all();
        let Some(request) = self.request(places.count()).filter(|request| request.limit > 0) else {
            self.claiming.store(false, Ordering::Release);
            drop(places);
            self.room.ended.notify_one();
            return Vec::new();
        };
        let mut claim = self.ask(request, places, 0);
        if let Some(taken) = (&mut claim).now_or_never() {
            return self.took(taken);
        }
        self.hand_over(claim);
        Vec::new()
    }

    /// Asks the store for jobs.
    pub fn ask(&self, request: ClaimRequest, places: Places, wanted: usize) -> BoxFuture<'static, Taken> {
        let (store, now) = (self.shared.store.clone(), request.now);
        Box::pin(async move {
            Taken {
                places,
                wanted,
                now,
                answer: store.claim_ahead(request, wanted).await,
            }
        })
    }

    /// What was claimed must run, or be handed back.
    fn hand_over(self: &Arc<Self>, claim: BoxFuture<'static, Taken>) {
        if let Some(handed) = &mut *self.handed.lock() {
            *handed = Some(claim);
            self.is_handed.notify_one();
            return;
        }
        let starter = self.clone();
        let late = async move {
            for (handler, tickets) in starter.took(claim.await) {
                handler.start(tickets);
            }
        };
        self.tasks.spawn_on(late, &self.shared.runtime);
    }

    fn took(self: &Arc<Self>, taken: Taken) -> Vec<Together> {
        self.claiming.store(false, Ordering::Release);
        let Taken {
            mut places,
            now,
            answer,
            ..
        } = taken;
        // An error is found, and told, by the worker's next claim.
        let claims = answer.map(|(claimed, _)| claimed.claims).unwrap_or_default();
        let falls_short = claims.len() < places.count();
        let starts = places.give(claims);
        drop(places);
        if falls_short {
            self.room.ended.notify_one();
        }
        self.begin(starts, now)
    }

    /// Starts jobs, each in the room that was kept for it; answers those that are for their handlers to start.
    pub fn begin(self: &Arc<Self>, starts: Vec<(Slot, Claim)>, now: i64) -> Vec<Together> {
        let mut together: Vec<Together> = Vec::new();
        if starts.is_empty() {
            return together;
        }
        {
            let mut stats = self.core.stats.lock();
            for (_, claim) in &starts {
                stats.claimed(now, claim.job.run_at);
            }
        }
        let began = self.shared.clock.monotonic_ms();
        for (slot, claim) in starts {
            let known = together.iter().rposition(|(_, tickets)| is_of(tickets, &claim));
            let handler = match known {
                Some(known) => Some(together[known].0.clone()),
                None => self.handlers.read().get(&claim.job.name).cloned(),
            };
            let Some(handler) = handler else { continue };
            if handler.takes_tickets() && claim.job.options.timeout.is_none() {
                let hold = Hold {
                    slot,
                    _task: self.tasks.token(),
                };
                let ticket = Ticket::new(self, &handler, claim, hold, began);
                match known {
                    Some(known) => together[known].1.push(ticket),
                    None => together.push((handler, vec![ticket])),
                }
            } else {
                let (shared, core, id) = (self.shared.clone(), self.core.clone(), self.id);
                let run = async move { attempt::run(&shared, &core, handler, claim, id, slot).await };
                self.tasks.spawn_on(run.with_current_subscriber(), &self.shared.runtime);
            }
        }
        let is_heard = self.core.is_heard(&EventKind::Started { attempt: 0 });
        for (_, tickets) in &together {
            self.shared.running.start_all(tickets, self.id, began);
            for job in tickets.iter().map(|ticket| ticket.job()).filter(|_| is_heard) {
                let kind = EventKind::Started { attempt: job.attempts };
                self.core.emit(&job.id, &job.name, now, kind);
            }
        }
        if !together.is_empty() {
            self.shared.beat.notify_one();
        }
        together
    }
}

/// Whether it is for the handler of these.
fn is_of(tickets: &[Arc<Ticket>], claim: &Claim) -> bool {
    tickets.first().is_some_and(|first| first.job().name == claim.job.name)
}
