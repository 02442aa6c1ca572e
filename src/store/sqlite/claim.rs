//! Which job is next: strictly by priority, in turns over the fair keys, first in first out in
//! each key.

use rusqlite::params;

use super::database::Database;
use super::failure::coded;
use super::next::{Next, rows};
use super::pack::{self, Packed};
use super::rows::{optional, raws, with_logs};
use super::starts::{self, Starts};
use super::{limited, sql, window};
use crate::error::Result;
use crate::store::job_store::ClaimRequest;

/// What was taken, as it lies there.
#[derive(Debug, Default)]
pub struct Taken {
    pub rows: Vec<Next>,
    pub unfinished: bool,
    pub next_at: Option<i64>,
}

/// Takes what was read ahead already, without a transaction; `None` where that is not enough.
pub fn claim_ready(database: &mut Database, request: &ClaimRequest) -> Option<Taken> {
    let rows = database.front().claim_ready(request)?;
    Some(Taken {
        rows,
        ..Taken::default()
    })
}

/// Takes up to `limit` jobs.
pub fn claim(database: &mut Database, request: &ClaimRequest) -> Result<Taken> {
    let limits = limited::limits(database, &request.queue)?;
    if !limits.is_none() {
        starts::write_out(database)?;
        let mut taken = limited::claim(database, request, &limits)?;
        with_logs(database, rows(&mut taken.rows), 1)?;
        return Ok(taken);
    }
    let mut taken = Vec::new();
    if database.front().windows.is_for(request) {
        let rows = window::take(database, request, request.limit)?;
        match begin(&mut database.front().starts, request, rows) {
            Ok(rows) => taken = rows,
            Err(rows) => {
                database.front().windows.end(&request.queue);
                taken = take_written(database, request, rows)?;
            }
        }
        if taken.len() == request.limit || window::is_last(database, request)? {
            return done(database, request, taken);
        }
    }
    // From here on the rows themselves are asked.
    database.front().windows.end(&request.queue);
    starts::write_out(database)?;
    let (mut past, mut none) = (None, false);
    while taken.len() < request.limit {
        let Some(turn) = next_turn(database, request, past)? else {
            break;
        };
        let before = taken.len();
        let limit = if turn.alone { request.limit - taken.len() } else { 1 };
        let sequence = first_in(database, request, turn.priority, &turn.key, limit)?;
        for next in sequence {
            taken.extend(take(database, &next, request)?);
        }
        database
            .served
            .insert((request.queue.clone(), turn.priority), turn.key.clone());
        if taken.len() == before {
            // It is damaged, so that jobs seem to wait which are not there: others are not to wait for them.
            if turn.alone || none {
                past = Some(turn.priority);
            }
            none = true;
        } else if turn.alone {
            // What comes next is known for the claims to come.
            database.front().windows.begin(request, turn.priority, turn.key);
        } else {
            database.front().windows.end(&request.queue);
        }
    }
    done(database, request, taken)
}

fn done(database: &Database, request: &ClaimRequest, mut taken: Vec<Next>) -> Result<Taken> {
    // A first attempt has told nothing yet.
    with_logs(database, rows(&mut taken), 1)?;
    let unfinished = taken.is_empty() && optional(database, sql!("unfinished"), [&request.queue])?.unwrap_or(false);
    Ok(Taken {
        rows: taken,
        unfinished,
        next_at: None,
    })
}

/// Notes that the jobs start; gives them back where there is no room for the notes.
pub fn begin(all: &mut Starts, request: &ClaimRequest, mut jobs: Vec<Next>) -> Result<Vec<Next>, Vec<Next>> {
    if !all.begin(jobs.iter().map(|next| next.start(request)).collect()) {
        return Err(jobs);
    }
    for next in &mut jobs {
        next.begin(request.now);
    }
    Ok(jobs)
}

fn take_written(database: &mut Database, request: &ClaimRequest, jobs: Vec<Next>) -> Result<Vec<Next>> {
    starts::write_out(database)?;
    let mut taken = Vec::with_capacity(jobs.len());
    for next in jobs {
        let place = match next {
            Next::Row(raw) => First::Row(raw.seq),
            Next::Packed(packed, _) => First::Packed(packed),
        };
        taken.extend(take(database, &place, request)?);
    }
    Ok(taken)
}

struct Turn {
    priority: u8,
    key: String,
    /// No other key waits in this priority.
    alone: bool,
}

/// Whose turn it is, among the priorities behind one.
fn next_turn(database: &Database, request: &ClaimRequest, past: Option<u8>) -> Result<Option<Turn>> {
    let mut priority: Option<u8> = None;
    for name in &request.names {
        let (found, packed) = if let Some(past) = past {
            (
                optional(
                    database,
                    sql!("claim_later_priority"),
                    params![request.queue, name, past],
                )?,
                pack::later_priority(database, &request.queue, name, past)?,
            )
        } else {
            (
                optional(database, sql!("claim_priority"), params![request.queue, name])?,
                pack::first_priority(database, &request.queue, name)?,
            )
        };
        priority = [priority, found, packed].into_iter().flatten().min();
    }
    let Some(priority) = priority else {
        return Ok(None);
    };
    let key = match database.served.get(&(request.queue.clone(), priority)) {
        Some(last) => after(database, request, priority, last)?,
        None => first(database, request, priority)?,
    };
    let Some(key) = key else { return Ok(None) };
    let alone = after(database, request, priority, &key)?.as_ref() == Some(&key);
    Ok(Some(Turn { priority, key, alone }))
}

/// The key whose turn is after `last`, in the circle of those that wait.
pub fn after(database: &Database, request: &ClaimRequest, priority: u8, last: &str) -> Result<Option<String>> {
    let mut next: Option<String> = None;
    for name in &request.names {
        let found = optional(
            database,
            sql!("claim_next_key"),
            params![request.queue, name, priority, last],
        )?;
        next = [next, found].into_iter().flatten().min();
    }
    if next.is_some() {
        Ok(next)
    } else {
        first(database, request, priority)
    }
}

/// The first key of those that wait.
pub fn first(database: &Database, request: &ClaimRequest, priority: u8) -> Result<Option<String>> {
    let mut next: Option<String> = None;
    for name in &request.names {
        if pack::waits(database, &request.queue, name, priority)? {
            return Ok(Some(String::new()));
        }
        let found = optional(
            database,
            sql!("claim_first_key"),
            params![request.queue, name, priority],
        )?;
        next = [next, found].into_iter().flatten().min();
    }
    Ok(next)
}

/// A job that is the first of its key.
pub enum First {
    Row(i64),
    Packed(Packed),
}

impl First {
    fn seq(&self) -> i64 {
        match self {
            Self::Row(seq) => *seq,
            Self::Packed(packed) => packed.seq(),
        }
    }
}

/// The oldest jobs of a key.
pub fn first_in(
    database: &Database,
    request: &ClaimRequest,
    priority: u8,
    key: &str,
    limit: usize,
) -> Result<Vec<First>> {
    let mut sequence: Vec<First> = Vec::new();
    let mut statement = database.statement(sql!("claim_seqs"))?;
    for name in &request.names {
        let parameters = params![request.queue, name, priority, key, limit as i64];
        let found: Vec<i64> = statement
            .query_map(parameters, |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(coded)?;
        sequence.extend(found.into_iter().map(First::Row));
        if key.is_empty() {
            let packed = pack::first(database, (&request.queue, name, priority), limit)?;
            sequence.extend(packed.into_iter().map(First::Packed));
        }
    }
    sequence.sort_unstable_by_key(First::seq);
    sequence.truncate(limit);
    Ok(sequence)
}

/// Takes one.
pub fn take(database: &Database, first: &First, request: &ClaimRequest) -> Result<Vec<Next>> {
    if let First::Packed(packed) = first
        && !pack::take_out(database, packed, &pack::WAITING)?
    {
        return Ok(Vec::new());
    }
    let taken = raws(
        database,
        sql!("claim_take", "job_columns"),
        params![first.seq(), request.lease_until, request.now],
    )?;
    Ok(taken.into_iter().map(|raw| Next::Row(Box::new(raw))).collect())
}
