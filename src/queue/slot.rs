//! A worker's room for attempts, and for ends that are being stored.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// At least so many ends may wait for the store while their slots run other jobs.
pub const ENDING: usize = 512;

/// A worker's room for one attempt; given back when it is dropped.
pub struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    ending: Option<Ending>,
    ends: Arc<Semaphore>,
    ended: Arc<Notify>,
}

impl Slot {
    /// With a permit of its worker, and the room that the worker has for ends.
    pub fn new(permit: OwnedSemaphorePermit, ends: &Arc<Semaphore>, ended: &Arc<Notify>) -> Self {
        Self {
            permit: Some(permit),
            ending: None,
            ends: ends.clone(),
            ended: ended.clone(),
        }
    }

    /// The handler is done: another one may run while this end is stored, which is when the answer
    /// is dropped. Where too many ends wait already, the slot waits with them.
    pub async fn free(&mut self) -> Ending {
        // The semaphore is never closed.
        let permit = self.ends.clone().acquire_owned().await.ok();
        self.permit = None;
        self.ended.notify_one();
        Ending {
            permit,
            ends: self.ends.clone(),
            ended: self.ended.clone(),
        }
    }
}

impl Slot {
    /// The same where there is room for another end: answers whom to wake. What is left is dropped
    /// when the end is stored.
    pub fn try_free(&mut self) -> Option<Arc<Notify>> {
        self.ending = Some(Ending {
            permit: Some(self.ends.clone().try_acquire_owned().ok()?),
            ends: self.ends.clone(),
            ended: self.ended.clone(),
        });
        self.permit = None;
        Some(self.ended.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.permit.take().is_some() {
            self.ended.notify_one();
        }
    }
}

/// An end that is being stored.
pub struct Ending {
    permit: Option<OwnedSemaphorePermit>,
    ends: Arc<Semaphore>,
    ended: Arc<Notify>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        drop(self.permit.take());
        // The worker tells that it rests only when the last end is stored.
        if self.ends.available_permits() >= ENDING {
            self.ended.notify_one();
        }
    }
}
