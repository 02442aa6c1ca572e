//! A breaker whose state the engines of one store share: what one decided counts for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::breaker::{Breaker, BreakerEvent, BreakerSnapshot};
use crate::clock::SharedClock;
use crate::error::Result;
use crate::queue::Hub;
use crate::store::SharedState;

/// How often it looks for what the others decided.
const LOOK: Duration = Duration::from_secs(1);

/// One breaker and its place in the store.
struct Sharing {
    breaker: Arc<Breaker>,
    hub: Hub,
    clock: SharedClock,
    key: String,
    /// The version that was taken over, or written.
    known: i64,
}

/// Takes over what the others decided and tells what is decided here, until the token is cancelled. Must be
/// called within a tokio runtime.
pub fn share(breaker: &Arc<Breaker>, hub: &Hub, clock: &SharedClock, token: CancellationToken) {
    let (decided, wake) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (told, bell) = (Arc::clone(&decided), Arc::clone(&wake));
    breaker.set_listener(move |_, event| {
        // That it is half-open follows from the time; each finds out by itself.
        if matches!(event, BreakerEvent::Open | BreakerEvent::Close) {
            told.store(true, Ordering::Release);
            bell.notify_one();
        }
    });
    let mut sharing = Sharing {
        breaker: Arc::clone(breaker),
        hub: hub.clone(),
        clock: Arc::clone(clock),
        key: format!("engine/breaker/{}", breaker.name()),
        known: 0,
    };
    tokio::spawn(async move {
        while !token.is_cancelled() {
            let own = decided.swap(false, Ordering::AcqRel);
            if let Err(error) = sharing.sync(own).await {
                decided.fetch_or(own, Ordering::AcqRel);
                tracing::debug!("the state of the breaker was not shared: {error}");
            }
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = token.cancelled() => {}
            }
        }
    });
}

impl Sharing {
    /// `own`: something was decided here that the others do not know.
    async fn sync(&mut self, own: bool) -> Result<()> {
        loop {
            let found = self.hub.states(&self.key).await?;
            let theirs = found.into_iter().find(|state| state.key == self.key);
            let version = theirs.as_ref().map_or(0, |state| state.version);
            if !own {
                if let Some(state) = theirs.filter(|state| state.version > self.known) {
                    self.take_over(&state);
                }
                self.known = version;
                return Ok(());
            }
            let kept = self.breaker.snapshot(self.clock.monotonic_ms());
            if self.hub.set_state(&self.key, version, json!(kept)).await? {
                self.known = version + 1;
                return Ok(());
            }
            // Somebody was faster: what is decided here comes after it.
        }
    }

    fn take_over(&self, state: &SharedState) {
        // What another version of this package wrote is no reason to fail.
        let Ok(kept) = serde_json::from_value::<BreakerSnapshot>(state.value.clone()) else {
            return;
        };
        let elapsed = u64::try_from(state.age).unwrap_or(u64::MAX);
        self.breaker.restore(kept, elapsed, self.clock.monotonic_ms());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{BreakerOptions, BreakerState, Outcome, guard};
    use crate::clock::{ManualClock, SystemClock};
    use crate::error::{Code, Error};
    use crate::queue::HubOptions;
    use crate::store::SqliteStore;

    async fn hub() -> Hub {
        let store = Arc::new(SqliteStore::in_memory().await.unwrap());
        Hub::open(store, SystemClock::shared(), HubOptions::default(), true)
            .await
            .unwrap()
    }

    fn breaker(hub: &Hub, clock: &SharedClock, token: &CancellationToken) -> Arc<Breaker> {
        let options = BreakerOptions {
            failure_threshold: 1,
            success_threshold: 1,
            ..Default::default()
        };
        let breaker = Arc::new(Breaker::new("model", options).unwrap());
        share(&breaker, hub, clock, token.clone());
        breaker
    }

    async fn until(breaker: &Breaker, state: BreakerState) {
        while breaker.state() != state {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_one_decides_counts_for_all_and_for_those_who_come_later() {
        let (hub, token, clock) = (hub().await, CancellationToken::new(), ManualClock::at(1_000));
        let shared: SharedClock = clock.clone();
        let (one, two) = (breaker(&hub, &shared, &token), breaker(&hub, &shared, &token));
        let call = async { Err::<(), _>(Error::new(Code::ModelUnavailable, "down")) };
        let minute = Duration::from_mins(1);
        let failed = guard(&one, &shared, minute, call, |_| Outcome::Failure).await;
        assert!(failed.is_err());
        until(&two, BreakerState::Open).await;
        let late = breaker(&hub, &shared, &token);
        until(&late, BreakerState::Open).await;
        assert!(late.due_in(1_000).unwrap() <= 60_000);
        clock.advance(60_000);
        guard(&two, &shared, minute, async { Ok(()) }, |_| Outcome::Failure)
            .await
            .unwrap();
        until(&one, BreakerState::Closed).await;
        until(&late, BreakerState::Closed).await;
        token.cancel();
        hub.close().await;
    }
}
