//! Many words looked for at once, whatever their case.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Bits of a hash of three bytes.
const BITS: u32 = 14;

/// A set of words in lower case; the index of a word is its place in the list.
pub struct Words {
    search: Option<AhoCorasick>,
    /// One bit for each hash of three bytes with which a word starts: most texts have none of them.
    starts: Box<[u64; 1 << (BITS - 6)]>,
    /// The same for four bytes, or for the three of a shorter word.
    long_starts: Box<[u64; 1 << (BITS - 6)]>,
}

/// A hash of three bytes whatever their case.
fn hash(bytes: [u8; 3]) -> usize {
    let [first, second, third] = bytes;
    hash_of(u32::from_le_bytes([first, second, third, 0]) | 0x0020_2020)
}

const fn hash_of(lower: u32) -> usize {
    (lower.wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS)) as usize
}

/// The last four bytes of a text in lower case that is read byte for byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Starts(u32);

impl Starts {
    /// The same with one byte more.
    pub const fn then(&mut self, byte: u8) -> Self {
        self.0 = self.0 >> 8 | (byte as u32) << 24;
        *self
    }
}

impl Words {
    /// A searcher for words.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<&[u8]> = words.into_iter().map(str::as_bytes).collect();
        let mut starts = Box::new([0; 1 << (BITS - 6)]);
        let mut long_starts = starts.clone();
        for word in &words {
            let at = match **word {
                [first, second, third, fourth, ..] => {
                    hash_of(u32::from_le_bytes([first, second, third, fourth]) | 0x2020_2020)
                }
                [first, second, third] => hash([first, second, third]),
                _ => 0,
            };
            long_starts[at >> 6] |= 1 << (at & 63);
            let any = |place: usize| word.get(place).map_or(0..=u8::MAX, |byte| *byte..=*byte);
            for first in any(0) {
                for second in any(1) {
                    for third in any(2) {
                        let at = hash([first, second, third]);
                        starts[at >> 6] |= 1 << (at & 63);
                    }
                }
            }
        }
        // It fails only for sets of millions of words.
        let search = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .ascii_case_insensitive(true)
            .build(&words)
            .ok();
        Self {
            search,
            starts,
            long_starts,
        }
    }

    /// Whether a word of at least three bytes may start with the last four that were read, or the last three.
    pub fn may_start(&self, Starts(bytes): Starts) -> bool {
        let has = |at: usize| self.long_starts[at >> 6] >> (at & 63) & 1;
        has(hash_of(bytes | 0x2020_2020)) | has(hash_of(bytes >> 8 | 0x0020_2020)) == 1
    }

    /// The first place at which a word may start.
    fn start(&self, text: &[u8]) -> Option<usize> {
        let starts = |bytes: [u8; 3]| {
            let at = hash(bytes);
            self.starts[at >> 6] >> (at & 63) & 1 == 1
        };
        // Words of one or two bytes may stand at the end.
        let last = |at: usize| {
            let byte = |place: usize| text.get(place).copied().unwrap_or(0);
            at < text.len() && starts([byte(at), byte(at + 1), 0])
        };
        let whole = text
            .windows(3)
            .position(|three| matches!(three, [first, second, third] if starts([*first, *second, *third])));
        whole.or_else(|| (text.len().saturating_sub(2)..text.len()).find(|at| last(*at)))
    }

    /// Whether any of the words stands in `text`.
    pub fn any(&self, text: &[u8]) -> bool {
        self.start(text)
            .zip(self.search.as_ref())
            .is_some_and(|(start, search)| search.is_match(&text[start..]))
    }

    /// Every word in `text`, also those that overlap, and where each ends.
    pub fn each<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let known = self.start(text).zip(self.search.as_ref());
        known.into_iter().flat_map(move |(start, search)| {
            search
                .find_overlapping_iter(&text[start..])
                .map(move |found| (found.pattern().as_usize(), start + found.end()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand_whatever_their_case() {
        let words = Words::new(["ab", "abc", "bcd", "x"]);
        for (text, expected) in [
            ("", vec![]),
            ("a", vec![]),
            ("X", vec![(3, 1)]),
            ("..x", vec![(3, 3)]),
            ("aB", vec![(0, 2)]),
            ("-ABCD", vec![(0, 3), (1, 4), (2, 5)]),
            ("cdab", vec![(0, 4)]),
            ("bcbc", vec![]),
        ] {
            assert_eq!(words.each(text.as_bytes()).collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(words.any(text.as_bytes()), !expected.is_empty(), "{text}");
        }
    }
}
