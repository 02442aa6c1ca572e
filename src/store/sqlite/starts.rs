//! Jobs that were taken and whose rows do not say so yet. Most of them end soon, and then their row
//! is written once instead of twice. Whoever needs the rows as they are lets this write them first.
//!
//! So that a job which kills the process is found out, each start is noted in a small file before
//! its worker hears of it. A note counts only where the row's fence has not moved since.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use foldhash::fast::RandomState;
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::database::Database;
use super::failure::coded;
use super::notes::{Note, Notes};
use super::pack::{self, Packed, State};
use super::rows::execute;
use super::sql;
use crate::error::Result;
use crate::store::job::JobStatus;
use crate::store::job_store::Lease;

/// A start that its row does not tell yet.
#[derive(Clone, Debug)]
pub struct Start {
    pub seq: i64,
    pub fence: i64,
    pub at: i64,
    pub lease_until: i64,
    /// Others wait for the job.
    pub parent: bool,
    /// Where it lies packed.
    pub packed: Option<Packed>,
}

/// The id of a job, mostly as a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    Number(Uuid),
    Text(Box<str>),
}

impl Id {
    /// The id that is written so.
    pub fn of(text: &str) -> Self {
        match Uuid::try_parse(text) {
            // The other ways of writing it are other ids.
            Ok(id) if text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase()) => Self::Number(id),
            _ => Self::Text(text.into()),
        }
    }

    /// As it is noted.
    fn hash(&self) -> u64 {
        match self {
            Self::Number(id) => {
                let (first, second) = id.as_u64_pair();
                first ^ second
            }
            Self::Text(text) => hash(text),
        }
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self::Number(id)
    }
}

/// The starts that are not written yet.
#[derive(Debug, Default)]
pub struct Starts {
    notes: Notes,
    open: HashMap<Id, Start, RandomState>,
    /// What the present transaction added, and what it took out.
    added: Vec<Id>,
    taken: Vec<(Id, Start)>,
}

impl Starts {
    /// Notes into that file, which is made; without one, nothing would outlive the process anyway.
    pub fn noted_in(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            notes: Notes::open(path)?,
            ..Self::default()
        })
    }

    /// Takes note of starts that begin now; false where there is no room.
    pub fn begin(&mut self, starts: Vec<(Id, Start)>) -> bool {
        let matter = self.open.len() + self.taken.len();
        if self.notes.should_turn(starts.len(), matter) {
            // What was taken out is not committed, so that it may be open again.
            let open = self.open.iter().chain(self.taken.iter().map(|(id, start)| (id, start)));
            let open: Vec<Note> = open.map(|(id, start)| note(id, start)).collect();
            self.notes.turn(open.into_iter());
        }
        if !self.notes.add(starts.iter().map(|(id, start)| note(id, start))) {
            return false;
        }
        for (id, start) in starts {
            self.added.push(id.clone());
            self.open.insert(id, start);
        }
        true
    }

    /// Takes a start out, to write its row.
    pub fn take(&mut self, lease: &Lease) -> Option<Start> {
        let id = Id::of(&lease.id);
        if self.open.get(&id)?.fence != lease.fence {
            return None;
        }
        let (id, start) = self.open.remove_entry(&id)?;
        self.taken.push((id, start.clone()));
        Some(start)
    }

    /// Prolongs a lease; false where its start is not here.
    pub fn renew(&mut self, lease: &Lease, until: i64) -> bool {
        match self.open.get_mut(&Id::of(&lease.id)) {
            Some(start) if start.fence == lease.fence => {
                start.lease_until = until;
                true
            }
            _ => false,
        }
    }

    /// No row is behind.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// What was taken out is written.
    pub fn committed(&mut self) {
        self.added.clear();
        self.taken.clear();
        if self.open.is_empty() {
            self.notes.clear();
        }
    }

    /// What was taken out is not written, and what was added was told to nobody.
    pub fn rolled_back(&mut self) {
        self.open.extend(self.taken.drain(..));
        for id in self.added.drain(..) {
            self.open.remove(&id);
        }
    }

    /// What was added so far stays, whatever becomes of the present transaction.
    pub fn keep_added(&mut self) {
        self.added.clear();
    }
}

fn note(id: &Id, start: &Start) -> Note {
    Note {
        seq: start.seq,
        fence: start.fence - 1,
        hash: id.hash(),
    }
}

/// Writes all rows that are behind.
pub fn write_out(database: &mut Database) -> Result<()> {
    let open: Vec<(Id, Start)> = database.front().starts.open.drain().collect();
    let written = open.iter().try_for_each(|(_, start)| write(database, start));
    database.front().starts.taken.extend(open);
    written
}

/// Writes one row.
pub fn write(database: &Database, start: &Start) -> Result<()> {
    let Start {
        seq,
        fence,
        at,
        lease_until,
        packed,
        ..
    } = start;
    if let Some(packed) = packed {
        let running = State {
            status: JobStatus::Running,
            fence: *fence,
            lease_until: *lease_until,
            started_at: Some(*at),
            ..pack::WAITING
        };
        return pack::take_out(database, packed, &running).map(drop);
    }
    execute(database, sql!("start"), params![seq, fence, lease_until, at]).map(drop)
}

/// Writes the rows of those that ran when the process died, so that they are rescued. Its file is
/// read from the beginning, and begins anew.
pub fn recover(database: &mut Database, now: i64) -> Result<()> {
    let died = database.front().starts.notes.read();
    execute(database, "BEGIN IMMEDIATE", [])?;
    for Note { seq, fence, hash } in died {
        let id: Option<String> = database
            .statement(sql!("start_of"))?
            .query_row(params![seq, fence], |row| row.get(0))
            .optional()
            .map_err(coded)?;
        let packed = if fence == 0 { pack::at(database, seq)? } else { None };
        let id = id
            .map(|id| Id::of(&id).hash())
            .or(packed.as_ref().map(|packed| Id::from(packed.id()).hash()));
        if id == Some(hash) {
            let start = Start {
                seq,
                fence: fence + 1,
                at: now,
                lease_until: 0,
                parent: false,
                packed,
            };
            write(database, &start)?;
        }
    }
    pack::flush(database)?;
    execute(database, "COMMIT", [])?;
    database.front().starts.notes.begin();
    Ok(())
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
