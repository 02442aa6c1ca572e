//! New packs.

use rusqlite::params;
use uuid::Uuid;

use super::chunk::{Entry, Line, write};
use super::heads::{Head, Open, grow};
use super::{CHUNK, MOST, SPAN};
use crate::error::Result;
use crate::store::job::{Job, JobStatus};
use crate::store::sqlite::database::Database;
use crate::store::sqlite::rows::execute;
use crate::store::sqlite::sql;

/// Bytes of data and options, and of queue and name. More is a row.
const MOST_DATA: usize = 2_400;
const MOST_NAMES: usize = 1_000;

/// Whether it may be packed: it waits for nothing but its turn, among jobs without a key.
pub fn is_plain(job: &Job, options: &str) -> bool {
    job.status == JobStatus::Pending
        && job.error.is_none()
        && job.options.unique_key.is_none()
        && job.options.depends_on.is_empty()
        && job.options.fair_key.as_deref().is_none_or(str::is_empty)
        && fits([&job.queue, &job.name], job.data.text(), options)
}

/// Whether it is small enough.
pub const fn fits(names: [&str; 2], data: &str, options: &str) -> bool {
    data.len() + options.len() <= MOST_DATA && names[0].len() + names[1].len() <= MOST_NAMES
}

/// Stores jobs of a line from that place on.
pub fn insert(database: &mut Database, line: Line<'_>, entries: &[Entry<'_>], mut seq: i64) -> Result<()> {
    let mut from = extend(database, line, entries, seq)?;
    seq += from as i64;
    while from < entries.len() {
        let (mut low, mut high, mut to) = (entries[from].id, entries[from].id, from + 1);
        while to < entries.len().min(from + MOST) {
            let (low_then, high_then) = (low.min(entries[to].id), high.max(entries[to].id));
            if made_at(high_then) - made_at(low_then) >= SPAN {
                break;
            }
            (low, high, to) = (low_then, high_then, to + 1);
        }
        let count = to - from;
        let open = Open {
            seq,
            last: seq + count as i64 - 1,
            queue: line.queue.to_owned(),
            name: line.name.to_owned(),
            priority: line.priority,
            first_id: low,
            last_id: high,
        };
        let values = params![
            seq,
            open.last,
            count as i64,
            Head::bits(count),
            line.queue,
            line.name,
            line.priority,
            low.as_bytes(),
            high.as_bytes(),
        ];
        execute(database, sql!("pack_add"), values)?;
        database.heads.get_mut().open = Some(open);
        chunks(database, line, &entries[from..to], seq)?;
        (from, seq) = (to, seq + count as i64);
    }
    Ok(())
}

/// Stores the first of them in the pack before them, as many as go there, and answers how many: its head changes in one
/// page, a new one in three.
fn extend(database: &mut Database, line: Line<'_>, entries: &[Entry<'_>], seq: i64) -> Result<usize> {
    let is_before = |open: &Open| {
        open.last + 1 == seq && (&*open.queue, &*open.name, open.priority) == (line.queue, line.name, line.priority)
    };
    let Some(mut open) = database.heads.get_mut().open.take().filter(is_before) else {
        return Ok(0);
    };
    let goes = |entry: &&Entry<'_>| entry.id >= open.first_id && made_at(entry.id) - made_at(open.first_id) < SPAN;
    let room = MOST.saturating_sub((seq - open.seq) as usize);
    let count = entries.iter().take(room).take_while(goes).count();
    let Some(highest) = entries[..count].iter().map(|entry| entry.id).max() else {
        return Ok(0);
    };
    (open.last, open.last_id) = (open.last + count as i64, highest.max(open.last_id));
    if !grow(database, open)? {
        return Ok(0);
    }
    chunks(database, line, &entries[..count], seq)?;
    Ok(count)
}

fn chunks(database: &mut Database, line: Line<'_>, entries: &[Entry<'_>], mut seq: i64) -> Result<()> {
    let room = database.room_of_page();
    let mut from = 0;
    while from < entries.len() {
        let (mut bytes, mut to) = (line.overhead(), from);
        while to < entries.len().min(from + CHUNK) && (to == from || bytes + entries[to].size() <= room) {
            bytes += entries[to].size();
            to += 1;
        }
        let values = params![seq, write(line, &entries[from..to])];
        execute(database, sql!("packed_add"), values)?;
        database.pages += 1;
        seq += (to - from) as i64;
        from = to;
    }
    Ok(())
}

/// When an id was made, in milliseconds since 1970.
fn made_at(id: Uuid) -> u64 {
    (id.as_u128() >> 80) as u64
}

/// The smallest id of a pack that may hold that one.
pub fn earliest(id: Uuid) -> Uuid {
    Uuid::from_u128(u128::from(made_at(id).saturating_sub(SPAN)) << 80)
}
