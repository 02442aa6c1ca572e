//! The kinds of a block with the vectors of AVX2, 32 bytes in one go.

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
