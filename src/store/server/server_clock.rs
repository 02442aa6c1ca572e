//! The server's time, kept by this machine's monotonic clock: all machines agree on it, and none of
//! them moves it by setting its own clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::clock::Clock;

/// The time of a database server.
#[derive(Debug)]
pub struct ServerClock {
    started: Instant,
    /// The server's time at the start, in milliseconds since 1970.
    origin: AtomicI64,
}

impl ServerClock {
    /// Knows nothing until it is set.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            origin: AtomicI64::new(0),
        }
    }

    /// The server answered `time` to a question of which half the way was at `asked` + half of `took`.
    pub fn set(&self, time: i64, asked: Instant) {
        let middle = asked.duration_since(self.started) + asked.elapsed() / 2;
        self.origin.store(time - middle.as_millis() as i64, Ordering::Release);
    }
}

impl Clock for ServerClock {
    fn now_ms(&self) -> i64 {
        self.origin.load(Ordering::Acquire) + self.started.elapsed().as_millis() as i64
    }

    fn monotonic_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}
