//! The kinds of a block with the vectors of AVX-512: one look-up in a table of all ASCII tells eight kinds of
//! 64 bytes at once.

use std::arch::x86_64::{
    __m512i, _mm_setr_epi8, _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_loadu_si512,
    _mm512_maskz_permutex2var_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_set1_epi8,
    _mm512_shuffle_epi8, _mm512_test_epi8_mask, _mm512_xor_si512,
};

use super::table::{KINDS, TABLE};
use super::{BLOCK, Kinds, Openings, REACH, Visit, each_block};

/// A value for each ASCII byte.
#[derive(Clone, Copy)]
struct Table(__m512i, __m512i);

struct Tables {
    /// The first eight kinds, and the others.
    kinds: [Table; 2],
    short: [Table; 2],
    numbers: [[Table; 3]; 2],
    chosen: [Table; 2],
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,lzcnt")]
pub fn each(text: &[u8], openings: &Openings, visit: &mut impl Visit) {
    let tables = Tables {
        kinds: [0, 8].map(|first| table(&std::array::from_fn(|byte| (TABLE[byte] >> first) as u8))),
        short: openings.short.map(|bytes| table(&bytes)),
        numbers: openings.numbers.map(|places| places.map(|bytes| table(&bytes))),
        chosen: openings.chosen.map(|bytes| table(&bytes)),
    };
    each_block(text, visit, |bytes| kinds(bytes, &tables));
}

#[target_feature(enable = "avx512f")]
fn table(bytes: &[u8; 128]) -> Table {
    // SAFETY: the array is as long as both loads together, which need no alignment.
    unsafe {
        Table(
            _mm512_loadu_si512(bytes.as_ptr().cast()),
            _mm512_loadu_si512(bytes.as_ptr().add(64).cast()),
        )
    }
}

#[target_feature(enable = "avx512vbmi")]
#[inline]
fn looked_up(table: Table, bytes: __m512i) -> __m512i {
    _mm512_permutex2var_epi8(table.0, bytes, table.1)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn kinds(bytes: &[u8; REACH], tables: &Tables) -> Kinds {
    let load = |place: usize| {
        debug_assert!(place + BLOCK <= REACH);
        // SAFETY: all places asked for lie at least 64 bytes before the end of the array, and
        // the load needs no alignment.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().add(place).cast()) }
    };
    let places = [load(0), load(1), load(2)];
    let ascii = !_mm512_movepi8_mask(places[0]);
    let halves = tables
        .kinds
        .map(|table| _mm512_maskz_permutex2var_epi8(ascii, table.0, places[0], table.1));
    let mut masks = [0; KINDS];
    for (kind, mask) in masks.iter_mut().enumerate() {
        *mask = _mm512_test_epi8_mask(halves[kind / 8], _mm512_set1_epi8(1 << (kind % 8)));
    }
    Kinds::of(masks, opening(places, tables))
}

/// Where one of the openings may start, of 64 places with their first, second and third byte.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn opening(places: [__m512i; 3], tables: &Tables) -> u64 {
    let short = _mm512_test_epi8_mask(
        looked_up(tables.short[0], places[0]),
        looked_up(tables.short[1], places[1]),
    );
    let bit = _mm512_broadcast_i32x4(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
    let bits = |hash| _mm512_shuffle_epi8(bit, _mm512_and_si512(hash, _mm512_set1_epi8(7)));
    let [one, two] = tables.numbers.map(|numbers| {
        _mm512_xor_si512(
            looked_up(numbers[0], places[0]),
            _mm512_xor_si512(looked_up(numbers[1], places[1]), looked_up(numbers[2], places[2])),
        )
    });
    short
        | _mm512_test_epi8_mask(looked_up(tables.chosen[0], one), bits(two))
            & _mm512_test_epi8_mask(looked_up(tables.chosen[1], two), bits(one))
}
