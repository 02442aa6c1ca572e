//! One pass over a text that says what kinds of bytes it has, 64 at a time: the places at which
//! anything may start are then bits, and everything between them costs nothing.

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

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    use super::{BLOCK, Kinds, Openings, REACH, Visit, filled};

    struct Tables {
        low: [__m256i; 3],
        high: [__m256i; 3],
    }

    #[target_feature(enable = "avx2,bmi1,lzcnt")]
    pub fn each(text: &[u8], openings: &Openings, visit: &mut impl Visit) {
        let table = |bytes: &[u8; 16]| {
            // SAFETY: the array is as long as the load, which needs no alignment.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
        };
        let tables = Tables {
            low: [0, 1, 2].map(|place| table(&openings.low[place])),
            high: [0, 1, 2].map(|place| table(&openings.high[place])),
        };
        let mut at = 0;
        while let Some(bytes) = text[at..].first_chunk() {
            visit.block(at, kinds(bytes, &tables));
            at += BLOCK;
        }
        while at < text.len() {
            let rest = &text[at..];
            visit.block(at, kinds(&filled(rest), &tables));
            at += BLOCK;
        }
    }

    #[target_feature(enable = "avx2")]
    fn kinds(bytes: &[u8; REACH], tables: &Tables) -> Kinds {
        let load = |place: usize| {
            debug_assert!(place + 32 <= REACH);
            // SAFETY: all places asked for lie at least 32 bytes before the end of the array, and
            // the load needs no alignment.
            unsafe { _mm256_loadu_si256(bytes.as_ptr().add(place).cast()) }
        };
        let opens = |place: usize| {
            let bytes = [load(place), load(place + 1), load(place + 2)];
            u64::from(opening(bytes, tables))
        };
        let (low, high) = (half(load(0)), half(load(32)));
        let join = |index: usize| u64::from(low[index]) | u64::from(high[index]) << 32;
        Kinds {
            word: join(0),
            token: join(1),
            sign: join(2),
            quote: join(3),
            blank: join(4),
            lead: join(5),
            escape: join(6),
            prose: join(7),
            comma: join(8),
            dash: join(9),
            close: join(10),
            opens: opens(0) | opens(32) << 32,
        }
    }

    /// Where one of the openings may start, of 32 places with their first, second and third byte.
    #[target_feature(enable = "avx2")]
    fn opening(bytes: [__m256i; 3], tables: &Tables) -> u32 {
        let nibble = _mm256_set1_epi8(15);
        let mut groups = _mm256_set1_epi8(-1);
        for (place, bytes) in bytes.into_iter().enumerate() {
            let low = _mm256_and_si256(bytes, nibble);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
            groups = _mm256_and_si256(groups, _mm256_shuffle_epi8(tables.low[place], low));
            groups = _mm256_and_si256(groups, _mm256_shuffle_epi8(tables.high[place], high));
        }
        !_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())) as u32
    }

    /// The masks of 32 bytes.
    #[target_feature(enable = "avx2")]
    fn half(bytes: __m256i) -> [u32; 11] {
        let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
        let or = |a, b| _mm256_or_si256(a, b);
        let mask = |set| _mm256_movemask_epi8(set) as u32;
        // Shifted so that the range starts at the lowest signed value: one comparison is enough.
        let range = |set, first: u8, last: u8| {
            let shifted = _mm256_add_epi8(set, _mm256_set1_epi8((0x80_u8.wrapping_sub(first)) as i8));
            let limit = _mm256_set1_epi8(0x80_u8.wrapping_add(last - first + 1) as i8);
            _mm256_cmpgt_epi8(limit, shifted)
        };
        let folded = or(bytes, _mm256_set1_epi8(0x20));
        let letter = range(folded, b'a', b'z');
        let upper_bit = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, _mm256_set1_epi8(0x20)), _mm256_set1_epi8(0x20));
        let lower = _mm256_and_si256(letter, upper_bit);
        let word = or(or(letter, range(bytes, b'0', b'9')), is(b'_'));
        let dash = is(b'-');
        let token = or(or(word, dash), or(is(b'+'), is(b'/')));
        let close = is(b'>');
        let sign = or(or(is(b'='), is(b':')), close);
        let plain_quote = or(is(b'"'), is(b'\''));
        let quote = or(plain_quote, is(b'`'));
        let blank = or(is(b' '), is(b'\t'));
        let backslash = is(b'\\');
        let lead = or(
            or(or(is(b'b'), is(b'r')), or(is(b'f'), is(b'u'))),
            or(is(b'@'), backslash),
        );
        let escape = or(backslash, is(b'%'));
        let comma = is(b',');
        let ends = or(is(b'\n'), is(b'\r'));
        let prose = or(or(lower, blank), or(or(plain_quote, comma), ends));
        [
            mask(word),
            mask(token),
            mask(sign),
            mask(quote),
            mask(blank),
            mask(lead),
            mask(escape),
            mask(prose),
            mask(comma),
            mask(dash),
            mask(close),
        ]
    }
}

/// Finds runs of a kind that are at least as long as asked for, over the borders of blocks.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    shortest: u32,
    /// Bits at the end of the last block that belong to a run which goes on.
    carried: u64,
    start: usize,
}

impl Runs {
    /// Runs of at least `shortest` bytes, at most 64.
    pub const fn new(shortest: u32) -> Self {
        Self {
            shortest,
            carried: 0,
            start: 0,
        }
    }

    /// Calls back for each run that ends in this block.
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    pub fn block(&mut self, at: usize, mask: u64, mut found: impl FnMut(usize, usize)) {
        let mut rest = mask;
        if self.carried > 0 {
            let more = mask.trailing_ones();
            if more == 64 {
                self.carried += 64;
                return;
            }
            let length = self.carried + u64::from(more);
            if length >= u64::from(self.shortest) {
                found(self.start, at + more as usize);
            }
            self.carried = 0;
            rest &= !((1_u64 << more) - 1);
        }
        let tail = rest.leading_ones();
        if tail > 0 {
            self.carried = u64::from(tail);
            self.start = at + 64 - tail as usize;
            if tail == 64 {
                return;
            }
            rest &= u64::MAX >> tail;
        }
        // Every bit that is left starts as many set bits as a run needs.
        let mut long = rest;
        let mut have = 1;
        while have < self.shortest && long != 0 {
            let step = have.min(self.shortest - have);
            long &= long >> step;
            have += step;
        }
        while long != 0 {
            let first = long.trailing_zeros();
            let length = (rest >> first).trailing_ones();
            found(at + first as usize, at + (first + length) as usize);
            let after = first + length;
            long = if after >= 64 { 0 } else { long >> after << after };
        }
    }

    /// The run that the end of the text cuts off.
    pub fn finish(self, end: usize, mut found: impl FnMut(usize, usize)) {
        if end > self.start && self.carried > 0 && end - self.start >= self.shortest as usize {
            found(self.start, end);
        }
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

    #[test]
    fn runs_are_found_over_any_block_border() {
        for shortest in [32, 47, 64] {
            for before in 0..130 {
                for length in [1, 31, 32, 46, 47, 63, 64, 65, 128, 200] {
                    let text = format!("{}{} {}", ".".repeat(before), "a".repeat(length), "b".repeat(70));
                    let mut blocks = Seen::default();
                    each(text.as_bytes(), &Openings::default(), &mut blocks);
                    let mut runs = Runs::new(shortest);
                    let mut seen = Vec::new();
                    for (at, kinds) in blocks.0 {
                        runs.block(at, kinds.token, |start, end| seen.push(start..end));
                    }
                    runs.finish(text.len(), |start, end| seen.push(start..end));
                    let last = before + length + 1;
                    let mut expected = vec![before..before + length, last..last + 70];
                    expected.retain(|run| run.len() >= shortest as usize);
                    assert_eq!(seen, expected, "{before} {length}");
                }
            }
        }
    }
}
