//! Runs of one kind of bytes, found in the masks of blocks.

/// Finds runs of a kind that are at least `SHORTEST` bytes long, at most 64, over the borders of blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runs<const SHORTEST: u32> {
    /// How long the run is that goes on at the end of the block before.
    open: usize,
}

impl<const SHORTEST: u32> Runs<SHORTEST> {
    /// Calls back for each run that ends in this block, or just before it.
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    pub fn block(&mut self, at: usize, mask: u64, found: impl FnMut(usize, usize)) {
        if self.reach(mask) {
            self.ends(at, mask, found);
        } else {
            self.open = mask.leading_ones() as usize;
        }
    }

    /// Whether a run is long enough in a block, or where it starts.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub fn reach(self, mask: u64) -> bool {
        // A bit of `long` says that a run starts there which is long enough inside of the block.
        let mut long = mask;
        let mut have = 1;
        while have < SHORTEST {
            let step = have.min(SHORTEST - have);
            long &= long >> step;
            have += step;
        }
        long != 0 || self.open + (mask.trailing_ones() as usize) >= SHORTEST as usize
    }

    #[inline(never)]
    fn ends(&mut self, at: usize, mask: u64, mut found: impl FnMut(usize, usize)) {
        let mut place = 0;
        while place < 64 {
            let rest = mask >> place;
            let length = rest.trailing_ones();
            place += length;
            self.open += length as usize;
            if place < 64 {
                let end = at + place as usize;
                if self.open >= SHORTEST as usize {
                    found(end - self.open, end);
                }
                self.open = 0;
                place += (mask >> place).trailing_zeros();
            }
        }
    }

    /// The run that the end of the text cuts off.
    pub fn finish(self, end: usize, mut found: impl FnMut(usize, usize)) {
        if self.open >= SHORTEST as usize {
            found(end - self.open, end);
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
        check::<32>();
        check::<47>();
        check::<64>();
    }

    fn check<const SHORTEST: u32>() {
        for before in 0..130 {
            for length in [1, 31, 32, 46, 47, 63, 64, 65, 128, 200] {
                let text = format!("{}{} {}", ".".repeat(before), "a".repeat(length), "b".repeat(70));
                let mut blocks = Seen::default();
                each(text.as_bytes(), &Openings::default(), &mut blocks);
                let mut runs = Runs::<SHORTEST>::default();
                let mut seen = Vec::new();
                for (at, kinds) in blocks.0 {
                    runs.block(at, kinds.token, |start, end| seen.push(start..end));
                }
                runs.finish(text.len(), |start, end| seen.push(start..end));
                let last = before + length + 1;
                let mut expected = vec![before..before + length, last..last + 70];
                expected.retain(|run| run.len() >= SHORTEST as usize);
                assert_eq!(seen, expected, "{before} {length}");
            }
        }
    }
}
