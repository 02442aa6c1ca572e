//! Which jobs of the packs are gone: remembered for the packs that are worked on, and written once a commit.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::MOST;
use crate::error::Result;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::failure::coded;
use crate::store::sqlite::rows::execute;
use crate::store::sqlite::sql;

/// Heads that are remembered.
const REMEMBERED: usize = 512;
/// Packs of which none is left that are deleted together: one by one, each commit would write their pages.
const EMPTY: usize = 32;

/// A bit for each job of a pack.
pub type Bits = [u8; MOST / 8];

/// The head of a pack, as far as it changes.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub seq: i64,
    pub last: i64,
    left: u32,
    gone: Bits,
}

/// Heads by their first place.
#[derive(Debug, Default)]
pub struct Heads {
    known: BTreeMap<i64, Head>,
    /// Those whose row is behind, each once.
    changed: Vec<i64>,
    /// The first and last places of packs of which none is left; `None` where they were not looked for.
    empty: Option<Vec<(i64, i64)>>,
    /// The newest pack, which may grow.
    pub open: Option<Open>,
}

/// What a pack that may grow holds.
#[derive(Clone, Debug)]
pub struct Open {
    pub seq: i64,
    pub last: i64,
    pub queue: String,
    pub name: String,
    pub priority: u8,
    pub first_id: Uuid,
    pub last_id: Uuid,
}

impl Head {
    fn new(seq: i64, last: i64, stored: &[u8]) -> Self {
        let last = last.clamp(seq, seq.saturating_add(MOST as i64 - 1));
        let mut head = Self {
            seq,
            last,
            left: 0,
            gone: Bits::default(),
        };
        for (bits, stored) in head.gone.iter_mut().zip(stored) {
            *bits = *stored;
        }
        head.left = (seq..=last).filter(|seq| head.holds(*seq)).count() as u32;
        head
    }

    /// Whether the job of that place is here still.
    pub fn holds(&self, seq: i64) -> bool {
        let place = (seq - self.seq) as usize;
        (self.seq..=self.last).contains(&seq) && self.gone[place / 8] & (1 << (place % 8)) == 0
    }

    fn stored(&self) -> &[u8] {
        &self.gone[..(self.last - self.seq + 8) as usize / 8]
    }

    /// The bits as far as there are jobs.
    pub fn bits(count: usize) -> Vec<u8> {
        vec![0; count.div_ceil(8)]
    }
}

/// The head of the pack that has that place.
pub fn head(database: &Database, seq: i64) -> Result<Option<Head>> {
    if let Some(head) = database.heads.borrow().around(seq) {
        return Ok(Some(head));
    }
    let read = database
        .statement(sql!("pack_around"))?
        .query_row([seq], |row| {
            // What is damaged counts as far as it can be: a pack that is passed over would never be empty.
            let (seq, last) = (row.get(0)?, row.get(1).unwrap_or(i64::MIN));
            let gone = row.get_ref(3)?.as_blob().unwrap_or_default();
            Ok((Head::new(seq, last, gone), row.get(2).unwrap_or(-1)))
        })
        .optional()
        .map_err(coded)?;
    let Some((head, left)) = read.filter(|(head, _)| head.last >= seq) else {
        return Ok(None);
    };
    let mut heads = database.heads.borrow_mut();
    heads.known.insert(head.seq, head);
    if i64::from(head.left) != left {
        heads.changed.push(head.seq);
    }
    Ok(Some(head))
}

/// Queue, name and priority of a pack.
pub fn names(database: &Database, head: &Head) -> Result<(String, String, u8)> {
    let names = database
        .statement(sql!("pack_names"))?
        .query_row([head.seq], |row| {
            let priority: u8 = row.get(2).unwrap_or_default();
            let names = (row.get(0).unwrap_or_default(), row.get(1).unwrap_or_default());
            Ok((names.0, names.1, priority.min(3)))
        })
        .optional();
    names.map(Option::unwrap_or_default).map_err(coded)
}

/// A job is not here any more; false where it was not before.
pub fn end(database: &Database, seq: i64) -> Result<bool> {
    let Some(mut head) = head(database, seq)? else {
        return Ok(false);
    };
    let place = (seq - head.seq) as usize;
    if !head.holds(seq) {
        return Ok(false);
    }
    head.gone[place / 8] |= 1 << (place % 8);
    head.left = head.left.saturating_sub(1);
    let mut heads = database.heads.borrow_mut();
    heads.known.insert(head.seq, head);
    if heads.changed.last() != Some(&head.seq) {
        heads.changed.push(head.seq);
    }
    Ok(true)
}

/// The open pack has more jobs now, up to that place; false where none of its jobs is left, so that it may go.
pub fn grow(database: &Database, open: Open) -> Result<bool> {
    let Some(mut head) = head(database, open.seq)?.filter(|head| head.left > 0) else {
        return Ok(false);
    };
    head.left += (open.last - head.last) as u32;
    head.last = open.last;
    let values = params![head.seq, head.last, head.left, head.stored(), open.last_id.as_bytes()];
    execute(database, sql!("pack_extend"), values)?;
    let mut heads = database.heads.borrow_mut();
    heads.known.insert(head.seq, head);
    heads.open = Some(open);
    Ok(true)
}

impl Heads {
    fn around(&self, seq: i64) -> Option<Head> {
        let (_, head) = self.known.range(..=seq).next_back()?;
        (head.last >= seq).then_some(*head)
    }
}

/// Writes the rows of heads that changed.
pub fn flush(database: &Database) -> Result<()> {
    let mut heads = database.heads.borrow_mut();
    let mut changed = std::mem::take(&mut heads.changed);
    changed.sort_unstable();
    changed.dedup();
    for seq in &changed {
        let Some(head) = heads.known.get(seq).copied() else {
            continue;
        };
        if head.left == 0 {
            if heads.empty.is_none() {
                heads.empty = Some(pairs(database, sql!("pack_empty"), [])?);
            }
            heads.empty.get_or_insert_default().push((*seq, head.last));
            heads.known.remove(seq);
        }
        let values = params![seq, head.left, head.stored()];
        execute(database, sql!("pack_change"), values)?;
    }
    changed.clear();
    heads.changed = changed;
    if heads.known.len() > REMEMBERED {
        heads.known.clear();
    }
    if let Some(empty) = heads.empty.as_mut().filter(|empty| empty.len() >= EMPTY) {
        for (seq, last) in empty.drain(..) {
            execute(database, sql!("pack_remove"), [seq])?;
            execute(database, sql!("packed_remove"), [seq, last])?;
        }
    }
    Ok(())
}

/// Pairs of places, of which the first is a row's and the second may be damaged.
pub fn pairs(database: &Database, sql: &'static str, values: impl rusqlite::Params) -> Result<Vec<(i64, i64)>> {
    let mut statement = database.statement(sql)?;
    statement
        .query_map(values, |row| Ok((row.get(0)?, row.get(1).unwrap_or(i64::MIN))))
        .and_then(Iterator::collect)
        .map_err(coded)
}

/// Forgets all: what was changed is undone.
pub fn clear(database: &Database) {
    *database.heads.borrow_mut() = Heads::default();
}
