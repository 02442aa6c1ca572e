//! What waits in packs, in its order.

use std::ops::Range;
use std::sync::Arc;

use rusqlite::params;

use super::chunk::{Chunk, Packed};
use super::heads::{Head, flush, head, names, pairs};
use super::{CHUNK, MOST};
use crate::error::Result;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::failure::coded;
use crate::store::sqlite::rows::optional;
use crate::store::sqlite::sql;

/// Packs that are looked at in one statement.
const PACKS: i64 = 8;

/// The jobs that wait behind a place, up to `limit` of them.
pub fn waiting(
    database: &Database,
    (queue, name, priority): (&str, &str, u8),
    mut after: i64,
    limit: usize,
) -> Result<Vec<Packed>> {
    let mut found = Vec::new();
    while found.len() < limit {
        let from = after.saturating_sub(MOST as i64);
        let values = params![queue, name, priority, from, after, PACKS];
        let packs = pairs(database, sql!("pack_waiting"), values)?;
        for (seq, _) in &packs {
            collect(database, *seq, after.saturating_add(1), limit, &mut found)?;
        }
        let Some((seq, last)) = packs.last().filter(|_| packs.len() == PACKS as usize) else {
            break;
        };
        // No pack is longer, whatever its head says.
        after = (*last).clamp(*seq, seq.saturating_add(MOST as i64 - 1));
    }
    Ok(found)
}

/// Those of the pack of that place that are in it still, from another place on.
fn collect(database: &Database, seq: i64, from: i64, limit: usize, found: &mut Vec<Packed>) -> Result<()> {
    if found.len() >= limit {
        return Ok(());
    }
    let Some(head) = head(database, seq)? else {
        return Ok(());
    };
    each(database, &head, from, i64::MAX, &mut |chunk| {
        let here = |packed: &Packed| packed.seq() >= from && head.holds(packed.seq());
        let room = limit - found.len();
        found.extend(Packed::all(chunk).filter(here).take(room));
        found.len() < limit
    })
}

/// The chunks of a pack that have places from one to another one, in their order, while it answers true.
///
/// Jobs of which none can be read are told as well, damaged: they are not to stand in the way of others.
pub fn each(
    database: &Database,
    head: &Head,
    from: i64,
    to: i64,
    tell: &mut dyn FnMut(&Arc<Chunk>) -> bool,
) -> Result<()> {
    let (from, to) = (from.max(head.seq), to.min(head.last));
    let mut statement = database.statement(sql!("packed_read"))?;
    let least = head.seq.max(from.saturating_sub(CHUNK as i64 - 1));
    let (mut rows, mut next) = (statement.query([least, to]).map_err(coded)?, from);
    while let Some(row) = rows.next().map_err(coded)? {
        let (seq, bytes) = (row.get(0).map_err(coded)?, row.get(1).unwrap_or_default());
        let Some(chunk) = Chunk::read(seq, bytes).filter(|chunk| chunk.last() >= from) else {
            continue;
        };
        let last = chunk.last();
        if !broken(database, head, next..seq, tell)? || !tell(&Arc::new(chunk)) {
            return Ok(());
        }
        next = next.max(last + 1);
    }
    broken(database, head, next..to.saturating_add(1), tell).map(drop)
}

/// Tells of places whose chunk is not there, as far as the head of their pack knows them.
fn broken(
    database: &Database,
    head: &Head,
    places: Range<i64>,
    tell: &mut dyn FnMut(&Arc<Chunk>) -> bool,
) -> Result<bool> {
    let mut seq = places.start;
    while seq < places.end {
        let count = (places.end - seq).min(CHUNK as i64);
        let (queue, name, priority) = names(database, head)?;
        if !tell(&Arc::new(Chunk::broken(seq, count as usize, queue, name, priority))) {
            return Ok(false);
        }
        seq += count;
    }
    Ok(true)
}

/// The first ones of a priority.
pub fn first(database: &Database, of: (&str, &str, u8), limit: usize) -> Result<Vec<Packed>> {
    waiting(database, of, i64::MIN, limit)
}

/// The first priority in which jobs wait.
pub fn first_priority(database: &Database, queue: &str, name: &str) -> Result<Option<u8>> {
    later(database, queue, name, -1)
}

/// The next priority in which jobs wait.
pub fn later_priority(database: &Database, queue: &str, name: &str, priority: u8) -> Result<Option<u8>> {
    later(database, queue, name, priority.into())
}

fn later(database: &Database, queue: &str, name: &str, priority: i64) -> Result<Option<u8>> {
    flush(database)?;
    optional(database, sql!("pack_priority"), params![queue, name, priority])
}

/// Whether jobs of that priority wait.
pub fn waits(database: &Database, queue: &str, name: &str, priority: u8) -> Result<bool> {
    flush(database)?;
    let found: Option<i64> = optional(database, sql!("pack_has"), params![queue, name, priority])?;
    Ok(found.is_some())
}
