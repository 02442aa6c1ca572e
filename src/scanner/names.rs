//! Remembers what names say: a text has few names and many places where they stand.

use std::cell::RefCell;

use super::naming::{Naming, naming};

/// Names of at most two words of eight bytes, of four and of eight; longer ones are judged anew.
const SHORT: usize = 16;
const LONG: usize = 32;
const LONGEST: usize = 64;

/// A name by its words of eight bytes, of which some overlap, and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key<const WORDS: usize> {
    words: [u64; WORDS],
    length: u8,
}

/// What names of a length said; a new one takes the place of another.
struct Table<const WORDS: usize>(Vec<(Key<WORDS>, Naming)>);

struct Tables {
    short: Table<2>,
    long: Table<4>,
    longest: Table<8>,
}

thread_local! {
    static SEEN: RefCell<Tables> = const {
        RefCell::new(Tables { short: Table(Vec::new()), long: Table(Vec::new()), longest: Table(Vec::new()) })
    };
}

/// What a name says, as `naming` has it.
pub fn known(name: &[u8]) -> Naming {
    SEEN.with(|seen| match seen.try_borrow_mut() {
        Ok(mut seen) if name.len() <= SHORT => seen.short.known(name),
        Ok(mut seen) if name.len() <= LONG => seen.long.known(name),
        Ok(mut seen) if name.len() <= LONGEST => seen.longest.known(name),
        _ => naming(name),
    })
}

impl<const WORDS: usize> Table<WORDS> {
    const SLOTS: usize = 1024 / WORDS;

    fn known(&mut self, name: &[u8]) -> Naming {
        if self.0.is_empty() {
            let none = Key {
                words: [0; WORDS],
                length: 0,
            };
            self.0.resize(Self::SLOTS, (none, naming(b"")));
        }
        let key = Key::of(name);
        let slot = &mut self.0[key.hash() as usize % Self::SLOTS];
        if slot.0 != key {
            *slot = (key, naming(name));
        }
        slot.1
    }
}

impl<const WORDS: usize> Key<WORDS> {
    fn of(name: &[u8]) -> Self {
        let half = |at: usize| name.get(at..).and_then(|rest| rest.first_chunk()).copied();
        let half = |at: usize| half(at).map_or(0, |bytes| u64::from(u32::from_le_bytes(bytes)));
        let whole = |at: usize| name.get(at..).and_then(|rest| rest.first_chunk()).copied();
        let whole = |at: usize| whole(at).map_or(0, u64::from_le_bytes);
        let length = name.len();
        let mut words = [0; WORDS];
        match length {
            0 => {}
            1..4 => {
                words[0] = [name[0], name[length / 2], name[length - 1]]
                    .map(u64::from)
                    .iter()
                    .fold(0, |word, byte| word << 8 | byte);
            }
            4..8 => words[0] = half(0) | half(length - 4) << 32,
            8..=16 => {
                words[0] = whole(0);
                words[1] = whole(length - 8);
            }
            _ => {
                for (place, word) in words.iter_mut().enumerate() {
                    *word = whole((place * 8).min(length - 8));
                }
            }
        }
        Self {
            words,
            length: length as u8,
        }
    }

    fn hash(&self) -> u64 {
        let mixed = self.words.iter().fold(u64::from(self.length), |hash, word| {
            (hash ^ word).wrapping_mul(0x517c_c1b7_2722_0a95).rotate_left(32)
        });
        mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_name_says() {
        let names = ["password", "apiKey", "x", "integrity", "", "db_pass"];
        for round in 0..3 {
            for index in 0..2_000 {
                let name = format!("{}{}", names[index % names.len()], "_".repeat(index % 60));
                assert_eq!(known(name.as_bytes()), naming(name.as_bytes()), "{round} {name}");
            }
        }
    }
}
