//! How much is calculated for one text. A key takes up to a few milliseconds, and a hostile text has thousands.

/// Of the keys behind these, only the form counts.
const MOST: u32 = 64;

/// How many keys of a text were calculated with.
#[derive(Debug, Default)]
pub struct Sums(u32);

impl Sums {
    /// Whether another one may be.
    pub fn another(&mut self) -> bool {
        self.0 += 1;
        self.0 <= MOST
    }
}
