//! The breaker of the model outlives the process: its state lies in the data directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::breaker::{Breaker, BreakerEvent, BreakerSnapshot};
use crate::clock::SharedClock;

/// What lies in the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Milliseconds since 1970.
    at: i64,
    breaker: BreakerSnapshot,
}

/// Goes on from the state that an earlier process left, and keeps each change of it.
pub fn keep(breaker: &Arc<Breaker>, data_dir: &Path, clock: &SharedClock) {
    let path = data_dir.join("breaker.json");
    if let Some(kept) = std::fs::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice::<Kept>(&text).ok())
    {
        // A clock that was set back must not keep it open for longer.
        let elapsed = u64::try_from(clock.now_ms() - kept.at).unwrap_or(u64::MAX);
        breaker.restore(kept.breaker, elapsed, clock.monotonic_ms());
    }
    let (weak, clock) = (Arc::downgrade(breaker), Arc::clone(clock));
    breaker.set_listener(move |_, event| {
        if matches!(event, BreakerEvent::Open | BreakerEvent::HalfOpen | BreakerEvent::Close)
            && let Some(breaker) = weak.upgrade()
        {
            let kept = Kept {
                at: clock.now_ms(),
                breaker: breaker.snapshot(clock.monotonic_ms()),
            };
            if let Err(error) = write(&path, &kept) {
                tracing::warn!("the state of the model's breaker was not kept: {error}");
            }
        }
    });
}

/// A few bytes at a change of state, put in place whole.
fn write(path: &PathBuf, kept: &Kept) -> std::io::Result<()> {
    let staged = path.with_extension("json.new");
    std::fs::write(&staged, serde_json::to_vec(kept)?)?;
    std::fs::rename(staged, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{BreakerOptions, BreakerState, Outcome, guard};
    use crate::clock::ManualClock;
    use crate::error::{Code, Error};
    use std::time::Duration;

    fn opened(folder: &Path, clock: &SharedClock) -> Arc<Breaker> {
        let options = BreakerOptions {
            failure_threshold: 1,
            reset_timeout: 1_000,
            ..Default::default()
        };
        let breaker = Arc::new(Breaker::new("model", options).unwrap());
        keep(&breaker, folder, clock);
        breaker
    }

    #[tokio::test]
    async fn it_is_still_open_after_a_restart_and_forgets_what_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(10_000);
        let shared: SharedClock = clock.clone();
        let first = opened(folder.path(), &shared);
        let call = async { Err::<(), _>(Error::new(Code::ModelUnavailable, "down")) };
        guard(&first, &shared, Duration::from_mins(1), call, |_| Outcome::Failure)
            .await
            .unwrap_err();
        assert_eq!(first.state(), BreakerState::Open);
        drop(first);
        clock.advance(400);
        let second = opened(folder.path(), &shared);
        assert_eq!(second.due_in(10_400), Some(600));
        let back: SharedClock = ManualClock::at(5_000);
        assert_eq!(opened(folder.path(), &back).due_in(5_000), Some(0));
        std::fs::write(folder.path().join("breaker.json"), "{").unwrap();
        assert_eq!(opened(folder.path(), &shared).state(), BreakerState::Closed);
    }
}
