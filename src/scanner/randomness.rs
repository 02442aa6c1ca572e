//! How random a string looks.

use super::bigram::reads_like_words;

/// Shannon's entropy in bits a byte.
pub fn entropy(text: &[u8]) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let total = text.len() as f64;
    let shares = text.iter().map(|byte| {
        let share = f64::from(std::mem::take(&mut counts[usize::from(*byte)])) / total;
        if share > 0.0 { -share * share.log2() } else { 0.0 }
    });
    shares.sum()
}

/// What kinds of characters a string has, and how they are mixed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    pub lower: usize,
    pub upper: usize,
    pub digits: usize,
    pub other: usize,
    /// Borders between kinds of characters; `Aa` at the start of a word is none.
    pub changes: usize,
    /// The longest run of letters of one case.
    pub longest_word: usize,
    pub distinct: usize,
    /// The longest run in which each character follows the one before, as in `abcdef` or `12345`.
    pub sequence: usize,
    /// The longest run of one character.
    pub repeat: usize,
}

impl Shape {
    pub fn of(text: &[u8]) -> Self {
        let Some((first, rest)) = text.split_first() else {
            return Self::default();
        };
        let mut counts = [0; 4];
        let mut seen = [0_u64; 4];
        let mut see = |byte: u8| seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
        let (mut last, mut last_kind) = (*first, KINDS[usize::from(*first)]);
        counts[last_kind] = 1;
        see(last);
        let mut word = usize::from(last_kind <= UPPER);
        let (mut sequence, mut repeat) = (1, 1);
        let mut shape = Self {
            longest_word: word,
            sequence,
            repeat,
            ..Self::default()
        };
        for byte in rest.iter().copied() {
            let kind = KINDS[usize::from(byte)];
            counts[kind] += 1;
            see(byte);
            let same = last_kind == kind;
            word = if same { word + 1 } else { 1 } * usize::from(kind <= UPPER);
            sequence = sequence * usize::from(last.wrapping_add(1) == byte) + 1;
            repeat = repeat * usize::from(last == byte) + 1;
            shape.changes += usize::from(!(same || last_kind == UPPER && kind == LOWER));
            shape.longest_word = shape.longest_word.max(word);
            shape.sequence = shape.sequence.max(sequence);
            shape.repeat = shape.repeat.max(repeat);
            (last, last_kind) = (byte, kind);
        }
        [shape.lower, shape.upper, shape.digits, shape.other] = counts;
        shape.distinct = seen.iter().map(|bits| bits.count_ones() as usize).sum();
        shape
    }
}

const LOWER: usize = 0;
const UPPER: usize = 1;

/// Small letters, capital letters, digits and everything else.
const KINDS: [usize; 256] = {
    let mut kinds = [3; 256];
    let mut byte = 0;
    while byte < 128 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        byte += 1;
    }
    kinds
};

/// Whether a string looks drawn at random: several kinds of characters, mixed, without long words.
pub fn looks_random(text: &[u8], shape: &Shape, floor: f64) -> bool {
    let letters = shape.lower + shape.upper;
    if text.len() < 16
        || shape.digits == 0
        // One digit is what names end in, unless the case changes all the time.
        || (shape.digits == 1 && shape.changes * 4 < text.len())
        || letters < 2
        || shape.sequence >= 6
        || shape.repeat >= 6
    {
        return false;
    }
    // A hex string of a given length has a lower ceiling than base 62.
    let hex = text.iter().all(u8::is_ascii_hexdigit);
    let most = if hex { 4.0 } else { (text.len() as f64).log2().min(5.2) };
    entropy(text) >= floor.min(most * 0.8)
        && shape.changes * 6 >= text.len()
        && shape.longest_word <= 18.max(text.len() / 6)
        && !reads_like_words(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_strings_and_words_are_told_apart() {
        for text in [
            "k7Qp2ZxV9bT4mW1sL8nR",
            "9f8a7c6b2e1d4f3a9c8b7d6e5f4a3b2c",
            "aB3$dE6&gH9*jK2!mN5x",
        ] {
            assert!(
                looks_random(text.as_bytes(), &Shape::of(text.as_bytes()), 3.0),
                "{text}"
            );
        }
        for text in [
            "getUserPermissionsById2",
            "aaaaaaaaaaaaaaaaaaaa11",
            "abcdefghijklmnop12",
            "keyboard-shortcuts-help-22",
            "short1A",
        ] {
            assert!(
                !looks_random(text.as_bytes(), &Shape::of(text.as_bytes()), 3.0),
                "{text}"
            );
        }
    }

    #[test]
    fn entropy_counts_bits_a_byte() {
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-9);
        assert!(entropy(b"aaaa").abs() < 1e-9);
        assert!(entropy(b"").abs() < 1e-9);
    }
}
