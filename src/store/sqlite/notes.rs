//! The small file in which starts are noted. It has two halves: where one is full, what still matters of it is noted in
//! the other one, and only then is it empty again. So a note that matters is in one of them whenever the process dies.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The bytes of a note: the row, its fence before the start, a hash of its id.
const NOTE: usize = 24;
/// Notes that a half has room for.
const NOTES: usize = 10_000;
/// The bytes of a half, with the end of its notes.
const HALF: usize = (NOTES + 1) * NOTE;

/// A start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    pub seq: i64,
    /// Before the start.
    pub fence: i64,
    pub hash: u64,
}

/// The notes. Without a file there are none: nothing would outlive the process anyway.
#[derive(Debug, Default)]
pub struct Notes {
    file: Option<File>,
    half: usize,
    count: usize,
}

impl Notes {
    /// In that file, which is made.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        // All of its room is taken at once, so that a full disk stops no start.
        let size = file.metadata()?.len() as usize;
        if size < 2 * HALF {
            file.write_all_at(&vec![0; 2 * HALF - size], size as u64)?;
        }
        Ok(Self {
            file: Some(file),
            ..Self::default()
        })
    }

    /// Adds notes; false where there is no room for them, or they cannot be written.
    pub fn add(&mut self, notes: impl ExactSizeIterator<Item = Note>) -> bool {
        let count = notes.len();
        if self.count + count > NOTES || !self.write(self.half, self.count, notes) {
            return false;
        }
        if self.file.is_some() {
            self.count += count;
        }
        true
    }

    /// Whether so many find no room, and would if only so many of those that are noted mattered.
    pub const fn should_turn(&self, count: usize, matter: usize) -> bool {
        self.count + count > NOTES && matter + count <= NOTES / 2
    }

    /// Keeps only these; false where they cannot be written.
    pub fn turn(&mut self, matter: impl ExactSizeIterator<Item = Note>) -> bool {
        let (other, count) = (1 - self.half, matter.len());
        if !self.write(other, 0, matter) {
            return false;
        }
        self.clear();
        (self.half, self.count) = (other, count);
        true
    }

    fn write(&self, half: usize, from: usize, notes: impl ExactSizeIterator<Item = Note>) -> bool {
        let Some(file) = &self.file else { return true };
        let mut bytes = Vec::with_capacity((notes.len() + 1) * NOTE);
        for Note { seq, fence, hash } in notes {
            bytes.extend_from_slice(&seq.to_le_bytes());
            bytes.extend_from_slice(&fence.to_le_bytes());
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
        // The end of the notes.
        bytes.extend_from_slice(&[0; NOTE]);
        file.write_all_at(&bytes, (half * HALF + from * NOTE) as u64).is_ok()
    }

    /// None of them matters any more.
    pub fn clear(&mut self) {
        if self.count > 0 {
            self.count = 0;
            // Where it cannot be written, the old notes are out of date all the same.
            self.write(self.half, 0, std::iter::empty());
        }
    }

    /// All notes of the process before, of which some may be out of date.
    pub fn read(&self) -> Vec<Note> {
        let mut bytes = vec![0; 2 * HALF];
        let read = self.file.as_ref().map(|file| file.read_exact_at(&mut bytes, 0));
        if !matches!(read, Some(Ok(()))) {
            return Vec::new();
        }
        let notes = |half: &[u8]| {
            let all = half.as_chunks::<NOTE>().0.iter().map(|note| {
                let number = |at: usize| {
                    let mut bytes = [0; 8];
                    bytes.copy_from_slice(&note[at..at + 8]);
                    i64::from_le_bytes(bytes)
                };
                Note {
                    seq: number(0),
                    fence: number(8),
                    hash: number(16) as u64,
                }
            });
            all.take_while(|note| note.seq != 0).collect::<Vec<_>>()
        };
        let (first, second) = bytes.split_at(HALF);
        [notes(first), notes(second)].concat()
    }

    /// Begins anew, after what was read was written elsewhere.
    pub fn begin(&mut self) {
        for half in [1, 0] {
            self.write(half, 0, std::iter::empty());
        }
        (self.half, self.count) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(seq: usize) -> Note {
        Note {
            seq: seq as i64,
            fence: 0,
            hash: seq as u64 * 7,
        }
    }

    #[test]
    fn what_matters_is_there_in_whichever_half() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("starts");
        let mut notes = Notes::open(&path).unwrap();
        let seen = || Notes::open(&path).unwrap().read();
        assert!(notes.add((1..=NOTES).map(note).collect::<Vec<_>>().into_iter()));
        assert!(!notes.add([note(NOTES + 1)].into_iter()));
        assert!(notes.should_turn(1, NOTES / 2 - 1) && !notes.should_turn(1, NOTES / 2));
        for turn in 0..3 {
            assert!(notes.turn([note(5), note(9)].into_iter()));
            assert_eq!(seen(), [note(5), note(9)], "{turn}");
            assert!(notes.add([note(20)].into_iter()));
            assert_eq!(seen(), [note(5), note(9), note(20)], "{turn}");
        }
        // As a death in the middle leaves it.
        assert!(notes.write(1 - notes.half, 0, [note(5)].into_iter()));
        assert_eq!(seen().len(), 4);
        notes.begin();
        assert!(seen().is_empty());
        notes.add([note(1)].into_iter());
        notes.clear();
        assert!(seen().is_empty());
    }

    #[test]
    fn a_file_of_one_half_keeps_its_notes() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("starts");
        assert!(Notes::open(&path).unwrap().add([note(3)].into_iter()));
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(HALF as u64)
            .unwrap();
        assert_eq!(Notes::open(&path).unwrap().read(), [note(3)]);
    }
}
