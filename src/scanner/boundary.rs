//! Where a token may start and end, also in escaped text.

use super::colour;

/// Whether `byte` may be inside of a word.
pub const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether `byte` may be inside of a name.
pub const fn is_name(byte: u8) -> bool {
    const NAMES: [bool; 256] = {
        let mut names = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            names[byte] = is_word(byte as u8) || matches!(byte as u8, b'-' | b'.');
            byte += 1;
        }
        names
    };
    NAMES[byte as usize]
}

/// Whether a byte may stand before the sign of an assignment: of a name, of a longer sign, or between them.
pub const fn may_precede(byte: u8) -> bool {
    is_name(byte)
        || matches!(
            byte,
            b'=' | b':' | b'?' | b'+' | b' ' | b'\t' | b'"' | b'\'' | b'`' | b']' | b'\\'
        )
}

/// Whether a token may start at `at`: at the start, after something that is no word, or after an
/// escape such as `\n`, `\u0022` or `%3D`, whose letters only look like a word.
pub fn starts(text: &[u8], at: usize, not_after: &[u8]) -> bool {
    let Some(before) = at.checked_sub(1).map(|index| text[index]) else {
        return true;
    };
    if not_after.contains(&before) {
        return false;
    }
    if !is_word(before) {
        return true;
    }
    let back = |count: usize| at.checked_sub(count).map_or(b' ', |index| text[index]);
    let escape = matches!(before, b'n' | b'r' | b't') && back(2) == b'\\';
    let percent = back(3) == b'%' && back(2).is_ascii_hexdigit() && before.is_ascii_hexdigit();
    let unicode = back(6) == b'\\' && back(5) == b'u' && text[at - 4..at].iter().all(u8::is_ascii_hexdigit);
    let hex = back(4) == b'\\' && back(3) == b'x' && back(2).is_ascii_hexdigit() && before.is_ascii_hexdigit();
    let twice = percent_twice(&text[..at]);
    escape || percent || unicode || hex || twice || colour::start(text, at).is_some()
}

/// `%253D`, a sign that was escaped twice.
fn percent_twice(text: &[u8]) -> bool {
    text.last_chunk::<5>()
        .is_some_and(|last| last.starts_with(b"%25") && matches!(last[3], b'2' | b'3') && last[4].is_ascii_hexdigit())
}

/// Whether a token may end before `end`.
pub fn ends(text: &[u8], end: usize) -> bool {
    text.get(end).is_none_or(|after| !is_word(*after))
}

/// Whether a literal stands at `at`: what only starts as it does mostly ends otherwise, and few are longer than
/// a call to compare them would take.
#[inline]
pub fn stands_at(text: &[u8], at: usize, literal: &[u8]) -> bool {
    text.get(at..at + literal.len()).is_some_and(|part| {
        part.iter()
            .rev()
            .zip(literal.iter().rev())
            .all(|(one, other)| one == other)
    })
}

/// The bytes of `text` before `at` on the same line, at most `limit` of them.
pub fn left_of(text: &[u8], at: usize, limit: usize) -> &[u8] {
    let window = &text[at.saturating_sub(limit)..at];
    match memchr::memrchr(b'\n', window) {
        Some(newline) => &window[newline + 1..],
        None => window,
    }
}

/// Whether `needle`, in lower case, stands in `text` whatever its case.
pub fn contains_ignoring_case(text: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text).any(|at| {
        text.get(at..at + needle.len())
            .is_some_and(|part| part.eq_ignore_ascii_case(needle))
    })
}

/// The end of a match, before a character of which it holds a part only: patterns count bytes.
pub fn before_cut(text: &[u8], end: usize) -> usize {
    let goes_on = |at: usize| text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let first = (end.saturating_sub(3)..=end)
        .rev()
        .find(|at| !goes_on(*at))
        .unwrap_or(end);
    if text.get(first).is_some_and(|byte| *byte >= 0xC0) && first < end && goes_on(end) {
        first
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_starts_after_an_escape_but_not_inside_of_a_word() {
        for (text, expected) in [
            ("ghp_", true),
            ("=ghp_", true),
            ("xghp_", false),
            ("_ghp_", false),
            (r"\nghp_", true),
            (r"\xghp_", false),
            ("%3Dghp_", true),
            ("3Dghp_", false),
            (r"\u0022ghp_", true),
            ("u0022ghp_", false),
            ("éghp_", true),
            (r"\x22ghp_", true),
            (r"x22ghp_", false),
            ("%253Dghp_", true),
            ("253Dghp_", false),
            ("\x1b[32mghp_", true),
            (r"\u001b[1;32mghp_", true),
            ("[32mghp_", false),
        ] {
            assert_eq!(starts(text.as_bytes(), text.len() - 4, b""), expected, "{text}");
        }
        assert!(!starts(b".ghp_", 1, b"."));
    }
}
