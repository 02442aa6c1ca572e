//! Where in a block tokens may start.

use super::boundary::is_word;
use super::colour;
use super::sweep::{Kinds, each_bit};

/// Where words start, also after escapes whose letters only look like a word.
#[derive(Debug, Default)]
pub struct WordStarts {
    /// Whether the last byte of the block before is of a word.
    open: u64,
}

impl WordStarts {
    /// Calls back for each start in a block that may lead to a literal; some literals start with a sign.
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    pub fn block(&mut self, text: &[u8], at: usize, kinds: &Kinds, mut start: impl FnMut(usize)) {
        let words = kinds.word & !(kinds.word << 1 | self.open);
        self.open = kinds.word >> 63;
        each_bit((words | kinds.sign) & kinds.opens, |bit| start(at + bit));
        each_bit(kinds.escape, |bit| {
            if let Some(after) = after_escape(text, at + bit) {
                start(after);
            }
        });
    }
}

/// Where the text goes on after the escape at `at`, if a word does there.
fn after_escape(text: &[u8], at: usize) -> Option<usize> {
    let hex = |from: usize, count: usize| {
        let digits = text.get(from..from + count)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(from + count)
    };
    let after = match &text[at..] {
        [colour::ESCAPE, ..] => colour::end(text, at + 1)?,
        [b'\\', b'n' | b'r' | b't', ..] | [b'\\', b'e', b'[', ..] => at + 2,
        [b'\\', b'u', ..] => hex(at + 2, 4)?,
        [b'\\', b'x', ..] => hex(at + 2, 2)?,
        [b'\\', b'0', b'3', b'3', ..] => at + 4,
        // A sign that was escaped twice.
        [b'%', b'2', b'5', b'2' | b'3', ..] => hex(at + 3, 2)?,
        [b'%', ..] => hex(at + 1, 2)?,
        _ => return None,
    };
    let after = colour::end(text, after).unwrap_or(after);
    text.get(after).is_some_and(|byte| is_word(*byte)).then_some(after)
}
