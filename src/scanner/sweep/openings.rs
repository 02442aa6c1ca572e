//! Texts that may start at a place, told by their first three bytes. Where no text starts, nearly every place
//! is told so, whatever the processor; the prefilter asks again at the others.

/// Low bits of a byte of ASCII, and of a hash.
const ASCII: u8 = 127;

/// The tables that lead to `Kinds::opens`.
#[derive(Clone, Debug)]
pub struct Openings {
    /// For sixteen-byte tables: for each of the first three bytes one for its low and one for its high half,
    /// with a bit for each group of texts.
    pub(super) low: [[u8; 16]; 3],
    pub(super) high: [[u8; 16]; 3],
    /// Texts of two bytes: for each of them a table of all ASCII, with a bit for each group of texts.
    pub(super) short: [[u8; 128]; 2],
    /// Longer texts: random numbers for each byte at each of the three places, whose exclusive or is a hash.
    pub(super) numbers: [[[u8; 128]; 3]; 2],
    /// Bits that both hashes choose together, set where a text has them.
    pub(super) chosen: [[u8; 128]; 2],
}

impl Default for Openings {
    fn default() -> Self {
        Self::new(std::iter::empty())
    }
}

impl Openings {
    /// Tables for texts of at least two bytes.
    pub fn new<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut short, mut long): (Vec<&[u8]>, Vec<&[u8]>) = texts.partition(|text| text.len() < 3);
        short.sort_unstable();
        long.sort_unstable();
        let mut tables = Self {
            low: Default::default(),
            high: Default::default(),
            short: [[0; 128]; 2],
            numbers: numbers(),
            chosen: [[0; 128]; 2],
        };
        // Texts that start alike share a group, so that few wrong combinations fit.
        for (place, text) in short.iter().enumerate() {
            tables.add_halves(text, (place * 2 / short.len()) as u32);
        }
        for (place, text) in long.iter().enumerate() {
            tables.add_halves(text, 2 + (place * 6 / long.len()) as u32);
            let [one, two] = tables.hashes([text[0], text[1], text[2]]);
            tables.chosen[0][usize::from(one)] |= 1 << (two & 7);
            tables.chosen[1][usize::from(two)] |= 1 << (one & 7);
        }
        let mut group = 0;
        for (place, text) in short.iter().enumerate() {
            group += u32::from(place > 0 && short[place - 1][0] != text[0]);
            for (table, byte) in tables.short.iter_mut().zip(*text) {
                table[usize::from(byte & ASCII)] |= 1 << (group % 8);
            }
        }
        tables
    }

    fn add_halves(&mut self, text: &[u8], group: u32) {
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

    fn hashes(&self, bytes: [u8; 3]) -> [u8; 2] {
        [0, 1].map(|index| {
            let numbers = self.numbers[index].iter().zip(bytes);
            numbers.fold(0, |hash, (table, byte)| hash ^ table[usize::from(byte & ASCII)])
        })
    }

    pub(super) fn opens(&self, bytes: [u8; 3]) -> bool {
        let short = (0..2).fold(u8::MAX, |groups, place| {
            groups & self.short[place][usize::from(bytes[place] & ASCII)]
        });
        let [one, two] = self.hashes(bytes);
        let long = self.chosen[0][usize::from(one)] >> (two & 7) & self.chosen[1][usize::from(two)] >> (one & 7);
        short != 0 || long & 1 == 1
    }
}

/// Always the same ones, seven bits each (`xorshift64*`, Vigna 2016).
fn numbers() -> [[[u8; 128]; 3]; 2] {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 57) as u8
    };
    [0, 1].map(|_| [0, 1, 2].map(|_| std::array::from_fn(&mut next)))
}
