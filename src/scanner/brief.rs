//! Values in quotes that are too short to be judged, which most are.

use super::sweep::Kinds;

/// Shorter values are judged by nobody.
pub const SHORTEST: usize = 6;

/// Whether the value behind the sign at `at`, bit `bit` of its block, stands in quotes, is too short and goes on
/// nowhere. Where the block does not tell, it may be long.
#[inline]
pub fn is_brief(text: &[u8], at: usize, bit: usize, kinds: &Kinds) -> bool {
    let quotes = kinds.quote >> bit >> 1;
    let others = quotes & quotes.wrapping_sub(1);
    let (first, second) = (quotes.trailing_zeros() as usize, others.trailing_zeros() as usize);
    if first > 1 || second > first + SHORTEST || kinds.close >> bit & 1 == 1 {
        return false;
    }
    // A blank, a sign that may join two literals, or the end of the line is none of these.
    let ends = kinds.comma | kinds.code & !(kinds.prose | kinds.escape | kinds.quote);
    let (open, close) = (at + 1 + first, at + 1 + second);
    ends >> bit >> 2 >> second & 1 == 1
        && (first == 0 || matches!(text[open - 1], b' ' | b'\t'))
        && text[open] == text[close]
}

#[cfg(test)]
mod tests {
    use super::super::sweep::{Openings, Visit, each};
    use super::*;

    struct Seen<'a>(&'a [u8], Vec<bool>);

    impl Visit for Seen<'_> {
        fn block(&mut self, at: usize, kinds: Kinds) {
            let signs = (0..64).filter(|bit| kinds.sign >> bit & 1 == 1);
            self.1.extend(signs.map(|bit| is_brief(self.0, at + bit, bit, &kinds)));
        }
    }

    #[test]
    fn only_a_short_value_that_ends_in_its_own_quote_is_brief() {
        for (text, expected) in [
            ("a = 'abcde',", true),
            ("a: \"\";", true),
            ("a=`ab`)", true),
            ("a = 'abcdef',", false),
            ("a = 'ab\",cdefgh',", false),
            ("a = 'ab' + 'cd'", false),
            ("a = 'ab'\n+ 'cd'", false),
            ("a = 'ab'&", false),
            ("a = 'ab'.", false),
            ("a = \"\"\"abcdefgh\"\"\"", false),
            ("a = b'ab',", false),
            ("a = f('ab',", false),
            ("<a>'ab',", false),
            ("a = 'ab", false),
        ] {
            for shift in 0..64 {
                let text = format!("{}{text}", " ".repeat(shift));
                let mut seen = Seen(text.as_bytes(), Vec::new());
                each(text.as_bytes(), &Openings::default(), &mut seen);
                // Over the end of a block nothing is known.
                let expected = expected && shift + 12 < 64;
                assert_eq!(seen.1[0] && (shift + 12 < 64), expected, "{text}");
            }
        }
    }
}
