//! Where in a block tokens may start.

use super::boundary::is_word;
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
    let length = match (text[at], text.get(at + 1)?) {
        (b'\\', b'n' | b'r' | b't') => 2,
        (b'\\', b'u') => 6,
        (b'%', _) => 3,
        _ => return None,
    };
    let digits = match length {
        6 => text.get(at + 2..at + 6)?,
        3 => text.get(at + 1..at + 3)?,
        _ => &[],
    };
    let after = *text.get(at + length)?;
    (is_word(after) && digits.iter().all(u8::is_ascii_hexdigit)).then_some(at + length)
}
