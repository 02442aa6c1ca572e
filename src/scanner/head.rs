//! The first bytes that a pattern allows, place by place: a check that costs a nanosecond and ends
//! nearly every near-match before the pattern itself runs.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::joints::Joints;

/// Places that are looked at.
const LONGEST: usize = 32;

/// A set of bytes.
pub type Set = [u64; 4];

/// For each of the first places that every match has, the bytes that may stand there.
#[derive(Debug, Default)]
pub struct Head {
    places: Vec<Set>,
    /// The kinds of characters that a match may not have at any of the places, where all of them are known.
    foreign: u16,
}

/// How many bytes a pattern takes at most; nothing where there is no limit.
pub fn longest(pattern: &str) -> Option<usize> {
    parsed(pattern)?.properties().maximum_len()
}

fn parsed(pattern: &str) -> Option<Hir> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    parser.parse(pattern).ok()
}

impl Head {
    /// What a pattern that is anchored at its start says; nothing where it says too little.
    pub fn of(pattern: &str) -> Self {
        let Some(hir) = parsed(pattern) else {
            return Self::default();
        };
        let shortest = hir.properties().minimum_len().unwrap_or(0);
        let mut sets = vec![Set::default(); shortest.min(LONGEST)];
        spread(&hir, 1, &mut sets);
        let foreign = if sets.len() == LONGEST { !kinds_of(&sets) } else { 0 };
        Self { places: sets, foreign }
    }

    /// What any of the heads allows at `most` places behind the first `skip`.
    pub fn any<'a>(heads: impl Iterator<Item = &'a Self> + Clone, skip: usize, most: usize) -> Self {
        let shortest = heads.clone().map(|head| head.places.len()).min().unwrap_or(0);
        let mut sets = vec![Set::default(); shortest.saturating_sub(skip).min(most)];
        for head in heads {
            for (set, other) in sets.iter_mut().zip(head.places.iter().skip(skip)) {
                join(set, other);
            }
        }
        Self {
            places: sets,
            foreign: 0,
        }
    }

    /// Whether the text at `at` starts as the pattern asks, up to where a token may go on behind an escape.
    /// The first `known` bytes are known to fit.
    pub fn fits(&self, text: &[u8], at: usize, known: usize, joints: &mut Joints) -> bool {
        let (places, rest) = (self.places.get(known..).unwrap_or_default(), &text[at + known..]);
        match places.iter().zip(rest).position(|(set, byte)| !holds(set, *byte)) {
            Some(place) => joints.go_on(text, at + known + place),
            None => rest.len() >= places.len(),
        }
    }

    /// Whether a text whose first bytes have such kinds may fit, which costs next to nothing.
    pub const fn allows(&self, kinds: u16) -> bool {
        kinds & self.foreign == 0
    }

    /// The same for a text that goes on nowhere.
    pub fn fits_plain(&self, text: &[u8]) -> bool {
        text.len() >= self.places.len() && self.places.iter().zip(text).all(|(set, byte)| holds(set, *byte))
    }
}

/// Adds what `hir` may have where it starts at any of the places `from`, of which each is a bit; answers at which it
/// may end.
fn spread(hir: &Hir, from: u64, sets: &mut [Set]) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => from,
        HirKind::Literal(literal) => {
            let add = |at, byte: &u8| allow(set_of(*byte, *byte), at, sets);
            literal.0.iter().fold(from, add)
        }
        HirKind::Class(Class::Bytes(bytes)) => {
            let mut set = Set::default();
            for range in bytes.iter() {
                join(&mut set, &set_of(range.start(), range.end()));
            }
            allow(set, from, sets)
        }
        // It may have several bytes.
        HirKind::Class(Class::Unicode(_)) => {
            sets.fill([u64::MAX; 4]);
            u64::MAX
        }
        HirKind::Repetition(repetition) => {
            let mut at = from;
            for _ in 0..repetition.min.min(LONGEST as u32) {
                at = spread(&repetition.sub, at, sets);
            }
            let mut ends = at;
            for _ in repetition.min..repetition.max.unwrap_or(u32::MAX) {
                at = spread(&repetition.sub, at, sets) & ((1 << LONGEST) - 1);
                if at & !ends == 0 {
                    break;
                }
                ends |= at;
            }
            ends
        }
        HirKind::Capture(capture) => spread(&capture.sub, from, sets),
        HirKind::Concat(parts) => parts.iter().fold(from, |at, part| spread(part, at, sets)),
        HirKind::Alternation(parts) => parts.iter().fold(0, |ends, part| ends | spread(part, from, sets)),
    }
}

/// Allows the bytes at the places `from`; answers the places behind them.
fn allow(bytes: Set, from: u64, sets: &mut [Set]) -> u64 {
    for (place, set) in sets.iter_mut().enumerate() {
        if from >> place & 1 == 1 {
            join(set, &bytes);
        }
    }
    from << 1
}

/// A bit for each kind of character: tokens without a prefix differ by them.
const KINDS: [u16; 256] = {
    let mut kinds = [1 << 8; 256];
    let mut byte = 0;
    while byte < 128 {
        kinds[byte] = 1
            << match byte as u8 {
                b'0'..=b'9' => 0,
                b'a'..=b'f' => 1,
                b'g'..=b'z' => 2,
                b'A'..=b'F' => 3,
                b'G'..=b'Z' => 4,
                b'_' => 5,
                b'-' => 6,
                b'+' | b'/' => 7,
                _ => 8,
            };
        byte += 1;
    }
    kinds
};

/// The kinds of the first bytes of a text, as many as a head looks at.
pub fn kinds(text: &[u8]) -> u16 {
    let bytes = text.iter().take(LONGEST);
    bytes.fold(0, |kinds, byte| kinds | KINDS[usize::from(*byte)])
}

fn kinds_of(sets: &[Set]) -> u16 {
    let bytes = (0..=u8::MAX).filter(|byte| sets.iter().any(|set| holds(set, *byte)));
    bytes.fold(0, |kinds, byte| kinds | KINDS[usize::from(byte)])
}

pub const fn holds(set: &Set, byte: u8) -> bool {
    set[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
}

pub fn set_of(first: u8, last: u8) -> Set {
    let mut set = Set::default();
    for byte in first..=last {
        set[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    set
}

pub fn join(set: &mut Set, other: &Set) {
    for (mine, theirs) in set.iter_mut().zip(other) {
        *mine |= theirs;
    }
}

#[cfg(test)]
mod tests {
    use super::super::pieces::Joining;
    use super::*;

    #[test]
    fn a_head_refuses_only_what_the_pattern_refuses() {
        for (pattern, good, bad) in [
            ("pat[A-Za-z0-9]{4}\\.", "patAb3d.x", "path = "),
            ("(?:ab|cd)[0-9]{2,}", "cd12", "ad1x"),
            ("(?:ab|c)d", "cd", "xd"),
            ("sk-(?<secret>[a-z]{2})", "sk-ab", "sk-1b"),
            ("a?b", "ab", ""),
            ("ab[a-z/]{6}", "abc%2Fdefg", "abc%20defg"),
            ("a(?:b|cd)?[0-9]{3}", "acd123", "ac1d23"),
            ("ab[a-z]{6}", "abc\" +\n  \"defg", "abc\", \"defg"),
        ] {
            let head = Head::of(pattern);
            let fits = |text: &str| head.fits(text.as_bytes(), 0, 0, &mut Joints::new(Joining::default()));
            assert!(fits(good), "{pattern}");
            assert!(pattern == "a?b" || !fits(bad), "{pattern}");
        }
    }
}
