//! What a worker does: takes jobs while there is room, and ahead of time where they end fast.

use std::future::pending;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::instrument::WithSubscriber;

use super::ahead::{self, Ahead};
use super::core::Recalls;
use super::room::Slot;
use super::start::{Starter, Taken};
use crate::error::Code;
use crate::store::Claim;

/// Milliseconds after an error of the store.
const AGAIN: i64 = 250;
/// The longest pause in milliseconds for a rate that holds jobs back.
const LOOK: i64 = 1_000;
/// A job that was read ahead and runs so long is noted as begun; most are over sooner.
const NOTE: Duration = Duration::from_millis(20);

/// What the task of a worker works on.
pub struct Intake {
    pub starter: Arc<Starter>,
    pub concurrency: usize,
    pub active: watch::Sender<bool>,
}

impl Deref for Intake {
    type Target = Starter;

    fn deref(&self) -> &Starter {
        &self.starter
    }
}

/// What it knows from one look to the next.
struct View {
    ahead: Ahead,
    /// The claim that the store works on.
    claiming: Option<BoxFuture<'static, Taken>>,
    /// There may be jobs to take.
    again: bool,
    /// The last claim got all that it asked for, so that there are more.
    plenty: bool,
    /// When to look again in any case.
    until: Option<i64>,
    /// Jobs that started.
    started: u64,
    recalls: Recalls,
    /// From which priority on what is read ahead goes back, as told since the last claim was asked for.
    recalled: Option<u8>,
    /// When starts are noted.
    note: Option<Instant>,
}

impl Intake {
    /// Until it is stopped; what it holds then and has not started is given back.
    pub async fn run(self) {
        let mut wakes = self.core.wakes();
        let mut view = View {
            ahead: Ahead::new(self.concurrency, self.shared.lease(), self.shared.clock.monotonic_ms()),
            claiming: None,
            again: true,
            plenty: false,
            until: None,
            started: 0,
            recalls: self.core.recalls(),
            recalled: None,
            note: None,
        };
        while !self.stop.is_cancelled() {
            self.give_back(&mut view).await;
            self.start_held(&mut view).await;
            view.claiming = view.claiming.take().or_else(|| self.handed.lock().as_mut()?.take());
            self.claim(&mut view);
            let lasts = view.ahead.lasts(self.shared.clock.monotonic_ms());
            tokio::select! {
                taken = claimed(&mut view.claiming) => {
                    view.claiming = None;
                    if self.take(&mut view, taken) {
                        break;
                    }
                }
                _ = wakes.changed() => view.again = true,
                // Alone, it tells when the last job is over.
                () = self.is_handed.notified() => {}
                () = self.room.ended.notified() => view.again |= self.shared.alone,
                () = self.pause(view.until) => (view.again, view.until) = (true, None),
                () = elapsed(lasts.map(|lasts| Instant::now() + lasts)) => {}
                () = elapsed(view.note) => self.note(&mut view),
                () = self.stop.cancelled() => {}
            }
        }
        // Not cut off by a stop: what was claimed must run or be handed back.
        let handed = self.handed.lock().take().flatten();
        for claiming in view.claiming.take().into_iter().chain(handed) {
            self.take(&mut view, claiming.await);
        }
        self.active.send_replace(false);
        ahead::give_back(&self.shared, &self.core, view.ahead.take()).await;
    }

    /// Gives back what is not to start here, or not next.
    async fn give_back(&self, view: &mut View) {
        let recalls = self.core.recalls();
        if let Some(from) = recalls
            .iter()
            .zip(&view.recalls)
            .position(|(now, before)| now != before)
        {
            view.recalled = Some(view.recalled.map_or(from as u8, |before| before.min(from as u8)));
            view.recalls = recalls;
        }
        let now = self.shared.clock.monotonic_ms();
        let is_stale = view.ahead.lasts(now).is_some_and(|lasts| lasts.is_zero());
        let given = if is_stale || self.core.is_paused() {
            view.ahead.take()
        } else if let Some(from) = view.recalled {
            view.ahead.take_from(from)
        } else {
            return;
        };
        ahead::give_back(&self.shared, &self.core, given).await;
    }

    /// Starts what it holds, while there is room.
    async fn start_held(&self, view: &mut View) {
        let running = self.room.taken() as u64;
        let now = self.shared.clock.monotonic_ms();
        view.ahead.ended(view.started.saturating_sub(running), now);
        let mut starts = Vec::new();
        while !view.ahead.is_empty()
            && let Some(slot) = self.room.one()
            && let Some(mut held) = view.ahead.pop()
        {
            let lease = ahead::lease(&held);
            if self.shared.running.stopped(&lease).is_some() {
                // Cancelled, or another worker has it.
                self.shared.running.end(&lease);
            } else if held.doubtful
                && self
                    .shared
                    .store
                    .begin(vec![lease], self.shared.clock.now_ms())
                    .await
                    .is_err()
            {
                ahead::give_back(&self.shared, &self.core, vec![held]).await;
            } else {
                held.claim.job.started_at = Some(self.shared.clock.now_ms());
                starts.push((slot, held.claim));
            }
        }
        if !starts.is_empty() {
            view.started += starts.len() as u64;
            view.note.get_or_insert_with(|| Instant::now() + NOTE);
            self.start(starts, self.shared.clock.now_ms());
        }
    }

    fn start(&self, starts: Vec<(Slot, Claim)>, now: i64) {
        for (handler, tickets) in self.starter.begin(starts, now) {
            handler.start(tickets);
        }
    }

    /// Begins a claim where that may bring something.
    fn claim(&self, view: &mut View) {
        if view.claiming.is_some() || !view.again {
            return;
        }
        if self.claiming.swap(true, Ordering::AcqRel) {
            // Who does tells when there is more to do.
            return;
        }
        // A slot that is free since a moment ago is for what is held.
        let places = if view.ahead.is_empty() {
            self.room.all()
        } else {
            self.room.none()
        };
        let wanted = if view.plenty { view.ahead.wants() } else { 0 };
        if places.count() == 0 && wanted == 0 {
            self.claiming.store(false, Ordering::Release);
            return;
        }
        (view.again, view.plenty, view.recalled) = (false, false, None);
        let request = self.request(places.count()).filter(|_| !self.core.is_paused());
        let Some(request) = request else {
            self.claiming.store(false, Ordering::Release);
            self.active
                .send_replace(places.count() < self.concurrency || self.room.has_ends() || !self.shared.alone);
            return;
        };
        view.claiming = Some(self.ask(request, places, wanted));
    }

    /// Starts what a claim got, and holds what it read ahead. Answers whether the store is closed.
    fn take(&self, view: &mut View, taken: Taken) -> bool {
        let is_closed = self.took(view, taken);
        // Only now, so that no other thread starts later jobs before these.
        self.claiming.store(false, Ordering::Release);
        is_closed
    }

    fn took(&self, view: &mut View, taken: Taken) -> bool {
        let Taken {
            mut places,
            wanted,
            now,
            answer,
        } = taken;
        let (claimed, held) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if error.code() != Code::Closed {
                    tracing::warn!("a worker could not take jobs: {error}");
                }
                view.until = Some(self.shared.clock.now_ms() + AGAIN);
                return error.code() == Code::Closed;
            }
        };
        let (count, limit) = (claimed.claims.len(), places.count());
        let starts = places.give(claimed.claims);
        let is_free = starts.is_empty() && self.room.taken() == places.count() && view.ahead.is_empty();
        drop(places);
        // Other processes may add jobs at any time, so a worker of a shared store stays.
        let rests = count + held.len() == 0 && !claimed.unfinished && is_free && !self.room.has_ends();
        let busy = !rests || !self.shared.alone;
        self.active
            .send_if_modified(|active| std::mem::replace(active, busy) != busy);
        let got_all = count + held.len() == limit + wanted;
        view.plenty = got_all && self.shared.store.reads_ahead();
        view.again |= got_all || limit > 0 && count == limit;
        view.until = if view.again { None } else { claimed.next_at };
        view.started += count as u64;
        self.shared.running.hold(held.iter().map(ahead::lease), self.id);
        view.ahead.push(held, self.shared.clock.monotonic_ms());
        self.start(starts, now);
        false
    }

    /// Notes what began and is not over yet.
    fn note(&self, view: &mut View) {
        let until = self.shared.clock.monotonic_ms();
        let begun = self.shared.running.begun(self.id, until);
        view.note = None;
        if !begun.is_empty() {
            self.tasks
                .spawn(ahead::note(self.shared.clone(), begun).with_current_subscriber());
        }
    }

    /// Until a rate makes room. The clock may jump meanwhile, so a long pause is cut.
    async fn pause(&self, until: Option<i64>) {
        match until {
            Some(until) => {
                let left = until.saturating_sub(self.shared.clock.now_ms()).clamp(1, LOOK);
                sleep(Duration::from_millis(left as u64)).await;
            }
            None => pending().await,
        }
    }
}

async fn claimed(claiming: &mut Option<BoxFuture<'static, Taken>>) -> Taken {
    match claiming {
        Some(claiming) => claiming.await,
        None => pending().await,
    }
}

async fn elapsed(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
