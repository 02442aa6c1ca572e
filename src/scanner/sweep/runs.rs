//! Runs of one kind of bytes, found in the masks of blocks.

/// Steps that widen what a bit says from one byte to 64.
const STEPS: usize = 6;

/// Finds runs of a kind that are at least `SHORTEST` bytes long, at most 64, over the borders of blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runs<const SHORTEST: u32> {
    /// The masks of the block before, at each step.
    before: [u64; STEPS],
    /// Where the run starts that is long already and goes on.
    start: Option<usize>,
}

impl<const SHORTEST: u32> Runs<SHORTEST> {
    /// Calls back for each run that ends in this block, or just before it.
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    pub fn block(&mut self, at: usize, mask: u64, found: impl FnMut(usize, usize)) {
        // A bit of `long` says that as many bytes as a run needs end there.
        let mut long = mask;
        let mut have = 1;
        for before in &mut self.before {
            let step = have.min(SHORTEST - have);
            if step == 0 {
                break;
            }
            let shifted = long << step | *before >> (64 - step);
            *before = long;
            long &= shifted;
            have += step;
        }
        if long != 0 || self.start.is_some() {
            self.ends(at, long, found);
        }
    }

    fn ends(&mut self, at: usize, long: u64, mut found: impl FnMut(usize, usize)) {
        let mut place = 0;
        while place < 64 {
            match self.start {
                Some(start) => {
                    place += (long >> place).trailing_ones();
                    if place < 64 {
                        found(start, at + place as usize);
                        self.start = None;
                    }
                }
                None => match (long >> place).trailing_zeros() {
                    64 => break,
                    zeros => {
                        place += zeros;
                        self.start = Some(at + place as usize + 1 - SHORTEST as usize);
                    }
                },
            }
        }
    }

    /// The run that the end of the text cuts off.
    pub fn finish(self, end: usize, mut found: impl FnMut(usize, usize)) {
        if let Some(start) = self.start {
            found(start, end);
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
