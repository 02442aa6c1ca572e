//! The kinds of a block with the vectors of AVX2, 32 bytes in one go.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16,
};

use super::table::{KINDS, TABLE};
use super::{Kinds, Openings, REACH, Visit, each_block};

/// For each kind and each low half of a byte, a bit for each of the eight high halves that ASCII has.
const ROWS: [[u8; 16]; KINDS] = {
    let mut rows = [[0; 16]; KINDS];
    let mut byte = 0;
    while byte < 128 {
        let mut kind = 0;
        while kind < KINDS {
            rows[kind][byte & 15] |= ((TABLE[byte] >> kind & 1) as u8) << (byte >> 4);
            kind += 1;
        }
        byte += 1;
    }
    rows
};

struct Tables {
    rows: [__m256i; KINDS],
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
        rows: ROWS.map(|row| table(&row)),
        low: [0, 1, 2].map(|place| table(&openings.low[place])),
        high: [0, 1, 2].map(|place| table(&openings.high[place])),
    };
    each_block(text, visit, |bytes| kinds(bytes, &tables));
}

#[target_feature(enable = "avx2")]
#[inline]
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
    let (low, high) = (half(load(0), tables), half(load(32), tables));
    let mut masks = [0; KINDS];
    for (kind, mask) in masks.iter_mut().enumerate() {
        *mask = u64::from(low[kind]) | u64::from(high[kind]) << 32;
    }
    Kinds::of(masks, opens(0) | opens(32) << 32)
}

#[target_feature(enable = "avx2")]
#[inline]
fn high_half(bytes: __m256i) -> __m256i {
    _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15))
}

#[target_feature(enable = "avx2")]
#[inline]
fn is_not_zero(bytes: __m256i) -> u32 {
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) as u32
}

/// Where one of the openings may start, of 32 places with their first, second and third byte.
#[target_feature(enable = "avx2")]
#[inline]
fn opening(bytes: [__m256i; 3], tables: &Tables) -> u32 {
    let mut groups = _mm256_set1_epi8(-1);
    for (place, bytes) in bytes.into_iter().enumerate() {
        let low = _mm256_and_si256(bytes, _mm256_set1_epi8(15));
        groups = _mm256_and_si256(groups, _mm256_shuffle_epi8(tables.low[place], low));
        groups = _mm256_and_si256(groups, _mm256_shuffle_epi8(tables.high[place], high_half(bytes)));
    }
    is_not_zero(groups)
}

/// The masks of 32 bytes.
#[target_feature(enable = "avx2")]
#[inline]
fn half(bytes: __m256i, tables: &Tables) -> [u32; KINDS] {
    let bit = _mm256_setr_epi8(
        1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0,
    );
    let row = _mm256_shuffle_epi8(bit, high_half(bytes));
    // A byte that is not ASCII gives zero, and has no row either.
    tables
        .rows
        .map(|rows| is_not_zero(_mm256_and_si256(_mm256_shuffle_epi8(rows, bytes), row)))
}
