//! Packed jobs of a damaged file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::store::job::Job;
use crate::store::sqlite::pack::{Chunk, MOST, Packed};
use crate::store::sqlite::rows::{LastOptions, finished};

/// The head of a pack.
#[derive(Clone, Debug)]
struct Head {
    last: i64,
    gone: Vec<u8>,
}

impl Head {
    /// Where it is sound.
    fn new(seq: i64, last: i64, left: i64, gone: &[u8]) -> Option<Self> {
        let count = last.checked_sub(seq)?.checked_add(1)?;
        let ended: u32 = gone.iter().map(|bits| bits.count_ones()).sum();
        let sound = (1..=MOST as i64).contains(&count)
            && left >= 0
            && left + i64::from(ended) == count
            && gone.len() == (count as usize).div_ceil(8);
        sound.then(|| Self {
            last,
            gone: gone.to_vec(),
        })
    }

    fn is_gone(&self, seq: i64, place: i64) -> bool {
        let place = (place - seq) as usize;
        self.gone
            .get(place / 8)
            .is_some_and(|bits| bits & (1 << (place % 8)) != 0)
    }
}

/// What is wrong with the heads alone: a pack of which wrongly none is left would be looked at by nobody.
pub fn damage_of_heads(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut heads = connection.prepare("SELECT seq, last, left, gone FROM pack ORDER BY seq")?;
    let mut rows = heads.query([])?;
    while let Some(row) = rows.next()? {
        // What is no number is damaged, too.
        let (seq, last, left) = (row.get(0)?, row.get(1).unwrap_or(-1), row.get(2).unwrap_or(-1));
        if Head::new(seq, last, left, row.get_ref(3)?.as_blob().unwrap_or_default()).is_none() {
            return Ok(Some(damaged(seq)));
        }
    }
    Ok(None)
}

fn damaged(seq: i64) -> String {
    format!("the pack of the jobs from {seq} on is damaged")
}

/// What is wrong with the packs of a database that itself holds for good.
pub fn damage_of_packs(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut heads = connection.prepare("SELECT seq, last, left, gone FROM pack ORDER BY seq")?;
    let mut chunks = connection.prepare("SELECT seq, jobs FROM packed WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq")?;
    let (mut rows, mut known) = (heads.query([])?, 0);
    while let Some(row) = rows.next()? {
        let (seq, last, left): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let wrong = || Ok(Some(damaged(seq)));
        let Some(head) = Head::new(seq, last, left, row.get_ref(3)?.as_blob().unwrap_or_default()) else {
            return wrong();
        };
        let (mut next, mut parts) = (seq, chunks.query([seq, last])?);
        while let Some(part) = parts.next()? {
            known += 1;
            let Some(chunk) = Chunk::read(part.get(0)?, part.get_ref(1)?.as_blob().unwrap_or_default().to_vec()) else {
                return wrong();
            };
            let (from, chunk) = (chunk.seq, Arc::new(chunk));
            if from != next || chunk.last() > last {
                return wrong();
            }
            next = chunk.last() + 1;
            let good = |packed: &Packed| head.is_gone(seq, packed.seq()) || packed.is_sound();
            if !Packed::all(&chunk).all(|packed| good(&packed)) {
                return wrong();
            }
        }
        if next != last + 1 {
            return wrong();
        }
    }
    let stored: i64 = connection.query_row("SELECT count(*) FROM packed", [], |row| row.get(0))?;
    Ok((stored != known).then(|| "packed jobs are in no pack".to_owned()))
}

/// What was found in the pages.
#[derive(Debug, Default)]
pub struct Found {
    heads: BTreeMap<i64, Head>,
    /// Of pages that were written over.
    older: BTreeMap<i64, Head>,
    jobs: BTreeMap<i64, Job>,
    /// Jobs that there were in pages as they are.
    known: BTreeSet<i64>,
}

impl Found {
    /// A record may be a head.
    pub fn head(&mut self, seq: i64, values: &[Value], current: bool) {
        let [_, Value::Integer(last), Value::Integer(left), Value::Blob(gone), ..] = values else {
            return;
        };
        let Some(head) = Head::new(seq, *last, *left, gone) else {
            return;
        };
        if current {
            self.heads.entry(seq).or_insert(head);
        } else {
            self.older.entry(seq).or_insert(head);
        }
    }

    /// A record may be a chunk.
    pub fn chunk(&mut self, seq: i64, bytes: &[u8], current: bool) {
        let Some(chunk) = Chunk::read(seq, bytes.to_vec()).map(Arc::new) else {
            return;
        };
        let mut last = LastOptions::default();
        for packed in Packed::all(&chunk) {
            let seq = packed.seq();
            // Old pages hold what ended since, too.
            if current {
                self.known.insert(seq);
            }
            if self.jobs.contains_key(&seq) {
                continue;
            }
            let job = packed.raw().checked().and_then(|raw| finished(raw, &mut last));
            if let Ok(claim) = job {
                self.jobs.insert(seq, *claim.job);
            }
        }
    }

    /// The jobs that were still packed, and the places of all that there were.
    pub fn rest(mut self) -> (BTreeMap<i64, Job>, BTreeSet<i64>) {
        for (seq, head) in &self.heads {
            self.known
                .extend((*seq..=head.last).filter(|place| !head.is_gone(*seq, *place)));
        }
        let (heads, older) = (self.heads, self.older);
        let is_gone = |place: i64| {
            let of = |heads: &BTreeMap<i64, Head>| {
                let (seq, head) = heads.range(..=place).next_back()?;
                (place <= head.last).then(|| head.is_gone(*seq, place))
            };
            of(&heads).or_else(|| of(&older)).unwrap_or(false)
        };
        self.known.retain(|place| !is_gone(*place));
        let known = &self.known;
        self.jobs.retain(|place, _| known.contains(place));
        (self.jobs, self.known)
    }
}
