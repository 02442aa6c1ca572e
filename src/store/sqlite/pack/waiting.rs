//! What waits in packs, in its order.

use std::sync::Arc;

use rusqlite::params;

use super::chunk::{Chunk, Packed};
use super::heads::{flush, head, pairs};
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
        for (seq, last) in &packs {
            collect(database, (*seq).max(after.saturating_add(1)), *last, limit, &mut found)?;
        }
        let Some((_, last)) = packs.last().filter(|_| packs.len() == PACKS as usize) else {
            break;
        };
        after = *last;
    }
    Ok(found)
}

/// Those of one pack that are in it still, from one place to another one.
fn collect(database: &Database, from: i64, to: i64, limit: usize, found: &mut Vec<Packed>) -> Result<()> {
    if found.len() >= limit {
        return Ok(());
    }
    let Some(head) = head(database, to)? else {
        return Ok(());
    };
    each(database, from, to, &mut |chunk| {
        let here = |packed: &Packed| packed.seq() >= from && head.holds(packed.seq());
        let room = limit - found.len();
        found.extend(Packed::all(chunk).filter(here).take(room));
        found.len() < limit
    })
}

/// The chunks that have places from one to another one, in their order, while it answers true.
pub fn each(database: &Database, from: i64, to: i64, tell: &mut dyn FnMut(&Arc<Chunk>) -> bool) -> Result<()> {
    let mut statement = database.statement(sql!("packed_read"))?;
    let least = from.saturating_sub(CHUNK as i64 - 1);
    let mut rows = statement.query([least, to]).map_err(coded)?;
    while let Some(row) = rows.next().map_err(coded)? {
        let (seq, bytes) = (row.get(0).map_err(coded)?, row.get(1).map_err(coded)?);
        let chunk = Chunk::read(seq, bytes).map_or_else(|| broken(database, seq), Ok)?;
        if chunk.last() >= from && !tell(&Arc::new(chunk)) {
            break;
        }
    }
    Ok(())
}

/// What cannot be read, as far as the head of its pack tells of it: its jobs are not to stand in the way of others.
fn broken(database: &Database, seq: i64) -> Result<Chunk> {
    let (queue, name, priority, next): (String, String, u8, i64) = database
        .statement(sql!("pack_names"))?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .map_err(coded)?;
    let count = (next - seq).clamp(1, CHUNK as i64) as usize;
    Ok(Chunk::broken(seq, count, queue, name, priority))
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
