//! One pass over a text that says what kinds of bytes it has, 64 at a time: the places at which
//! anything may start are then bits, and everything between them costs nothing.

mod runs;
#[cfg(target_arch = "x86_64")]
mod wide;

pub use runs::Runs;

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
    /// `\` and `%`.
    pub escape: u64,
    /// Small letters and what may stand between the words of a wallet.
    pub prose: u64,
    pub comma: u64,
    pub dash: u64,
    /// `>`.
    pub close: u64,
    /// Where one of the openings may start.
    pub opens: u64,
}

/// The length of a block.
pub const BLOCK: usize = 64;

/// Texts of which one starts where a bit of `Kinds::opens` is set, or perhaps none: a table for the low
/// and one for the high half of each of the first three bytes, with a bit for each group of texts.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    low: [[u8; 16]; 3],
    high: [[u8; 16]; 3],
}

impl Openings {
    /// Tables for texts of at least two bytes.
    pub fn new<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Self {
        // Texts that start alike share a group, so that few wrong combinations fit.
        let (mut short, mut long): (Vec<&[u8]>, Vec<&[u8]>) = texts.partition(|text| text.len() < 3);
        short.sort_unstable();
        long.sort_unstable();
        let mut tables = Self::default();
        for (place, text) in short.iter().enumerate() {
            tables.add(text, (place * 2 / short.len()) as u32);
        }
        for (place, text) in long.iter().enumerate() {
            tables.add(text, 2 + (place * 6 / long.len()) as u32);
        }
        tables
    }

    fn add(&mut self, text: &[u8], group: u32) {
        for place in 0..3 {
            let bit = 1 << group;
            if let Some(byte) = text.get(place) {
                self.low[place][usize::from(byte & 15)] |= bit;
                self.high[place][usize::from(byte >> 4)] |= bit;
            } else {
                for half in 0..16 {
                    self.low[place][half] |= bit;
                    self.high[place][half] |= bit;
                }
            }
        }
    }

    fn opens(&self, bytes: [u8; 3]) -> bool {
        let groups = (0..3).fold(u8::MAX, |groups, place| {
            let byte = bytes[place];
            groups & self.low[place][usize::from(byte & 15)] & self.high[place][usize::from(byte >> 4)]
        });
        groups != 0
    }
}

/// Takes the blocks of a text, one after the other.
pub trait Visit {
    /// The kinds of the block that starts at `at`.
    fn block(&mut self, at: usize, kinds: Kinds);
}

/// What the kinds of a block depend on: its bytes and the two after them.
const REACH: usize = BLOCK + 2;

/// Shows each block of `text`; after its end stand NUL bytes.
pub fn each(text: &[u8], openings: &Openings, visit: &mut impl Visit) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: the processor has all three.
        unsafe { wide::each(text, openings, visit) };
        return;
    }
    scalar(text, openings, visit);
}

fn scalar(text: &[u8], openings: &Openings, visit: &mut impl Visit) {
    for at in (0..text.len()).step_by(BLOCK) {
        match text[at..].first_chunk() {
            Some(bytes) => visit.block(at, kinds(bytes, openings)),
            None => visit.block(at, kinds(&filled(&text[at..]), openings)),
        }
    }
}

fn filled(rest: &[u8]) -> [u8; REACH] {
    let mut bytes = [0; REACH];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

/// Which masks a byte belongs to, in the order of the fields.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let word = byte.is_ascii_alphanumeric() || byte == b'_';
        let flags = [
            word,
            word || matches!(byte, b'+' | b'/' | b'-'),
            matches!(byte, b'=' | b':' | b'>'),
            matches!(byte, b'"' | b'\'' | b'`'),
            matches!(byte, b' ' | b'\t'),
            matches!(byte, b'b' | b'r' | b'f' | b'u' | b'@' | b'\\'),
            matches!(byte, b'\\' | b'%'),
            matches!(byte, b'a'..=b'z' | b' ' | b'\n' | b'\r' | b'\t' | b',' | b'"' | b'\''),
            byte == b',',
            byte == b'-',
            byte == b'>',
        ];
        let mut bit = 0;
        while bit < flags.len() {
            table[index] |= (flags[bit] as u16) << bit;
            bit += 1;
        }
        index += 1;
    }
    table
};

fn kinds(bytes: &[u8; REACH], openings: &Openings) -> Kinds {
    let mut masks = [0_u64; 11];
    let mut opens = 0;
    for (at, byte) in bytes[..BLOCK].iter().enumerate() {
        opens |= u64::from(openings.opens([*byte, bytes[at + 1], bytes[at + 2]])) << at;
        let flags = u64::from(TABLE[usize::from(*byte)]);
        for (bit, mask) in masks.iter_mut().enumerate() {
            *mask |= (flags >> bit & 1) << at;
        }
    }
    let [word, token, sign, quote, blank, lead, escape, prose, comma, dash, close] = masks;
    Kinds {
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
        opens,
    }
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

    #[test]
    fn every_byte_has_the_same_kinds_with_and_without_vectors() {
        let openings = Openings::new([b"ab".as_slice(), b"xyz", b"012", b"\x80\x81\x82"].into_iter());
        let text: Vec<u8> = (0..=255).chain((0..=255).rev()).chain(0..77).collect();
        for length in [0, 1, 63, 64, 65, 66, 127, 128, 129, 130, text.len()] {
            let (mut a, mut b) = (Seen::default(), Seen::default());
            each(&text[..length], &openings, &mut a);
            scalar(&text[..length], &openings, &mut b);
            assert_eq!(a.0, b.0);
            assert_eq!(a.0.len(), length.div_ceil(BLOCK));
        }
    }

    #[test]
    fn every_opening_is_seen() {
        let words: Vec<String> = (0..90).map(|index| format!("{index:02}x_")).collect();
        let openings = Openings::new(words.iter().map(String::as_bytes).chain([b"zq".as_slice()]));
        let text = format!("{} zq", words.join(" "));
        let mut seen = Seen::default();
        each(text.as_bytes(), &openings, &mut seen);
        for at in (0..words.len()).map(|index| index * 5).chain([text.len() - 2]) {
            assert_eq!(seen.0[at / BLOCK].1.opens >> (at % BLOCK) & 1, 1, "{at}");
        }
    }
}
