//! Heeds what other processes did in a store that is shared with them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::hub::Shared;
use super::running::Stop;
use crate::store::Notice;

/// Heeds notices until the store ends.
pub async fn follow(shared: Arc<Shared>, mut notices: Receiver<Notice>) {
    loop {
        match notices.recv().await {
            Ok(notice) => heed(&shared, notice).await,
            // Too many at once: as after an absence.
            Err(RecvError::Lagged(_)) => heed(&shared, Notice::Back).await,
            Err(RecvError::Closed) => return,
        }
    }
}

async fn heed(shared: &Shared, notice: Notice) {
    match notice {
        Notice::Ready(queue) => {
            if let Some(core) = shared.opened(&queue) {
                core.wake();
            }
        }
        Notice::Arrived(queue, priority) => {
            if let Some(core) = shared.opened(&queue) {
                core.arrived(priority);
            }
        }
        Notice::Limited(queue) => {
            if let Some(core) = shared.opened(&queue) {
                core.recall(0);
            }
        }
        Notice::Due => shared.due.notify_one(),
        Notice::Cancelled(id) => shared.running.stop_job(&id, Stop::Cancelled),
        Notice::Paused(queue, paused) => {
            if let Some(core) = shared.opened(&queue) {
                core.paused.store(paused, Ordering::Release);
                core.wake();
            }
        }
        Notice::Back => {
            shared.due.notify_one();
            for core in shared.all_opened() {
                // Where it cannot be told, the store itself refuses claims of a paused queue.
                if let Ok(paused) = shared.store.is_paused(&core.name).await {
                    core.paused.store(paused, Ordering::Release);
                }
                core.wake();
            }
        }
    }
}
