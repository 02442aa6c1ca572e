//! The same claim for a queue that has limits: one job at a time, past the keys that are full.

use std::collections::HashMap;

use rusqlite::params;

use super::claim::{Taken, after, first, first_in, take};
use super::database::Database;
use super::failure::coded;
use super::rows::{execute, optional};
use super::sql;
use crate::error::Result;
use crate::store::job_store::ClaimRequest;
use crate::store::limits::{Limit, Limits, Rate, Window};
use crate::store::rules::{json, value};

/// The limits of a queue; remembered, since nobody else can set them.
pub fn limits(database: &mut Database, queue: &str) -> Result<Limits> {
    if let Some(limits) = database.limits.get(queue) {
        return Ok(*limits);
    }
    let stored: Option<String> = optional::<Option<String>>(database, sql!("limits"), [queue])?.flatten();
    let limits = stored.as_deref().map_or_else(|| Ok(Limits::default()), value)?;
    database.limits.insert(queue.to_owned(), limits);
    Ok(limits)
}

/// Sets them.
pub fn set_limits(database: &mut Database, queue: &str, limits: Limits) -> Result<()> {
    let stored = if limits.is_none() { None } else { Some(json(&limits)?) };
    // Where the commit fails, the next claim reads what is stored.
    database.limits.remove(queue);
    execute(database, sql!("limits_set"), params![queue, stored]).map(drop)
}

/// Takes up to `limit` jobs.
pub fn claim(database: &mut Database, request: &ClaimRequest, limits: &Limits) -> Result<Taken> {
    let mut gate = Gate::new(database, request, limits)?;
    let mut taken = Vec::new();
    let mut held = false;
    'all: for priority in 0..=3 {
        let mut last = database.served.get(&(request.queue.clone(), priority)).cloned();
        // The key from which on all were full.
        let mut full_since: Option<String> = None;
        while let Some(key) = next(database, request, priority, last.as_deref())? {
            held |= !gate.is_open();
            if taken.len() == request.limit || !gate.is_open() {
                break 'all;
            }
            if full_since.as_ref() == Some(&key) {
                break;
            }
            last = Some(key.clone());
            if !gate.is_open_for(database, &key)? {
                held = true;
                full_since.get_or_insert(key);
                continue;
            }
            let before = taken.len();
            for first in first_in(database, request, priority, &key, 1)? {
                taken.extend(take(database, &first, request)?);
            }
            if taken.len() == before {
                // What seems to wait is not there: it is damaged.
                full_since.get_or_insert(key);
                continue;
            }
            full_since = None;
            gate.passed(&key);
            database.served.insert((request.queue.clone(), priority), key);
        }
    }
    gate.keep(database)?;
    let unfinished =
        taken.is_empty() && (held || optional(database, sql!("unfinished"), [&request.queue])?.unwrap_or(false));
    Ok(Taken {
        next_at: gate.next_at.filter(|_| held),
        rows: taken,
        unfinished,
    })
}

fn next(database: &Database, request: &ClaimRequest, priority: u8, last: Option<&str>) -> Result<Option<String>> {
    match last {
        Some(last) => after(database, request, priority, last),
        None => first(database, request, priority),
    }
}

/// What is left of the limits during one claim.
struct Gate<'a> {
    queue: &'a str,
    limits: &'a Limits,
    now: i64,
    whole: Place,
    keys: HashMap<String, Place>,
    next_at: Option<i64>,
}

#[derive(Clone, Copy)]
struct Place {
    room: usize,
    window: Window,
    started: u32,
}

impl<'a> Gate<'a> {
    fn new(database: &Database, request: &'a ClaimRequest, limits: &'a Limits) -> Result<Self> {
        let mut gate = Self {
            queue: &request.queue,
            limits,
            now: request.now,
            whole: Place {
                room: 0,
                window: Window::default(),
                started: 0,
            },
            keys: HashMap::new(),
            next_at: None,
        };
        gate.whole = gate.place(database, &limits.whole(), None)?;
        Ok(gate)
    }

    fn place(&mut self, database: &Database, limit: &Limit, key: Option<&str>) -> Result<Place> {
        let running: Option<i64> = match (limit.concurrency, key) {
            (None, _) => None,
            (Some(_), None) => optional(database, sql!("running"), [self.queue])?,
            (Some(_), Some(key)) => optional(database, sql!("running_key"), [self.queue, key])?,
        };
        let window = match limit.rate {
            None => Window::default(),
            Some(_) => window(database, self.queue, key.unwrap_or_default())?,
        };
        let room = limit.room(running.unwrap_or(0).unsigned_abs(), window, self.now);
        self.wait_for(room.next_at);
        Ok(Place {
            room: room.jobs,
            window,
            started: 0,
        })
    }

    /// The earliest time at which asking again may help.
    fn wait_for(&mut self, next_at: Option<i64>) {
        self.next_at = [self.next_at, next_at].into_iter().flatten().min();
    }

    const fn is_open(&self) -> bool {
        self.whole.room > 0
    }

    fn is_open_for(&mut self, database: &Database, key: &str) -> Result<bool> {
        if key.is_empty() || self.limits.per_key.is_none() {
            return Ok(true);
        }
        if let Some(place) = self.keys.get(key) {
            return Ok(place.room > 0);
        }
        let limit = self.limits.per_key;
        let place = self.place(database, &limit, Some(key))?;
        self.keys.insert(key.to_owned(), place);
        Ok(place.room > 0)
    }

    fn passed(&mut self, key: &str) {
        let key = self.keys.get_mut(key);
        for place in [Some(&mut self.whole), key].into_iter().flatten() {
            place.room = place.room.saturating_sub(1);
            place.started += 1;
        }
    }

    /// Stores the starts, and tells when a window that is full now ends.
    fn keep(&mut self, database: &Database) -> Result<()> {
        let keys = std::mem::take(&mut self.keys);
        let all = keys
            .iter()
            .map(|(key, place)| (key.as_str(), *place, self.limits.per_key.rate));
        let all: Vec<(&str, Place, Option<Rate>)> = all.chain([("", self.whole, self.limits.rate)]).collect();
        for (key, place, rate) in all {
            let Some(rate) = rate.filter(|_| place.started > 0) else {
                continue;
            };
            let window = rate.after(place.window, self.now, place.started);
            execute(
                database,
                sql!("rate_set"),
                params![self.queue, key, window.since, window.used],
            )?;
            if window.used >= rate.count {
                self.wait_for(Some(window.since + rate.per));
            }
        }
        Ok(())
    }
}

fn window(database: &Database, queue: &str, key: &str) -> Result<Window> {
    use rusqlite::OptionalExtension;
    let window = database
        .statement(sql!("rate"))?
        .query_row([queue, key], |row| {
            Ok(Window {
                since: row.get(0)?,
                used: row.get(1)?,
            })
        })
        .optional();
    window.map(Option::unwrap_or_default).map_err(coded)
}

/// Forgets windows that ended.
pub fn prune(database: &mut Database, queue: &str, now: i64) -> Result<()> {
    let limits = limits(database, queue)?;
    let longest = [limits.rate, limits.per_key.rate]
        .into_iter()
        .flatten()
        .map(|rate| rate.per)
        .max();
    if let Some(longest) = longest {
        execute(
            database,
            sql!("rate_prune"),
            params![queue, now.saturating_sub(longest)],
        )?;
    }
    Ok(())
}
