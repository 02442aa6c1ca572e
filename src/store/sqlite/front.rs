//! What is read ahead and what was taken. The store's thread lends it out while it does not need it, so that a claim
//! waits neither for that thread nor for its commit.

use std::sync::Arc;

use parking_lot::Mutex;

use super::claim::begin;
use super::database::Database;
use super::next::Next;
use super::starts::Starts;
use super::window::Windows;
use crate::store::job_store::ClaimRequest;

/// The windows and the starts.
#[derive(Debug, Default)]
pub struct Front {
    pub windows: Windows,
    pub starts: Starts,
}

/// Where it lies while it is lent. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lent(Arc<Mutex<Option<Front>>>);

impl Lent {
    /// Takes what was read ahead; `None` where that is not enough, or the store's thread has it.
    pub fn claim(&self, request: &ClaimRequest) -> Option<Vec<Next>> {
        self.0.lock().as_mut()?.claim_ready(request)
    }
}

impl Front {
    /// Takes what was read ahead already, without a transaction; `None` where that is not enough.
    pub fn claim_ready(&mut self, request: &ClaimRequest) -> Option<Vec<Next>> {
        let rows = self.windows.take_ready(request)?;
        match begin(&mut self.starts, request, rows) {
            Ok(rows) => {
                // Whatever becomes of a transaction that is under way.
                self.starts.keep_added();
                Some(rows)
            }
            Err(rows) => {
                self.windows.give_back(&request.queue, rows);
                None
            }
        }
    }
}

/// The front in the hands of the store's thread, or out of them.
#[derive(Debug, Default)]
pub struct Held {
    front: Option<Front>,
    pub lent: Lent,
}

impl Database {
    /// What is read ahead and what was taken, from now on in nobody else's hands.
    pub fn front(&mut self) -> &mut Front {
        let Held { front, lent } = &mut self.held;
        front.get_or_insert_with(|| lent.0.lock().take().unwrap_or_default())
    }

    /// Lets others claim. What they see must be committed, but for starts that are about to end.
    pub fn lend(&mut self) {
        if let Some(front) = self.held.front.take() {
            *self.held.lent.0.lock() = Some(front);
        }
    }
}
