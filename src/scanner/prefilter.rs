//! Finds the literals with which tokens start. Nearly every literal stands at the start of a word or starts with a
//! sign, so four bytes of each are looked up in one small table at those places only, however many literals
//! there are; of the others most have a rare byte, or stand in a long run.

use std::ops::Range;

use memchr::memmem::Finder;

use super::boundary::{is_word, stands_at};
use super::floating::Floating;
use super::pair::SIGNS;
use super::sweep::{MARK, Openings};
use crate::error::Result;

/// Bits of a hash of the first bytes of a word.
const BITS: u32 = 14;

/// A literal, and where the rules that start with it may stand.
#[derive(Clone, Debug)]
pub struct Literal {
    pub bytes: Vec<u8>,
    /// Nothing that starts with it is confirmed inside of a word.
    pub starts_word: bool,
    /// Letters of which one stands before the literal and starts a word.
    pub after: &'static [u8],
    /// It stands in a long run of token characters only.
    pub in_run: bool,
}

/// The first eight bytes of an anchor, which of them it has, and its index.
struct Start {
    bytes: u64,
    mask: u64,
    anchor: u16,
}

/// A text that starts a word and leads to a literal.
struct Anchor {
    bytes: Vec<u8>,
    /// How far the literal stands behind the start of the word, and how far before it.
    forward: usize,
    back: usize,
    literal: usize,
}

/// Literals, and the searches for them.
pub struct Prefilter {
    literals: Vec<Vec<u8>>,
    anchors: Vec<Anchor>,
    openings: Openings,
    /// One bit for each hash of four bytes with which an anchor starts, or of the two or three of a shorter one.
    bits: Bits,
    /// For each pair of bytes that anchors start with, or several pairs, those anchors with their first bytes.
    by_pair: Vec<Vec<Start>>,
    /// Literals with a mark, and where in them it stands.
    marked: Vec<(usize, usize)>,
    inside: Vec<(Finder<'static>, usize)>,
    floating: Floating,
}

/// A bit for each hash that was added.
struct Bits(Box<[u64; 1 << (BITS - 6)]>);

impl Bits {
    const fn hash(gram: u32) -> usize {
        (gram.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
    }

    fn add(&mut self, gram: u32) {
        let at = Self::hash(gram);
        self.0[at >> 6] |= 1 << (at & 63);
    }

    #[inline]
    fn has(&self, gram: u32) -> bool {
        let at = Self::hash(gram);
        self.0[at >> 6] >> (at & 63) & 1 == 1
    }
}

/// The first two and three of four bytes.
const TWO: u32 = 0xffff;
const THREE: u32 = 0xff_ffff;

const PAIRS: usize = 1 << 10;

/// A number for the first two bytes.
const fn pair(gram: u32) -> usize {
    (gram ^ gram >> 3) as usize & (PAIRS - 1)
}

/// The eight bytes at `at`, with NUL after the end.
#[inline]
fn gram(text: &[u8], at: usize) -> u64 {
    match text[at..].first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => (text[at..].iter().rev()).fold(0, |gram, byte| gram << 8 | u64::from(*byte)),
    }
}

impl Prefilter {
    /// A searcher for literals; each hit tells the literal's index.
    pub fn new(literals: &[Literal]) -> Result<Self> {
        let mut anchors = Vec::new();
        let (mut marked, mut inside, mut floating) = (Vec::new(), Vec::new(), Vec::new());
        for (index, literal) in literals.iter().enumerate() {
            let anchor = |bytes: Vec<u8>, forward: usize, back: usize| Anchor {
                bytes,
                forward,
                back,
                literal: index,
            };
            let bytes = &literal.bytes;
            let inner = (1..bytes.len().saturating_sub(1)).find(|at| is_word(bytes[*at]) && !is_word(bytes[*at - 1]));
            if !literal.after.is_empty() {
                anchors.extend(
                    literal
                        .after
                        .iter()
                        .map(|first| anchor([&[*first], bytes.as_slice()].concat(), 1, 0)),
                );
            } else if bytes.len() > 2 && bytes[0] == b':' && inner.is_none()
                || literal.starts_word && bytes.first().copied().is_some_and(is_word)
            {
                anchors.push(anchor(bytes.clone(), 0, 0));
            } else if let Some(at) = inner {
                anchors.push(anchor(bytes[at..].to_vec(), 0, at));
            } else if let Some(at) = memchr::memchr(MARK, bytes) {
                marked.push((at, index));
            } else if literal.in_run {
                inside.push((Finder::new(bytes).into_owned(), index));
            } else {
                floating.push((bytes.as_slice(), index));
            }
        }
        let mut bits = Bits(Box::new([0; 1 << (BITS - 6)]));
        let mut by_pair: Vec<Vec<Start>> = std::iter::repeat_with(Vec::new).take(PAIRS).collect();
        for (index, anchor) in (0..).zip(&anchors) {
            let bytes = gram(&anchor.bytes, 0);
            by_pair[pair(bytes as u32)].push(Start {
                bytes,
                mask: u64::MAX >> (8 * (8 - anchor.bytes.len().min(8))),
                anchor: index,
            });
            bits.add(bytes as u32);
        }
        Ok(Self {
            marked,
            inside,
            floating: Floating::new(&floating)?,
            literals: literals.iter().map(|literal| literal.bytes.clone()).collect(),
            openings: Openings::new(
                anchors.iter().map(|anchor| anchor.bytes.as_slice()).chain(
                    SIGNS
                        .into_iter()
                        .map(|sign| sign.strip_prefix(b"#").unwrap_or(sign))
                        .filter(|sign| is_word(sign[0])),
                ),
            ),
            anchors,
            bits,
            by_pair,
        })
    }

    /// What words start with that lead to a literal, or to a pair of a name and a value.
    pub fn openings(&self) -> &Openings {
        &self.openings
    }

    /// Calls back for each literal to which the word that starts at `at` leads.
    #[inline]
    pub fn word(&self, text: &[u8], at: usize, hit: impl FnMut(usize, usize)) {
        let eight = gram(text, at);
        let gram = eight as u32;
        if self.bits.has(gram) | self.bits.has(gram & THREE) | self.bits.has(gram & TWO) {
            self.anchored(text, at, eight, hit);
        }
    }

    #[cold]
    fn anchored(&self, text: &[u8], at: usize, gram: u64, mut hit: impl FnMut(usize, usize)) {
        for start in &self.by_pair[pair(gram as u32)] {
            if gram & start.mask != start.bytes {
                continue;
            }
            let anchor = &self.anchors[usize::from(start.anchor)];
            if (anchor.bytes.len() <= 8 || stands_at(text, at, &anchor.bytes))
                && let Some(start) = (at + anchor.forward).checked_sub(anchor.back)
                && (anchor.back == 0 || stands_at(text, start, &self.literals[anchor.literal]))
            {
                hit(start, anchor.literal);
            }
        }
    }

    /// Calls back for each literal that may stand anywhere.
    pub fn floating(&self, text: &[u8], hit: impl FnMut(usize, usize)) {
        self.floating.each(text, hit);
    }

    /// Calls back for each literal whose mark stands at `at`.
    pub fn marked(&self, text: &[u8], at: usize, mut hit: impl FnMut(usize, usize)) {
        for (before, literal) in &self.marked {
            if let Some(start) = at.checked_sub(*before)
                && stands_at(text, start, &self.literals[*literal])
            {
                hit(start, *literal);
            }
        }
    }

    /// Calls back for each literal in the middle of a long run of token characters.
    pub fn inside(&self, text: &[u8], run: &Range<usize>, mut hit: impl FnMut(usize, usize)) {
        for (finder, literal) in &self.inside {
            for at in finder.find_iter(&text[run.clone()]) {
                hit(run.start + at, *literal);
            }
        }
    }
}

impl std::fmt::Debug for Prefilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefilter")
            .field("anchors", &self.anchors.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str, starts_word: bool) -> Literal {
        Literal {
            bytes: text.as_bytes().to_vec(),
            starts_word,
            after: &[],
            in_run: false,
        }
    }

    #[test]
    fn words_lead_to_literals_before_at_and_after_their_start() {
        let header = Literal {
            after: b"Bb",
            ..literal("asic ", false)
        };
        let prefilter = Prefilter::new(&[
            literal("ab", true),
            literal("abc_", true),
            literal(":AA", false),
            header,
        ])
        .unwrap();
        for (text, at, expected) in [
            ("ab", 0, vec![(0, 0)]),
            ("abc_d", 0, vec![(0, 0), (0, 1)]),
            ("1:AAx", 2, vec![(1, 2)]),
            ("AAx", 0, vec![]),
            ("xAAx", 1, vec![]),
            ("Basic x", 0, vec![(1, 3)]),
            ("basic x", 0, vec![(1, 3)]),
            ("a", 0, vec![]),
        ] {
            let mut hits = Vec::new();
            prefilter.word(text.as_bytes(), at, |at, word| hits.push((at, word)));
            assert_eq!(hits, expected, "{text}");
        }
    }
}
