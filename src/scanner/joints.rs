//! Remembers where was asked whether a token goes on, since all rules for one place ask the same.

use super::pieces::{Joining, goes_on, may_join};

/// Remembers the last places of which was asked whether a token goes on there.
#[derive(Clone, Copy, Debug)]
pub struct Joints {
    pub how: Joining,
    yes: usize,
    no: usize,
}

impl Joints {
    pub const fn new(how: Joining) -> Self {
        Self {
            how,
            yes: usize::MAX,
            no: usize::MAX,
        }
    }

    /// As `goes_on` has it for what stands at `at`; one is always asked of the same text.
    #[inline]
    pub fn go_on(&mut self, text: &[u8], at: usize) -> bool {
        if at == self.yes || at == self.no || !text.get(at).is_some_and(|byte| may_join(*byte)) {
            return at == self.yes;
        }
        let goes_on = goes_on(&text[at..], self.how);
        *(if goes_on { &mut self.yes } else { &mut self.no }) = at;
        goes_on
    }
}
