//! Runs of one kind of bytes, found in the masks of blocks.

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
    use super::super::{Kinds, Openings, Visit, each};
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<(usize, Kinds)>);

    impl Visit for Seen {
        fn block(&mut self, at: usize, kinds: Kinds) {
            self.0.push((at, kinds));
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
