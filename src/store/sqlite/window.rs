//! The jobs that are next, read ahead: while only one fair key waits in the first priority, their
//! order is that of their rows. Whatever could change the order ends the window.

use std::collections::{HashMap, VecDeque};

use rusqlite::params;

use super::database::Database;
use super::failure::coded;
use super::next::Next;
use super::pack::Packed;
use super::rows::{LastOptions, optional, raw};
use super::{pack, sql};
use crate::error::Result;
use crate::store::job_store::ClaimRequest;

/// The most that is read at once, the bytes for all queues together. A backlog of any size costs no more memory than that.
const ROWS: usize = 1_000;
const BYTES: usize = 8 * 1024 * 1024;
/// What the first reading takes; each further one takes twice as many.
const FIRST: usize = 64;
/// Where fewer are left, the store's thread reads so many more when it has time, so that no claim waits for that.
const LOW: usize = 1_000;
const MORE: usize = 500;
/// But no more where so many are in the windows of all queues, or so many bytes.
const ENOUGH: usize = 6_000;

/// What is next in a queue, for workers of the same names.
#[derive(Debug)]
pub struct Window {
    names: Vec<String>,
    priority: u8,
    key: String,
    rows: VecDeque<Next>,
    /// The last row that was read.
    last: i64,
    size: usize,
    /// No more wait behind the last row.
    whole: bool,
}

/// The windows by their queue.
#[derive(Debug, Default)]
pub struct Windows(HashMap<String, Window>);

impl Windows {
    /// The order of anything may have changed.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The order of a queue may have changed.
    pub fn end(&mut self, queue: &str) {
        self.0.remove(queue);
    }

    /// A job was added: it is behind the others of its key, but may be before those of the window.
    pub fn added(&mut self, queue: &str, priority: u8, key: &str) {
        let Some(window) = self.0.get_mut(queue) else { return };
        window.whole = false;
        if priority < window.priority || (priority == window.priority && key != window.key) {
            self.0.remove(queue);
        }
    }

    /// Begins a window. Jobs that were taken must be written before.
    pub fn begin(&mut self, request: &ClaimRequest, priority: u8, key: String) {
        let window = Window {
            names: request.names.clone(),
            priority,
            key,
            rows: VecDeque::new(),
            last: i64::MIN,
            size: FIRST,
            whole: false,
        };
        self.0.insert(request.queue.clone(), window);
    }

    /// Whether there is one for such workers. One for others ends: no job may be in two.
    pub fn is_for(&mut self, request: &ClaimRequest) -> bool {
        match self.0.get(&request.queue) {
            Some(window) if window.names == request.names => true,
            Some(_) => {
                self.0.remove(&request.queue);
                false
            }
            None => false,
        }
    }

    /// What one of them may read, so that all together stay small however many queues there are.
    fn share(&self) -> usize {
        BYTES / self.0.len().max(1)
    }

    /// About how big all that is read ahead is.
    pub fn bytes(&self) -> usize {
        self.0.values().flat_map(|window| &window.rows).map(Next::bytes).sum()
    }

    fn priority(&self, queue: &str) -> Option<u8> {
        self.0.get(queue).map(|window| window.priority)
    }

    /// All that is asked for, where it was read already.
    pub fn take_ready(&mut self, request: &ClaimRequest) -> Option<Vec<Next>> {
        let window = self.0.get_mut(&request.queue)?;
        if request.limit == 0 || window.rows.len() < request.limit || window.names != request.names {
            return None;
        }
        // Those that may have a log need it read.
        if window.rows.iter().take(request.limit).any(Next::told) {
            return None;
        }
        Some(window.rows.drain(..request.limit).collect())
    }

    /// Gives back what was taken last.
    pub fn give_back(&mut self, queue: &str, rows: Vec<Next>) {
        if let Some(window) = self.0.get_mut(queue) {
            for row in rows.into_iter().rev() {
                window.rows.push_front(row);
            }
        }
    }
}

/// Takes up to `limit` jobs of the window, which must be there.
pub fn take(database: &mut Database, request: &ClaimRequest, limit: usize) -> Result<Vec<Next>> {
    let mut taken = Vec::new();
    loop {
        let Some(window) = database.front().windows.0.get_mut(&request.queue) else {
            return Ok(taken);
        };
        let count = (limit - taken.len()).min(window.rows.len());
        taken.extend(window.rows.drain(..count));
        if taken.len() == limit {
            return Ok(taken);
        }
        let (names, priority, key) = (window.names.clone(), window.priority, window.key.clone());
        let (last, size) = (window.last, window.size.max(limit));
        let most = (size, database.front().windows.share());
        let (rows, whole) = read(database, &request.queue, &names, priority, &key, last, most)?;
        let Some(window) = database.front().windows.0.get_mut(&request.queue) else {
            return Ok(taken);
        };
        if rows.is_empty() {
            return Ok(taken);
        }
        window.size = (size * 2).min(ROWS.max(limit));
        window.whole = whole;
        window.last = rows.back().map_or(last, Next::seq);
        window.rows = rows;
        if whole && window.rows.len() < limit - taken.len() {
            // The next reading would find none.
            taken.extend(window.rows.drain(..));
            return Ok(taken);
        }
    }
}

/// Reads ahead for a window that runs low while others claim from it; false where none does. What is read is committed.
pub fn refill(database: &mut Database) -> Result<bool> {
    let windows = &database.front().windows;
    if windows.0.values().map(|window| window.rows.len()).sum::<usize>() >= ENOUGH {
        return Ok(false);
    }
    let low = |window: &Window| window.rows.len() < LOW && !window.whole;
    let Some((queue, window)) = windows.0.iter().find(|(_, window)| low(window)) else {
        return Ok(false);
    };
    if windows.bytes() >= BYTES {
        return Ok(false);
    }
    let (queue, names, key) = (queue.clone(), window.names.clone(), window.key.clone());
    let (priority, last) = (window.priority, window.last);
    let most = (MORE, windows.share());
    database.lend();
    let (rows, whole) = read(database, &queue, &names, priority, &key, last, most)?;
    let mut options = LastOptions::default();
    let rows: Vec<Next> = rows.into_iter().map(|next| next.read(&mut options)).collect();
    // Only this thread changes more of it than its first rows.
    if let Some(window) = database.front().windows.0.get_mut(&queue) {
        window.last = rows.last().map_or(last, Next::seq);
        window.whole = whole;
        window.rows.extend(rows);
    }
    Ok(true)
}

/// Whether jobs of a later priority wait, or of the same one where there is no window.
pub fn is_last(database: &mut Database, request: &ClaimRequest) -> Result<bool> {
    let Some(priority) = database.front().windows.priority(&request.queue) else {
        return Ok(false);
    };
    for name in &request.names {
        let later: Option<u8> = optional(
            database,
            sql!("claim_later_priority"),
            params![request.queue, name, priority],
        )?;
        if later.is_some() || pack::later_priority(database, &request.queue, name, priority)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// So many jobs at most, and about so many bytes, but one in any case. Answers too whether these are all that there are.
fn read(
    database: &Database,
    queue: &str,
    names: &[String],
    priority: u8,
    key: &str,
    after: i64,
    (limit, most): (usize, usize),
) -> Result<(VecDeque<Next>, bool)> {
    let mut found: Vec<Next> = Vec::new();
    let mut statement = database.statement(sql!("window_select", "job_columns", "window"))?;
    // Where a name was not read to its end, nothing behind its last row is known.
    let mut known = i64::MAX;
    for name in names {
        let mut rows = statement
            .query(params![queue, name, priority, key, after, limit as i64])
            .map_err(coded)?;
        let (mut count, mut bytes, mut last) = (0, 0, after);
        while let Some(row) = rows.next().map_err(coded)? {
            let row = raw(row).map_err(coded)?;
            (count, bytes, last) = (count + 1, bytes + row.bytes(), row.seq);
            found.push(Next::Row(Box::new(row)));
            if bytes > most {
                count = limit;
                break;
            }
        }
        if count == limit {
            known = known.min(last);
        }
        // Those that lie packed have no key.
        if !key.is_empty() {
            continue;
        }
        let packed = pack::waiting(database, (queue, name, priority), after, limit)?;
        if packed.len() == limit {
            known = known.min(packed.last().map_or(after, Packed::seq));
        }
        found.extend(packed.into_iter().map(|packed| Next::Packed(packed, None)));
    }
    if !found.is_sorted_by_key(Next::seq) {
        found.sort_unstable_by_key(Next::seq);
    }
    found.retain(|row| row.seq() <= known);
    Ok((found.into(), known == i64::MAX))
}
