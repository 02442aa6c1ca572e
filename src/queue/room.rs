//! A worker's room for attempts, and for ends that are being stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// At least so many ends may wait for the store while their slots run other jobs.
const ENDING: usize = 2_048;

/// A worker's room.
pub struct Room {
    concurrency: usize,
    free: AtomicUsize,
    most_ends: usize,
    ends: AtomicUsize,
    /// Told when a slot is free, and when the last end is stored.
    pub ended: Notify,
    /// Ends that wait for room, and what tells them.
    waiting: AtomicUsize,
    stored: Notify,
}

/// Slots that are kept for jobs that are being taken; those that are not used are given back.
pub struct Places {
    room: Arc<Room>,
    count: usize,
}

/// A worker's room for one attempt; given back when it is dropped.
pub struct Slot {
    room: Arc<Room>,
    is_ending: bool,
}

impl Room {
    /// For so many jobs at once.
    pub fn new(concurrency: usize) -> Arc<Self> {
        Arc::new(Self {
            concurrency,
            free: AtomicUsize::new(concurrency),
            most_ends: concurrency.max(ENDING),
            ends: AtomicUsize::new(0),
            ended: Notify::new(),
            waiting: AtomicUsize::new(0),
            stored: Notify::new(),
        })
    }

    /// Jobs that run, or are about to.
    pub fn taken(&self) -> usize {
        self.concurrency.saturating_sub(self.free.load(Ordering::SeqCst))
    }

    /// Ends are being stored.
    pub fn has_ends(&self) -> bool {
        self.ends.load(Ordering::SeqCst) > 0
    }

    /// All slots that are free.
    pub fn all(self: &Arc<Self>) -> Places {
        Places {
            room: self.clone(),
            count: self.free.swap(0, Ordering::SeqCst),
        }
    }

    /// No slots.
    pub fn none(self: &Arc<Self>) -> Places {
        Places {
            room: self.clone(),
            count: 0,
        }
    }

    /// One slot.
    pub fn one(self: &Arc<Self>) -> Option<Slot> {
        let less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).ok()?;
        Some(Slot {
            room: self.clone(),
            is_ending: false,
        })
    }

    fn begin_end(&self) -> bool {
        let more = |ends: usize| (ends < self.most_ends).then_some(ends + 1);
        self.ends.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }
}

impl Places {
    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// One of them for each.
    pub fn give<T>(&mut self, each: Vec<T>) -> Vec<(Slot, T)> {
        let given = each.len().min(self.count);
        self.count -= given;
        let slot = |one| {
            let slot = Slot {
                room: self.room.clone(),
                is_ending: false,
            };
            (slot, one)
        };
        each.into_iter().take(given).map(slot).collect()
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.room.free.fetch_add(self.count, Ordering::SeqCst);
    }
}

impl Slot {
    /// The handler is done: another one may run while this end is stored, which is when this is dropped. False where too
    /// many ends wait already, so that the slot waits with them.
    pub fn try_free(&mut self) -> bool {
        let frees = !self.is_ending && self.room.begin_end();
        if frees {
            self.is_ending = true;
            self.room.free.fetch_add(1, Ordering::SeqCst);
        }
        frees
    }

    /// The same, when there is room for another end.
    pub async fn free(&mut self) {
        let room = self.room.clone();
        room.waiting.fetch_add(1, Ordering::SeqCst);
        while !self.try_free() {
            room.stored.notified().await;
        }
        room.waiting.fetch_sub(1, Ordering::SeqCst);
        room.ended.notify_one();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let room = &self.room;
        if !self.is_ending {
            room.free.fetch_add(1, Ordering::SeqCst);
            room.ended.notify_one();
            return;
        }
        // The worker tells that it rests only when the last end is stored.
        if room.ends.fetch_sub(1, Ordering::SeqCst) == 1 {
            room.ended.notify_one();
        }
        if room.waiting.load(Ordering::SeqCst) > 0 {
            room.stored.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn slots_that_are_not_used_are_free_again() {
        let room = Room::new(3);
        let mut places = room.all();
        let slots = places.give(vec!["a"]);
        assert_eq!(slots.len(), 1);
        assert_eq!((room.taken(), room.one().is_some()), (3, false));
        drop(places);
        assert_eq!(room.taken(), 1);
        drop(slots);
        assert_eq!(room.taken(), 0);
    }

    #[test]
    fn a_slot_is_free_while_its_end_is_stored_unless_too_many_wait() {
        let room = Room::new(1);
        let mut ends: Vec<Slot> = (0..ENDING).filter_map(|_| room.one()).collect();
        assert_eq!(ends.len(), 1);
        while ends.len() < ENDING {
            assert!(ends.last_mut().is_some_and(Slot::try_free));
            ends.extend(room.one());
        }
        assert!(ends.last_mut().is_some_and(Slot::try_free));
        let mut last = room.one().unwrap();
        assert!(!last.try_free());
        let mut waits = Box::pin(last.free());
        assert!((&mut waits).now_or_never().is_none());
        drop(ends.pop());
        assert!(waits.now_or_never().is_some());
        assert_eq!((room.taken(), room.has_ends()), (0, true));
        drop(ends);
        drop(last);
        assert!(!room.has_ends());
    }
}
