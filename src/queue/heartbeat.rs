//! The tasks of a hub: leases are renewed, due jobs made ready, reports stored. Each waits for a
//! notice and does nothing while there is nothing to do.

use std::sync::Arc;
use std::time::Duration;

use super::hub::Shared;
use super::running::Stop;
use crate::error::Result;
use crate::event::EventKind;

/// While something falls due later, the clock is looked at this often, since it may jump.
const LOOK: u64 = 1_000;
/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(500);

/// Starts them; they end with the hub's token.
pub fn start(shared: &Arc<Shared>) {
    spawn(shared, leases);
    spawn(shared, timer);
    spawn(shared, reports);
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
    let pause = Duration::from_millis((shared.options.lease / 3).max(10));
    loop {
        if shared.running.leases().is_empty() {
            shared.beat.notified().await;
        }
        tokio::time::sleep(pause).await;
        if let Err(error) = renew(&shared).await {
            tracing::warn!("leases were not renewed: {error}");
        }
    }
}

/// Renews what runs here, then gives back what ran elsewhere and ended.
pub async fn renew(shared: &Shared) -> Result<()> {
    let now = shared.clock.now_ms();
    let leases = shared.running.leases();
    let until = now.saturating_add_unsigned(shared.options.lease);
    for lost in shared.store.renew(leases, until).await? {
        shared.running.stop_lease(&lost, Stop::LeaseLost);
    }
    for rescued in shared.store.rescue(now, now, shared.options.max_stalls).await? {
        let Some(core) = shared.opened(&rescued.queue) else {
            continue;
        };
        core.emit(&rescued.id, &rescued.name, now, EventKind::Stalled);
        if let Some(failure) = rescued.failure {
            let kind = EventKind::Failed {
                code: failure.code,
                message: failure.message,
            };
            core.emit(&rescued.id, &rescued.name, now, kind);
        }
        core.wake();
    }
    Ok(())
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

/// Makes due jobs ready; answers when the next one falls due.
pub async fn promote(shared: &Shared) -> Result<Option<i64>> {
    let promoted = shared.store.promote(shared.clock.now_ms()).await?;
    for queue in promoted.queues {
        if let Some(core) = shared.opened(&queue) {
            core.wake();
        }
    }
    Ok(promoted.next_due)
}

async fn wait_until(shared: &Shared, due: i64) {
    loop {
        let left = due.saturating_sub(shared.clock.now_ms());
        if left <= 0 {
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
