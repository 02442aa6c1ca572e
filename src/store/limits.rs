//! How many jobs of a queue may run at once, and how many may start in a time: decided here, from
//! what a store counts.

use serde::{Deserialize, Serialize};

/// What holds jobs of a queue back, for all its workers on all machines together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// Jobs that run at once.
    pub concurrency: Option<u32>,
    /// Starts in a time.
    pub rate: Option<Rate>,
    /// The same for each fair key; jobs without one are not held back by it.
    pub per_key: Limit,
}

/// What holds jobs back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limit {
    pub concurrency: Option<u32>,
    pub rate: Option<Rate>,
}

/// At most `count` starts in a window of `per` milliseconds, which begins with a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    pub count: u32,
    pub per: i64,
}

/// The starts of the present window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub since: i64,
    pub used: u32,
}

/// How many jobs may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub jobs: usize,
    /// When a window makes room again, where one is in the way.
    pub next_at: Option<i64>,
}

impl Limits {
    /// Nothing is held back.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What holds back the queue as a whole.
    pub const fn whole(&self) -> Limit {
        Limit {
            concurrency: self.concurrency,
            rate: self.rate,
        }
    }
}

impl Limit {
    /// Nothing is held back.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// How many jobs may start while so many run.
    pub fn room(&self, running: u64, window: Window, now: i64) -> Room {
        let places = self.concurrency.map_or(usize::MAX, |most| {
            usize::try_from(u64::from(most).saturating_sub(running)).unwrap_or(usize::MAX)
        });
        let starts = self.rate.map_or(usize::MAX, |rate| {
            let used = if rate.is_open(window, now) { window.used } else { 0 };
            rate.count.saturating_sub(used) as usize
        });
        let next_at = self.rate.filter(|_| starts == 0).map(|rate| window.since + rate.per);
        Room {
            jobs: places.min(starts),
            next_at,
        }
    }
}

impl Rate {
    /// A clock that was set back ends a window, so that it cannot last for ever.
    const fn is_open(&self, window: Window, now: i64) -> bool {
        window.since <= now && now < window.since + self.per
    }

    /// The window after so many more starts.
    pub const fn after(&self, window: Window, now: i64, started: u32) -> Window {
        if self.is_open(window, now) {
            Window {
                since: window.since,
                used: window.used.saturating_add(started),
            }
        } else {
            Window {
                since: now,
                used: started,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { count: 3, per: 100 };

    fn rated(window: Window, now: i64) -> Room {
        let limit = Limit {
            concurrency: None,
            rate: Some(RATE),
        };
        limit.room(0, window, now)
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        let room = Limit::default().room(1_000, Window::default(), 5);
        assert_eq!((room.jobs, room.next_at), (usize::MAX, None));
    }

    #[test]
    fn running_jobs_take_places() {
        let limit = Limit {
            concurrency: Some(3),
            rate: None,
        };
        let places = [0, 2, 3, 9].map(|running| limit.room(running, Window::default(), 0).jobs);
        assert_eq!(places, [3, 1, 0, 0]);
    }

    #[test]
    fn a_full_window_tells_when_it_ends() {
        let window = RATE.after(RATE.after(Window::default(), 500, 2), 560, 1);
        assert_eq!(window, Window { since: 500, used: 3 });
        let (full, empty) = (rated(window, 599), rated(window, 600));
        assert_eq!((full.jobs, full.next_at), (0, Some(600)));
        assert_eq!((empty.jobs, empty.next_at), (3, None));
    }

    #[test]
    fn a_clock_that_is_set_back_opens_a_new_window() {
        let window = Window {
            since: 1_000_000,
            used: 3,
        };
        assert_eq!(rated(window, 10).jobs, 3);
        assert_eq!(RATE.after(window, 10, 1), Window { since: 10, used: 1 });
    }
}
