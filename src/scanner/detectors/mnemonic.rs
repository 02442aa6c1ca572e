//! The words of a wallet: 12 to 24 of a list of 2,048, with a checksum in the last.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use bip39::Language;
use sha2::{Digest, Sha256};

use super::super::sweep::Kinds;

static WORDS: LazyLock<HashMap<&'static [u8], u16>> = LazyLock::new(|| {
    let list = Language::English.word_list();
    (0_u16..)
        .zip(list.iter())
        .map(|(index, word)| (word.as_bytes(), index))
        .collect()
});

static STARTS: LazyLock<Starts> = LazyLock::new(|| {
    let mut starts = Starts(vec![0; 1 << 10]);
    for word in Language::English.word_list() {
        let at = Starts::hash(word.as_bytes());
        starts.0[at >> 6] |= 1 << (at & 63);
    }
    starts
});

/// Hashes of the first letters of all words: nearly every other word is told apart by one bit.
struct Starts(Vec<u64>);

impl Starts {
    fn hash(word: &[u8]) -> usize {
        let letters = word.iter().take(4);
        let start = letters.fold(0_u32, |start, letter| start << 8 | u32::from(*letter));
        (start.wrapping_mul(0x9e37_79b1) >> 16) as usize
    }

    fn holds(&self, word: &[u8]) -> bool {
        let at = Self::hash(word);
        self.0[at >> 6] >> (at & 63) & 1 == 1
    }
}

/// Twelve words of three letters and what stands between them: shorter runs of small letters, blanks,
/// line ends, commas and quotes hold no list.
pub const SHORTEST: usize = 12 * 3 + 11;
const LENGTHS: [usize; 5] = [24, 21, 18, 15, 12];

/// Where words start in a block that are in no list, having one or two letters, or nine and more: prose has one in
/// nearly every line, and no list goes on over it.
#[inline]
pub const fn other_words(kinds: &Kinds) -> u64 {
    let (letter, between) = (kinds.prose & kinds.word, kinds.prose & !kinds.word);
    let short = between << 1 & letter & (between >> 1 | letter >> 1 & between >> 2);
    let two = letter & letter >> 1;
    let four = two & two >> 2;
    short | four & four >> 4 & letter >> 8
}

/// Calls back for each list of words whose checksum is right, in a run of characters that lists have.
pub fn each(text: &[u8], run: Range<usize>, found: &mut impl FnMut(Range<usize>)) {
    // Each list is longer than the stride, so one of the words looked at is its own.
    let mut floor = run.start;
    let mut at = floor + SHORTEST - 1;
    while at < run.end {
        let word = word_at(text, at, &(floor..run.end));
        let (mut start, mut end, mut count) = (word.start, word.end, 1);
        if is_likely(&text[word]) {
            while start > floor {
                let stop = start - gap(text[floor..start].iter().rev());
                let before = word_at(text, stop.saturating_sub(1).max(floor), &(floor..stop));
                if !is_likely(&text[before.clone()]) {
                    break;
                }
                start = before.start;
                count += 1;
            }
            while end < run.end {
                let next = word_at(text, end, &(end..run.end));
                if !is_likely(&text[next.clone()]) {
                    break;
                }
                end = next.end;
                count += 1;
            }
            if count >= 12 {
                lists(text, start..end, found);
            }
        }
        floor = end.max(floor + 1);
        at = floor + SHORTEST - 1;
    }
}

/// The word at `at`, or the one after it where none is, inside of `limits`; empty where there is none.
fn word_at(text: &[u8], at: usize, limits: &Range<usize>) -> Range<usize> {
    let start = at + gap(text[at.min(limits.end)..limits.end].iter());
    let back = text[limits.start..start.min(limits.end)]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let forward = text[start.min(limits.end)..limits.end]
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    start.min(limits.end) - back..start.min(limits.end) + forward
}

/// How many bytes stand before the next letter.
fn gap<'a>(bytes: impl Iterator<Item = &'a u8>) -> usize {
    bytes.take_while(|byte| !byte.is_ascii_lowercase()).count()
}

/// Whether a word may be one of the list, by its length and its first letters.
fn is_likely(word: &[u8]) -> bool {
    (3..=8).contains(&word.len()) && STARTS.holds(word)
}

fn lists(text: &[u8], run: Range<usize>, found: &mut impl FnMut(Range<usize>)) {
    // Words of the list in a row.
    let mut row: Vec<(Range<usize>, u16)> = Vec::new();
    let mut row_quoted = false;
    let mut at = run.start;
    while at < run.end {
        let length = text[at..run.end]
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase())
            .count();
        if length > 0 {
            let word = at..at + length;
            // A capital or a digit beside it makes it a part of a longer word.
            let whole = boundaries(text, &word);
            match is_likely(&text[word.clone()])
                .then(|| WORDS.get(&text[word.clone()]))
                .flatten()
            {
                Some(index) if whole => {
                    if let Some((last, _)) = row.last() {
                        let between = &text[last.end..word.start];
                        let quoted = between.iter().any(|byte| matches!(byte, b'"' | b'\'' | b','));
                        // The words of a list are quoted one by one or all together, and so are commas between them.
                        let other = row.len() > 1 && quoted != row_quoted;
                        if between.len() > 8 || closes(between) || other && row.len() > 2 {
                            take(text, &mut row, found);
                        } else if other {
                            row.remove(0);
                        }
                        row_quoted = quoted;
                    }
                    row.push((word.clone(), *index));
                }
                _ => take(text, &mut row, found),
            }
            at = word.end;
        } else {
            at += 1;
        }
    }
    take(text, &mut row, found);
}

fn boundaries(text: &[u8], word: &Range<usize>) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let before = word.start.checked_sub(1).and_then(|index| text.get(index));
    // `image: …` and `"end": …` on the next line are keys.
    let quoted = matches!(text.get(word.end), Some(b'"' | b'\''));
    let rest = &text[(word.end + usize::from(quoted)).min(text.len())..];
    let sign = rest.iter().take(8).find(|byte| **byte != b' ');
    let key = matches!(sign, Some(b':' | b'='));
    !before.is_some_and(part) && !text.get(word.end).is_some_and(part) && !key
}

/// Whether what stands between two words closes a string and opens no other.
fn closes(between: &[u8]) -> bool {
    let quotes = between.iter().filter(|byte| matches!(byte, b'"' | b'\'')).count();
    quotes % 2 == 1 || quotes > 0 && between.contains(&b'\n') && !between.contains(&b',')
}

/// The lists in a row of words; a row may have words before and after.
fn take(text: &[u8], row: &mut Vec<(Range<usize>, u16)>, found: &mut impl FnMut(Range<usize>)) {
    let words = std::mem::take(row);
    // A long row is a word list, not a wallet's.
    if words.len() < 12 || words.len() > 48 {
        return;
    }
    let mut from = 0;
    while from + 12 <= words.len() {
        let fits = LENGTHS.iter().find(|length| {
            from + **length <= words.len()
                && checksum_holds(words[from..from + **length].iter().map(|(_, index)| *index))
                && keeps_lines(text, &words, from..from + **length)
        });
        if let Some(length) = fits {
            if !is_documented(&words[from..from + length]) {
                found(words[from].0.start..words[from + length - 1].0.end);
            }
            from += length;
        } else if LENGTHS.contains(&words.len()) {
            // The row is a list by its length, and its checksum is wrong.
            return;
        } else {
            from += 1;
        }
    }
}

/// Whether a list that goes over a line end takes whole lines: a word of the next line is no part of it.
fn keeps_lines(text: &[u8], words: &[(Range<usize>, u16)], list: Range<usize>) -> bool {
    let breaks = |at: usize| text[words[at - 1].0.end..words[at].0.start].contains(&b'\n');
    !(list.start + 1..list.end).any(breaks)
        || (list.start == 0 || breaks(list.start)) && (list.end == words.len() || breaks(list.end))
}

/// The lists of the standard and of tutorials say a few words again and again; a random list hardly
/// says one twice.
fn is_documented(words: &[(Range<usize>, u16)]) -> bool {
    let mut distinct: Vec<u16> = words.iter().map(|(_, index)| *index).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() * 4 <= words.len() * 3
}

/// The last bits are the first bits of the hash of the others.
fn checksum_holds(indexes: impl ExactSizeIterator<Item = u16>) -> bool {
    let count = indexes.len();
    let check_bits = count / 3;
    let mut bits = Vec::with_capacity(count * 11);
    for index in indexes {
        bits.extend((0..11).rev().map(|bit| index >> bit & 1 == 1));
    }
    let (entropy, check) = bits.split_at(bits.len() - check_bits);
    let bytes: Vec<u8> = entropy
        .chunks(8)
        .map(|chunk| chunk.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    let hash = Sha256::digest(&bytes);
    check
        .iter()
        .enumerate()
        .all(|(place, bit)| (hash[place / 8] >> (7 - place % 8) & 1 == 1) == *bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        each(text.as_bytes(), 0..text.len(), &mut |span| spans.push(span));
        spans.into_iter().map(|span| &text[span]).collect()
    }

    fn list() -> String {
        "unit, wisdom, bag, safe, depart, walk pluck, glad, seat, rescue, voyage, party".replace(", ", " ")
    }

    #[test]
    fn a_list_is_found_wherever_it_stands() {
        let list = list();
        for before in 0..60 {
            let text = format!("{}\"{list}\";", "X".repeat(before));
            assert_eq!(found(&text), [list.as_str()], "{before}");
        }
        let prose = format!("the wallet says: {list} and nothing more");
        assert_eq!(found(&prose), [list.as_str()]);
    }

    #[test]
    fn a_list_over_several_lines_takes_whole_lines() {
        let list = list();
        for (from, to) in [(5, 6), (0, 1), (10, 11)] {
            let text: Vec<&str> = list.split(' ').collect();
            let lines = format!("{}\n{}", text[..=from].join(" "), text[to..].join(" "));
            assert_eq!(found(&lines), [lines.as_str()]);
            // The first word stands in the middle of a line, so it starts no list of several lines.
            assert!(found(&format!("zoo {lines}")).is_empty());
        }
        let column = list.replace(' ', "\n");
        assert_eq!(found(&column), [column.as_str()]);
        assert_eq!(found(&format!("zoo\n{column}\nzoo")), [column.as_str()]);
    }

    #[test]
    fn words_with_a_wrong_checksum_and_prose_are_silent() {
        let documented = format!("{}about", "abandon ".repeat(11));
        assert!(found(&documented).is_empty());
        let wrong = "abandon ".repeat(12);
        assert!(found(wrong.trim()).is_empty());
        assert!(
            found("a long time ago there was a house in which nobody had lived for many years and the door stood open")
                .is_empty()
        );
        assert!(found(&Language::English.word_list().join(" ")).is_empty());
    }
}
