//! Plain jobs, added on the caller's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::result;

use super::{Queue, check};
use crate::error::Result;
use crate::store::{PlainAdded, PlainCaller, PlainJobs};

impl Queue {
    /// Adds plain jobs where the store does that without a task, behind those that were added before; `told` is called
    /// when they are on the disk. They come back where that cannot be, or one of them is to be refused.
    pub fn add_plain(
        &self,
        jobs: PlainJobs,
        told: impl FnOnce(Result<PlainAdded>) + Send + 'static,
    ) -> result::Result<(), PlainJobs> {
        let (shared, core) = (self.hub.shared().clone(), self.core.clone());
        let store = shared.store.clone();
        let Some(adds) = store.plain_adds().filter(|_| check::plain(&jobs)) else {
            return Err(jobs);
        };
        let now = shared.clock.now_ms();
        let caller = PlainCaller::new(move |answer| {
            if let Ok(added) = &answer {
                // A listener that panics must neither end a thread of the store nor hold back the answer.
                let tell = AssertUnwindSafe(|| shared.added_plain(&core, added));
                if catch_unwind(tell).is_err() {
                    tracing::error!("a listener to added jobs failed");
                }
            }
            told(answer);
        });
        adds.add_plain(&self.core.name, jobs, now, caller);
        Ok(())
    }
}
