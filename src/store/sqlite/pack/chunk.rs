//! Jobs as they lie in a page. Each is found by a table of its own, and has its own checksum: what is damaged in one is
//! no matter of the others.

use std::sync::Arc;

use uuid::Uuid;

use crate::store::job::Job;
use crate::store::rules::checksum;
use crate::store::sqlite::rows::Raw;

/// What a chunk begins with, whose last byte is the version of the format.
pub const MAGIC: [u8; 4] = *b"a8p\x01";
/// Before the texts: the mark, the priority, the lengths of queue and name, the number of jobs.
const HEADER: usize = 11;
/// Of the ids that jobs are given here.
const VERSION: usize = 7;
/// What a job needs beside its options and data, its entry in the table included.
const ENTRY: usize = 40;

/// Some jobs of a pack.
#[derive(Debug)]
pub struct Chunk {
    /// The place of the first one.
    pub seq: i64,
    pub count: usize,
    pub queue: String,
    pub name: String,
    pub priority: u8,
    /// Where the table of the ends begins.
    table: usize,
    bytes: Vec<u8>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Packed {
    pub chunk: Arc<Chunk>,
    pub place: usize,
}

/// What the jobs of a pack have in common.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub queue: &'a str,
    pub name: &'a str,
    pub priority: u8,
}

/// What is stored of a job.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub crc: u32,
    pub id: Uuid,
    pub created_at: i64,
    pub run_at: i64,
    pub options: &'a [u8],
    pub data: &'a [u8],
}

impl Entry<'_> {
    /// The bytes that it takes.
    pub const fn size(&self) -> usize {
        ENTRY + self.options.len() + self.data.len()
    }
}

impl Line<'_> {
    /// The bytes that a chunk takes before its jobs.
    pub const fn overhead(&self) -> usize {
        HEADER + self.queue.len() + self.name.len()
    }
}

/// Writes jobs of a line.
pub fn write(line: Line<'_>, entries: &[Entry<'_>]) -> Vec<u8> {
    let size: usize = entries.iter().map(Entry::size).sum();
    let mut bytes = Vec::with_capacity(line.overhead() + size);
    bytes.extend_from_slice(&MAGIC);
    bytes.push(line.priority);
    for length in [line.queue.len(), line.name.len(), entries.len()] {
        bytes.extend_from_slice(&(length as u16).to_le_bytes());
    }
    bytes.extend_from_slice(line.queue.as_bytes());
    bytes.extend_from_slice(line.name.as_bytes());
    let mut end = bytes.len() + 2 * entries.len();
    for entry in entries {
        end += entry.size() - 2;
        bytes.extend_from_slice(&(end as u16).to_le_bytes());
    }
    for entry in entries {
        bytes.extend_from_slice(&entry.crc.to_le_bytes());
        bytes.extend_from_slice(entry.id.as_bytes());
        bytes.extend_from_slice(&entry.created_at.to_le_bytes());
        bytes.extend_from_slice(&entry.run_at.to_le_bytes());
        bytes.extend_from_slice(&(entry.options.len() as u16).to_le_bytes());
        bytes.extend_from_slice(entry.options);
        bytes.extend_from_slice(entry.data);
    }
    bytes
}

impl Chunk {
    /// `None` where it is none.
    pub fn read(seq: i64, bytes: Vec<u8>) -> Option<Self> {
        if bytes.get(..4)? != MAGIC {
            return None;
        }
        let [queue, name, count] = [half(&bytes, 5)?, half(&bytes, 7)?, half(&bytes, 9)?];
        let text = |at: usize, length: usize| String::from_utf8(bytes.get(at..at + length)?.to_vec()).ok();
        let mut chunk = Self {
            seq,
            count,
            priority: *bytes.get(4)?,
            queue: text(HEADER, queue)?,
            name: text(HEADER + queue, name)?,
            table: HEADER + queue + name,
            bytes,
        };
        // The last job ends with the chunk; where the number of jobs is damaged, that tells it.
        let is_last = |count: &usize| half(&chunk.bytes, chunk.table + 2 * (count - 1)) == Some(chunk.bytes.len());
        if count == 0 || !is_last(&count) {
            chunk.count = (1..=super::CHUNK).find(is_last).unwrap_or(count);
        }
        let count = chunk.count;
        let begins = chunk.table + 2 * count;
        ((1..=super::CHUNK).contains(&count) && chunk.priority <= 3 && begins <= chunk.bytes.len()).then_some(chunk)
    }

    /// One that cannot be read: each of its jobs is damaged.
    pub const fn broken(seq: i64, count: usize, queue: String, name: String, priority: u8) -> Self {
        Self {
            seq,
            count,
            queue,
            name,
            priority,
            table: 0,
            bytes: Vec::new(),
        }
    }

    /// Of the last job.
    pub const fn last(&self) -> i64 {
        self.seq + self.count as i64 - 1
    }

    fn entry(&self, place: usize) -> Option<Entry<'_>> {
        let end = |place: usize| half(&self.bytes, self.table + 2 * place);
        let begin = match place {
            0 => self.table + 2 * self.count,
            _ => end(place - 1)?,
        };
        let bytes = self.bytes.get(begin..end(place)?)?;
        let (crc, bytes) = bytes.split_first_chunk()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (created_at, bytes) = bytes.split_first_chunk()?;
        let (run_at, bytes) = bytes.split_first_chunk()?;
        let (options, bytes) = bytes.split_first_chunk()?;
        let (options, data) = bytes.split_at_checked(usize::from(u16::from_le_bytes(*options)))?;
        Some(Entry {
            crc: u32::from_le_bytes(*crc),
            id: Uuid::from_bytes(*id),
            created_at: i64::from_le_bytes(*created_at),
            run_at: i64::from_le_bytes(*run_at),
            options,
            data,
        })
    }
}

fn half(bytes: &[u8], at: usize) -> Option<usize> {
    let (two, _) = bytes.get(at..)?.split_first_chunk()?;
    Some(usize::from(u16::from_le_bytes(*two)))
}

impl Packed {
    /// All jobs of a chunk.
    pub fn all(chunk: &Arc<Chunk>) -> impl Iterator<Item = Self> {
        (0..chunk.count).map(|place| Self {
            chunk: chunk.clone(),
            place,
        })
    }

    /// Whether it is what was stored.
    pub fn is_sound(&self) -> bool {
        let (Some(entry), Some((data, options))) = (self.chunk.entry(self.place), self.texts()) else {
            return false;
        };
        let mut id = Uuid::encode_buffer();
        let id = entry.id.hyphenated().encode_lower(&mut id);
        checksum([id, &self.chunk.queue, &self.chunk.name, data, options]) == entry.crc
    }

    /// Its place in the order of adding.
    pub fn seq(&self) -> i64 {
        self.chunk.seq + self.place as i64
    }

    /// Its id; one that nobody else has where it is damaged.
    pub fn id(&self) -> Uuid {
        let entry = self.chunk.entry(self.place);
        let id = entry.map(|entry| entry.id).filter(|id| id.get_version_num() == VERSION);
        id.unwrap_or_else(|| Uuid::from_u64_pair(0, self.seq() as u64))
    }

    /// Its data and options, and when it was made and may run; `None` where it is damaged.
    pub fn sound(&self) -> Option<(&str, &str, i64, i64)> {
        let Entry { created_at, run_at, .. } = self.chunk.entry(self.place).filter(|_| self.is_sound())?;
        self.texts().map(|(data, options)| (data, options, created_at, run_at))
    }

    /// The row that it would be. One that is damaged has no data, and a checksum that is wrong.
    pub fn raw(&self) -> Raw {
        self.row(if self.is_sound() { self.texts() } else { None })
    }

    /// The same, where its checksum is looked at afterwards.
    pub fn unchecked(&self) -> Raw {
        self.row(self.texts())
    }

    fn texts(&self) -> Option<(&str, &str)> {
        let Entry { data, options, .. } = self.chunk.entry(self.place)?;
        std::str::from_utf8(data).ok().zip(std::str::from_utf8(options).ok())
    }

    fn row(&self, texts: Option<(&str, &str)>) -> Raw {
        let Chunk { queue, name, .. } = &*self.chunk;
        let entry = self.chunk.entry(self.place);
        let (created_at, run_at) = entry.as_ref().map_or((0, 0), |entry| (entry.created_at, entry.run_at));
        let crc = entry.as_ref().map_or(0, |entry| entry.crc);
        let (data, options) = texts.unwrap_or(("null", "{}"));
        let job = Job {
            created_at,
            run_at,
            ..Job::waiting(self.id().to_string(), queue.clone(), name.clone())
        };
        Raw::packed(self.seq(), job, data.to_owned(), options.to_owned(), crc)
    }
}
