//! The pages of a database file and of its log, and the cells in them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rusqlite::types::Value;

use super::log::{self, word};
use super::record::{Cell, read_values, varint};
use crate::store::sqlite::database::with_suffix;

const LEAF_OF_TABLE: u8 = 13;
const LEAF_OF_INDEX: u8 = 10;
/// The columns of a job in the oldest schema, and in the newest that is known.
const COLUMNS: std::ops::RangeInclusive<usize> = 26..=64;
const ID: usize = 36;
/// The columns of the head of a pack, and of packed jobs.
const HEAD: usize = 9;
const PACKED: usize = 2;

/// All pages that there are, each as often as it was written.
pub struct Pages {
    size: usize,
    current: HashMap<u32, Vec<u8>>,
    /// In the order in which they were written over.
    older: Vec<(u32, Vec<u8>)>,
    free: HashSet<u32>,
}

/// The size of pages where the file does not tell it any more. Files that older versions made have small ones.
fn likely_size(file: &[u8]) -> usize {
    const SMALL: usize = 4_096;
    let begins = |page: &&[u8]| matches!(page[0], 2 | 5 | LEAF_OF_INDEX | LEAF_OF_TABLE);
    let between = || file.chunks_exact(SMALL).skip(1).step_by(2);
    // Every other one of them would lie in the middle of a big page.
    if between().filter(begins).count() * 2 > between().count() {
        SMALL
    } else {
        2 * SMALL
    }
}

/// One version of a page.
pub struct Page<'a> {
    number: u32,
    bytes: &'a [u8],
    /// It was not written over.
    pub current: bool,
}

impl Pages {
    /// Of a file and the log beside it; what cannot be read is not there.
    pub fn read(path: &Path) -> Self {
        let file = std::fs::read(path).unwrap_or_default();
        let wal = std::fs::read(with_suffix(path, "-wal")).unwrap_or_default();
        let size = match file.get(16..18).map(|two| u16::from_be_bytes([two[0], two[1]])) {
            Some(size @ 512..=32_768) if size.is_power_of_two() => usize::from(size),
            _ => likely_size(&file),
        };
        let mut pages = Self {
            size,
            current: HashMap::new(),
            older: Vec::new(),
            free: HashSet::new(),
        };
        for (index, bytes) in file.chunks_exact(size).enumerate() {
            pages.current.insert(index as u32 + 1, bytes.to_vec());
        }
        for (number, bytes) in log::frames(&wal, size) {
            if let Some(before) = pages.current.insert(number, bytes.to_vec()) {
                pages.older.push((number, before));
            }
        }
        pages.find_free();
        pages
    }

    /// Pages that hold nothing any more.
    fn find_free(&mut self) {
        let mut trunk = self.current.get(&1).map_or(0, |page| word(page, 32));
        while trunk != 0 && self.free.insert(trunk) {
            let Some(page) = self.current.get(&trunk) else { break };
            let count = (word(page, 4) as usize).min(self.size / 4 - 2);
            self.free.extend((0..count).map(|leaf| word(page, 8 + 4 * leaf)));
            trunk = word(page, 0);
        }
    }

    /// The pages as they are, then those that were written over, the last first.
    pub fn newest_first(&self) -> impl Iterator<Item = Page<'_>> {
        let current = self.current.iter().filter(|(number, _)| !self.free.contains(number));
        let current = current.map(|(number, bytes)| Page {
            number: *number,
            bytes,
            current: true,
        });
        let older = self.older.iter().rev().map(|(number, bytes)| Page {
            number: *number,
            bytes,
            current: false,
        });
        current.chain(older)
    }

    /// The rest of a long row, which begins at that page.
    fn overflow(&self, mut number: u32, mut missing: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while missing > 0 {
            let page = self.current.get(&number)?;
            let part = missing.min(self.size - 4);
            bytes.extend_from_slice(&page[4..4 + part]);
            missing -= part;
            number = word(page, 0);
        }
        Some(bytes)
    }
}

impl Page<'_> {
    /// What looks like rows of jobs, or names of them in the index of their ids.
    pub fn cells(&self, pages: &Pages) -> Vec<Cell> {
        let start = if self.number == 1 { 100 } else { 0 };
        let kind = self.bytes[start];
        if kind != LEAF_OF_TABLE && kind != LEAF_OF_INDEX {
            return Vec::new();
        }
        let half = |at: usize| {
            self.bytes
                .get(at..at + 2)
                .map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])))
        };
        let count = half(start + 3).unwrap_or(0);
        (0..count)
            .filter_map(|cell| half(start + 8 + 2 * cell))
            .filter_map(|at| {
                if kind == LEAF_OF_TABLE {
                    self.row(at, pages)
                } else {
                    self.name(at)
                }
            })
            .collect()
    }

    fn row(&self, at: usize, pages: &Pages) -> Option<Cell> {
        let (length, next) = varint(self.bytes, at)?;
        let (seq, next) = varint(self.bytes, next)?;
        let length = usize::try_from(length).ok()?;
        let inside = pages.size - 35;
        let local = if length <= inside {
            length
        } else {
            let least = (pages.size - 12) * 32 / 255 - 23;
            let most = least + (length - least) % (pages.size - 4);
            if most <= inside { most } else { least }
        };
        let mut payload = self.bytes.get(next..next + local)?.to_vec();
        let columns = record_columns(&payload)?;
        if !COLUMNS.contains(&columns) && columns != HEAD && columns != PACKED {
            return None;
        }
        let whole = if local < length {
            let first = self
                .bytes
                .get(next + local..next + local + 4)
                .map(|_| word(self.bytes, next + local))?;
            pages
                .overflow(first, length - local)
                .map(|rest| payload.extend(rest))
                .is_some()
        } else {
            true
        };
        let values = if whole { read_values(&payload) } else { None };
        if COLUMNS.contains(&columns) {
            return Some(Cell::Row { seq, values });
        }
        let mut values = values?;
        match values.pop()? {
            Value::Blob(bytes) if columns == PACKED => Some(Cell::Chunk { seq, bytes }),
            Value::Blob(_) => Some(Cell::Head { seq, values }),
            _ => None,
        }
    }

    /// An entry of the index of ids: an id of 36 characters and the row's number.
    fn name(&self, at: usize) -> Option<Cell> {
        let (length, next) = varint(self.bytes, at)?;
        let payload = self.bytes.get(next..next + usize::try_from(length).ok()?)?;
        match read_values(payload)?.as_slice() {
            [Value::Text(id), Value::Integer(seq)] if id.len() == ID => Some(Cell::Named { seq: *seq }),
            _ => None,
        }
    }
}

/// How many columns a record says that it has.
fn record_columns(payload: &[u8]) -> Option<usize> {
    let (header, mut at) = varint(payload, 0)?;
    let end = usize::try_from(header).ok()?;
    let mut columns = 0;
    while at < end {
        at = varint(payload, at)?.1;
        columns += 1;
    }
    Some(columns)
}
