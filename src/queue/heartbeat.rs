//! The tasks of a hub: leases are renewed, due jobs made ready, reports stored. Each waits for a
//! notice and does nothing while there is nothing to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::hub::{Shared, epoch};
use super::running::Stop;
use super::{notices, schedules};
use crate::error::Result;
use crate::event::EventKind;
use crate::store::Rescued;

/// While something falls due later, the clock is looked at this often, since it may jump.
const LOOK: u64 = 1_000;
/// A clock that is off by more was set; less is drift.
const STEP: i64 = 500;
/// Schedules that add their jobs at once, so that many due ones hold up no delayed job.
const FIRED: usize = 32;
/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(500);

/// Starts them; they end with the hub's token.
pub fn start(shared: &Arc<Shared>) {
    spawn(shared, leases);
    spawn(shared, timer);
    spawn(shared, reports);
    if let Some(notices) = shared.store.notices() {
        let (stop, work) = (shared.stop.clone(), notices::follow(shared.clone(), notices));
        shared.tasks.spawn(async move {
            stop.run_until_cancelled(work).await;
        });
    }
}

fn spawn<F>(shared: &Arc<Shared>, task: fn(Arc<Shared>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (stop, work) = (shared.stop.clone(), task(shared.clone()));
    shared.tasks.spawn(async move {
        stop.run_until_cancelled(work).await;
    });
}

async fn leases(shared: Arc<Shared>) {
    let mut steady = true;
    loop {
        if shared.alone && shared.running.leases().is_empty() {
            shared.beat.notified().await;
        }
        let pause = Duration::from_millis((shared.lease() / 3).max(10));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.shortened.notified() => {}
        }
        // After the store was away all leases may have ended: their holders get the time to renew
        // them before anybody gives the jobs to others.
        let renewed = match renew(&shared).await {
            Ok(()) if steady || shared.alone => rescue(&shared).await,
            other => other,
        };
        steady = renewed.is_ok();
        if let Err(error) = renewed {
            tracing::warn!("leases were not renewed: {error}");
        }
        if !shared.alone {
            // A process that was to tell of a job may have died before it did.
            shared.due.notify_one();
            for core in shared.all_opened() {
                core.wake();
            }
        }
    }
}

/// Renews what runs here.
pub async fn renew(shared: &Shared) -> Result<()> {
    let leases = shared.running.leases();
    let until = shared.clock.now_ms().saturating_add_unsigned(shared.lease());
    for lost in shared.store.renew(leases, until).await? {
        shared.running.stop_lease(&lost, Stop::LeaseLost);
    }
    Ok(())
}

/// Gives back what ran elsewhere and whose lease ended.
pub async fn rescue(shared: &Shared) -> Result<()> {
    let now = shared.clock.now_ms();
    for rescued in shared.store.rescue(now, now, shared.options.max_stalls).await? {
        if let Some(core) = shared.opened(&rescued.queue) {
            if rescued.ran {
                core.emit(&rescued.id, &rescued.name, now, EventKind::Stalled);
            }
            core.wake();
        }
        failed(shared, rescued, now);
    }
    Ok(())
}

/// Tells of a job that failed without an attempt that did.
fn failed(shared: &Shared, job: Rescued, now: i64) {
    if let (Some(core), Some(failure)) = (shared.opened(&job.queue), job.failure) {
        let kind = EventKind::Failed {
            code: failure.code,
            message: failure.message,
        };
        core.emit(&job.id, &job.name, now, kind);
        // Others may have waited for it.
        shared.due.notify_one();
    }
}

async fn timer(shared: Arc<Shared>) {
    loop {
        match promote(&shared).await {
            Ok(Some(due)) => wait_until(&shared, due).await,
            Ok(None) => shared.due.notified().await,
            Err(error) => {
                tracing::warn!("due jobs were not made ready: {error}");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Makes due jobs ready and adds those of due schedules; answers when the next one falls due.
pub async fn promote(shared: &Shared) -> Result<Option<i64>> {
    heed_clock(shared).await?;
    let now = shared.clock.now_ms();
    let promoted = shared.store.promote(now).await?;
    for job in promoted.failed {
        failed(shared, job, now);
    }
    for queue in promoted.queues {
        if let Some(core) = shared.opened(&queue) {
            core.wake();
        }
    }
    let mut fired = stream::iter(promoted.schedules)
        .map(async |schedule| schedules::fire(shared, &schedule).await)
        .buffer_unordered(FIRED);
    while let Some(fired) = fired.next().await {
        fired?;
    }
    Ok(promoted.next_due)
}

/// Where the machine's clock was set, delays go on as they were.
async fn heed_clock(shared: &Shared) -> Result<()> {
    let (before, now) = (shared.epoch.load(Ordering::Acquire), epoch(&shared.clock));
    let by = now.saturating_sub(before);
    if shared.alone && by.abs() > STEP {
        shared.store.shift(by).await?;
        shared.epoch.store(now, Ordering::Release);
    }
    Ok(())
}

async fn wait_until(shared: &Shared, due: i64) {
    loop {
        let left = due.saturating_sub(shared.clock.now_ms());
        let set = epoch(&shared.clock).saturating_sub(shared.epoch.load(Ordering::Acquire));
        if left <= 0 || shared.alone && set.abs() > STEP {
            return;
        }
        let pause = Duration::from_millis((left as u64).min(LOOK));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.due.notified() => return,
        }
    }
}

async fn reports(shared: Arc<Shared>) {
    loop {
        shared.reports.filled.notified().await;
        if let Err(error) = shared.reports.flush(&*shared.store).await {
            tracing::warn!("progress was not stored: {error}");
        }
    }
}
