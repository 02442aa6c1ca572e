//! One pass over a text that says what kinds of bytes it has, 64 at a time: the places at which
//! anything may start are then bits, and everything between them costs nothing.

mod openings;
mod runs;
mod table;
#[cfg(target_arch = "x86_64")]
mod wide;
#[cfg(target_arch = "x86_64")]
mod widest;

pub use openings::Openings;
pub use runs::Runs;
pub use table::MARK;
use table::{KINDS, TABLE};

/// Kinds of the 64 bytes of a block; bit 0 is the first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Letters, digits and `_`.
    pub word: u64,
    /// What a run of token characters has: words, `+`, `/` and `-`.
    pub token: u64,
    /// `=`, `:` and `>`.
    pub sign: u64,
    /// The three quotes.
    pub quote: u64,
    /// Spaces and tabs.
    pub blank: u64,
    /// What may stand between a sign and the quote of its value, beside blanks.
    pub lead: u64,
    /// `\`, `%` and the character with which colours start.
    pub escape: u64,
    /// Small letters and what may stand between the words of a wallet.
    pub prose: u64,
    pub comma: u64,
    pub dash: u64,
    /// `>`.
    pub close: u64,
    /// What no value without quotes in a source file has: blanks, quotes, brackets and signs of code.
    pub code: u64,
    /// Capital letters, digits and `_`.
    pub capital: u64,
    /// `=`.
    pub equal: u64,
    /// `~`, by which a literal is found that stands inside of a word.
    pub mark: u64,
    /// With what each four characters start that are base64 of text.
    pub base64: u64,
    /// Where one of the openings may start.
    pub opens: u64,
}

impl Kinds {
    /// From the masks in the order of the table.
    #[inline]
    const fn of(masks: [u64; KINDS], opens: u64) -> Self {
        let [
            word,
            token,
            sign,
            quote,
            blank,
            lead,
            escape,
            prose,
            comma,
            dash,
            close,
            code,
            capital,
            equal,
            mark,
            base64,
        ] = masks;
        Self {
            word,
            token,
            sign,
            quote,
            blank,
            lead,
            escape,
            prose,
            comma,
            dash,
            close,
            code,
            capital,
            equal,
            mark,
            base64,
            opens,
        }
    }
}

/// Calls back for the place of each bit.
#[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
#[inline(always)]
pub fn each_bit(mask: u64, mut found: impl FnMut(usize)) {
    let mut rest = mask;
    while rest != 0 {
        found(rest.trailing_zeros() as usize);
        rest &= rest - 1;
    }
}

/// The length of a block.
pub const BLOCK: usize = 64;

/// Takes the blocks of a text, one after the other.
pub trait Visit {
    /// The kinds of the block that starts at `at`.
    fn block(&mut self, at: usize, kinds: Kinds);
}

/// Blocks whose kinds are told before the first is shown: vectors work at their full rate while nothing branches.
const AHEAD: usize = 8;

/// What the kinds of a block depend on: its bytes and the two after them.
const REACH: usize = BLOCK + 2;

/// Shows each block of `text`; after its end stand NUL bytes.
pub fn each(text: &[u8], openings: &Openings, visit: &mut impl Visit) {
    #[cfg(target_arch = "x86_64")]
    {
        let counts = std::arch::is_x86_feature_detected!("bmi1") && std::arch::is_x86_feature_detected!("lzcnt");
        if counts
            && std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vbmi")
        {
            // SAFETY: the processor has all five.
            unsafe { widest::each(text, openings, visit) };
            return;
        }
        if counts && std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has all three.
            unsafe { wide::each(text, openings, visit) };
            return;
        }
    }
    scalar(text, openings, visit);
}

fn scalar(text: &[u8], openings: &Openings, visit: &mut impl Visit) {
    each_block(text, visit, |bytes| kinds(bytes, openings));
}

/// Shows each block after `kinds` told those of several.
#[expect(
    clippy::inline_always,
    reason = "it has to be compiled for the vectors of its callers"
)]
#[inline(always)]
fn each_block(text: &[u8], visit: &mut impl Visit, kinds: impl Fn(&[u8; REACH]) -> Kinds) {
    let mut blocks = [Kinds::default(); AHEAD];
    let mut at = 0;
    while at < text.len() {
        let mut count = 0;
        for (block, start) in blocks.iter_mut().zip((at..text.len()).step_by(BLOCK)) {
            let rest = &text[start..];
            *block = match rest.first_chunk() {
                Some(bytes) => kinds(bytes),
                None => kinds(&filled(rest)),
            };
            count += 1;
        }
        for block in &blocks[..count] {
            visit.block(at, *block);
            at += BLOCK;
        }
    }
}

fn filled(rest: &[u8]) -> [u8; REACH] {
    let mut bytes = [0; REACH];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

fn kinds(bytes: &[u8; REACH], openings: &Openings) -> Kinds {
    let mut masks = [0_u64; KINDS];
    let mut opens = 0;
    for (at, byte) in bytes[..BLOCK].iter().enumerate() {
        opens |= u64::from(openings.opens([*byte, bytes[at + 1], bytes[at + 2]])) << at;
        let flags = u64::from(TABLE[usize::from(*byte)]);
        for (bit, mask) in masks.iter_mut().enumerate() {
            *mask |= (flags >> bit & 1) << at;
        }
    }
    Kinds::of(masks, opens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<(usize, Kinds)>);

    impl Visit for Seen {
        fn block(&mut self, at: usize, kinds: Kinds) {
            self.0.push((at, kinds));
        }
    }

    type Each = fn(&[u8], &Openings, &mut Seen);

    /// Every way this processor has.
    fn ways() -> Vec<Each> {
        let mut ways: Vec<Each> = vec![|text, openings, seen| scalar(text, openings, seen)];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has what it needs.
                ways.push(|text, openings, seen| unsafe { wide::each(text, openings, seen) });
            }
            if std::arch::is_x86_feature_detected!("avx512vbmi") {
                // SAFETY: as above.
                ways.push(|text, openings, seen| unsafe { widest::each(text, openings, seen) });
            }
        }
        ways
    }

    fn seen(way: Each, text: &[u8], openings: &Openings) -> Vec<(usize, Kinds)> {
        let mut seen = Seen::default();
        way(text, openings, &mut seen);
        seen.0
    }

    #[test]
    fn every_byte_has_the_same_kinds_with_and_without_vectors() {
        let text: Vec<u8> = (0..=255).chain((0..=255).rev()).chain(0..77).collect();
        for length in [0, 1, 63, 64, 65, 66, 127, 128, 129, 130, text.len()] {
            let expected = seen(ways()[0], &text[..length], &Openings::default());
            assert_eq!(expected.len(), length.div_ceil(BLOCK));
            for way in ways() {
                assert_eq!(seen(way, &text[..length], &Openings::default()), expected);
            }
        }
    }

    #[test]
    fn every_opening_is_seen() {
        let words: Vec<String> = (0..90).map(|index| format!("{index:02}x_")).collect();
        let openings = Openings::new(words.iter().map(String::as_bytes).chain([b"zq".as_slice()]));
        let text = format!("{} zq", words.join(" "));
        for way in ways() {
            let seen = seen(way, text.as_bytes(), &openings);
            for at in (0..words.len()).map(|index| index * 5).chain([text.len() - 2]) {
                assert_eq!(seen[at / BLOCK].1.opens >> (at % BLOCK) & 1, 1, "{at}");
            }
        }
    }

    #[test]
    fn a_short_opening_is_seen_before_any_byte() {
        let openings = Openings::new([b"zq".as_slice(), b"abc"].into_iter());
        for third in 0..=255 {
            for way in ways() {
                assert_eq!(seen(way, &[b'z', b'q', third], &openings)[0].1.opens & 1, 1);
            }
        }
    }
}
