//! What a hand does to a breaker.

use super::machine::Breaker;
use super::metrics::Counters;
use super::outcome::BreakerEvent;
use super::phase::{BreakerState, Phase};

impl Breaker {
    /// Opens it for `resetTimeout`.
    pub fn force_open(&self, now: u64) -> Option<BreakerEvent> {
        let stays = self.open_ms(&self.state.lock());
        self.open_by_hand(Some(now.saturating_add(stays)))
    }

    /// Opens it until a hand closes it.
    pub fn isolate(&self) -> Option<BreakerEvent> {
        self.open_by_hand(None)
    }

    fn open_by_hand(&self, until: Option<u64>) -> Option<BreakerEvent> {
        let state = &mut *self.state.lock();
        let was = state.phase.state();
        state.enter(Phase::Open { until });
        (was != BreakerState::Open).then_some(BreakerEvent::Open)
    }

    /// Closes it and forgets the window.
    pub fn force_close(&self) -> Option<BreakerEvent> {
        let state = &mut *self.state.lock();
        let was = state.phase.state();
        state.window.clear();
        state.reopenings = 0;
        state.enter(Phase::CLOSED);
        (was != BreakerState::Closed).then_some(BreakerEvent::Close)
    }

    /// Closes it and forgets everything, counters too.
    pub fn reset(&self) -> Option<BreakerEvent> {
        let event = self.force_close();
        self.state.lock().counters = Counters::default();
        event
    }
}
