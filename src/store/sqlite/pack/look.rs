//! What users look at.

use rusqlite::params;
use uuid::Uuid;

use super::chunk::Packed;
use super::heads::{flush, head, pairs};
use super::insert::earliest;
use super::waiting::each;
use crate::error::Result;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::failure::coded;
use crate::store::sqlite::sql;

/// The packed job of that id.
pub fn find(database: &Database, id: &str) -> Result<Option<Packed>> {
    search(database, id, false)
}

/// The place that the job of that id has, or had where others of its pack are left.
pub fn place(database: &Database, id: &str) -> Result<Option<i64>> {
    Ok(search(database, id, true)?.map(|packed| packed.seq()))
}

fn search(database: &Database, id: &str, gone: bool) -> Result<Option<Packed>> {
    let Ok(parsed) = Uuid::try_parse(id) else {
        return Ok(None);
    };
    let packs = pairs(
        database,
        sql!("pack_find"),
        params![parsed.as_bytes(), earliest(parsed).as_bytes()],
    )?;
    let mut found = None;
    for (seq, _) in packs {
        let Some(head) = head(database, seq)? else { continue };
        each(database, &head, seq, head.last, &mut |chunk| {
            found = Packed::all(chunk).find(|packed| packed.id() == parsed && (gone || head.holds(packed.seq())));
            found.is_none()
        })?;
        if found.is_some() {
            break;
        }
    }
    // An id may be written in several ways, of which one is its.
    Ok(found.filter(|packed| packed.id().hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id))
}

/// The packed job of that place.
pub fn at(database: &Database, seq: i64) -> Result<Option<Packed>> {
    let mut found = None;
    if let Some(head) = head(database, seq)?.filter(|head| head.holds(seq)) {
        each(database, &head, seq, seq, &mut |chunk| {
            found = Some(Packed {
                chunk: chunk.clone(),
                place: (seq - chunk.seq) as usize,
            });
            false
        })?;
    }
    Ok(found)
}

/// Packed jobs of a queue before a place, the newest first, up to `limit` of them.
pub fn list(
    database: &Database,
    queue: &str,
    name: Option<&str>,
    mut before: i64,
    limit: usize,
) -> Result<Vec<Packed>> {
    let mut found: Vec<Packed> = Vec::new();
    while found.len() < limit {
        let Some(seq) = newest(database, queue, name, before)? else {
            break;
        };
        if let Some(head) = head(database, seq)? {
            let mut of_pack = Vec::new();
            each(database, &head, seq, before - 1, &mut |chunk| {
                let here = |packed: &Packed| packed.seq() < before && head.holds(packed.seq());
                of_pack.extend(Packed::all(chunk).filter(here));
                true
            })?;
            found.extend(of_pack.into_iter().rev());
        }
        before = seq;
    }
    found.truncate(limit);
    Ok(found)
}

/// The newest pack of a queue before a place: mostly it is near; else it is the newest of any name and priority.
fn newest(database: &Database, queue: &str, name: Option<&str>, before: i64) -> Result<Option<i64>> {
    for sql in [sql!("pack_list_near"), sql!("pack_list")] {
        if let Some((seq, _)) = pairs(database, sql, params![queue, before, name])?.first() {
            return Ok(Some(*seq));
        }
    }
    Ok(None)
}

/// The newest packed job with a smaller id than that one, which may be gone: its id and its place.
pub fn before(database: &Database, id: &str) -> Result<Option<(String, i64)>> {
    let Ok(parsed) = Uuid::try_parse(id) else {
        return Ok(None);
    };
    let Some((seq, _)) = pairs(database, sql!("pack_before"), [parsed.as_bytes()])?
        .first()
        .copied()
    else {
        return Ok(None);
    };
    let Some(head) = head(database, seq)? else {
        return Ok(None);
    };
    let mut newest: Option<(Uuid, i64)> = None;
    each(database, &head, seq, head.last, &mut |chunk| {
        let all = Packed::all(chunk).map(|packed| (packed.id(), packed.seq()));
        newest = newest.max(all.filter(|(id, _)| *id < parsed).max());
        true
    })?;
    Ok(newest.map(|(id, seq)| (id.to_string(), seq)))
}

/// How many jobs of a queue lie packed, and the first of them.
pub fn count(database: &Database, queue: &str) -> Result<(u64, Option<Packed>)> {
    flush(database)?;
    let (count, first): (i64, Option<i64>) = database
        .statement(sql!("pack_count"))?
        .query_row([queue], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(coded)?;
    let mut oldest = None;
    if let Some(seq) = first
        && let Some(head) = head(database, seq)?
    {
        each(database, &head, seq, head.last, &mut |chunk| {
            oldest = Packed::all(chunk).find(|packed| head.holds(packed.seq()));
            oldest.is_none()
        })?;
    }
    Ok((count.unsigned_abs(), oldest))
}
