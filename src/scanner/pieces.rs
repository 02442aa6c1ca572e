//! Text that a program writes in pieces or with escapes: `"ab" + "cd"`, `ab\⏎cd`, `\x61b`, and the escapes of an
//! address.

use super::boundary::is_word;
use super::work;

/// Where two string literals are put together, after how many characters and how long the joint is.
pub type Border = (usize, usize);

/// How far the parts of a joint may be apart.
pub const MOST_BLANKS: usize = 80;
/// The most pieces and escapes of one token.
const PIECES: usize = 128;
/// The most pieces of one token on one line.
const PIECES_OF_LINE: usize = 8;

/// What joins literals in a language, or at a place, beside signs and line ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Joining {
    /// Blanks alone do: `"ab" "cd"`.
    pub adjacent: bool,
    /// The literal stands inside of a template: `${'ab'}cd`.
    pub inserted: bool,
}

/// The text of a literal that goes on in another one, `"ab" + "cd"`, `"ab" +⏎ "cd"`, `ab${"cd"}` or `ab\\⏎cd`, without
/// the joints between, and with the escapes `\x2b`, `\u002b` and those of an address taken back, as far as `most`
/// bytes; nothing where there is none.
pub fn joined(text: &[u8], most: usize, how: Joining) -> Option<(Vec<u8>, Vec<Border>)> {
    let mut out = Vec::new();
    let mut borders = Vec::new();
    let mut from = 0;
    let mut of_line = 0;
    let sign = |byte: &u8| may_join(*byte);
    while borders.len() < PIECES && of_line < PIECES_OF_LINE && out.len() < most {
        let Some(at) = text[from..].iter().take(most - out.len()).position(sign) else {
            break;
        };
        out.extend_from_slice(&text[from..from + at]);
        from += at;
        let Some((length, character)) = part(&text[from..], how) else {
            work::looked_at(out.len());
            return (!borders.is_empty()).then_some((out, borders));
        };
        borders.push((out.len(), length - usize::from(character.is_some())));
        if let Some(character) = character {
            out.push(character);
        } else {
            let ends_line = text[from..from + length].contains(&b'\n');
            of_line = if ends_line { 0 } else { of_line + 1 };
        }
        from += length;
    }
    if borders.is_empty() {
        return None;
    }
    let rest = &text[from..text.len().min(from.saturating_add(most.saturating_sub(out.len())))];
    out.extend_from_slice(&rest[..rest.iter().position(sign).unwrap_or(rest.len())]);
    work::looked_at(out.len());
    Some((out, borders))
}

/// Whether an escape or a joint may start with a byte.
pub const fn may_join(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'$' | b'%' | b'\\' | 0xc2 | 0xe2 | 0xef)
}

/// Characters that nobody sees and that tokens get where people copy them: the soft hyphen, blanks without a width,
/// joiners and the byte order mark.
const UNSEEN: [&[u8]; 6] = [
    b"\xc2\xad",
    b"\xe2\x80\x8b",
    b"\xe2\x80\x8c",
    b"\xe2\x80\x8d",
    b"\xe2\x81\xa0",
    b"\xef\xbb\xbf",
];

/// The length of the character at the end of a text that nobody sees.
pub fn unseen_before(text: &[u8]) -> Option<usize> {
    UNSEEN
        .iter()
        .find(|unseen| text.ends_with(unseen))
        .map(|unseen| unseen.len())
}

/// Whether a token goes on behind an escape or a joint.
pub fn goes_on(text: &[u8], how: Joining) -> bool {
    part(text, how).is_some()
}

/// The length of an escape or a joint, and the character of an escape.
pub fn part(text: &[u8], how: Joining) -> Option<(usize, Option<u8>)> {
    match escape(text) {
        Some((character, length)) => Some((length, Some(character))),
        None => joint(text, how).map(|length| (length, None)),
    }
}

/// The character of an escape that tokens need in an address, or of any one in a program, and its length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    match text.get(..3)? {
        b"%2B" | b"%2b" => Some((b'+', 3)),
        b"%2F" | b"%2f" => Some((b'/', 3)),
        b"%3A" | b"%3a" => Some((b':', 3)),
        b"%3D" | b"%3d" => Some((b'=', 3)),
        [b'\\', b'x' | b'u', _] => program_escape(text),
        _ => None,
    }
}

/// `\x2b`, `\u002b` and `\u{2b}`, where they say a character that can be seen.
pub fn program_escape(text: &[u8]) -> Option<(u8, usize)> {
    let (digits, length) = match text {
        [b'\\', b'x', digits @ ..] => (digits.get(..2)?, 4),
        [b'\\', b'u', b'{', digits @ ..] => {
            let end = digits.iter().take(7).position(|byte| *byte == b'}')?;
            (&digits[..end], 4 + end)
        }
        [b'\\', b'u', digits @ ..] => (digits.get(..4)?, 6),
        _ => return None,
    };
    let digits = std::str::from_utf8(digits).ok()?;
    let code = u8::from_str_radix(digits, 16).ok()?;
    matches!(code, b'!'..=b'~').then_some((code, length))
}

/// The length of a joint: a closing quote, blanks, one sign, a line end or none, and a quote; the start of a literal
/// or the end of one inside of a template; a backslash at the end of a line, inside of a literal; or a character that
/// nobody sees.
fn joint(text: &[u8], how: Joining) -> Option<usize> {
    let quote = *text.first()?;
    if quote == b'\\' {
        let line_end = match text.get(1)? {
            b'\n' => 2,
            b'\r' if text.get(2) == Some(&b'\n') => 3,
            _ => return None,
        };
        let blanks = text[line_end..].iter().take(MOST_BLANKS);
        return Some(line_end + blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count());
    }
    match text {
        [b'$', b'{', b'"' | b'\'' | b'`', ..] => return Some(3),
        [b'"' | b'\'', b'}', b'$', b'{', b'"' | b'\'', ..] if how.inserted => return Some(5),
        [b'"' | b'\'', b'}', next, ..] if how.inserted && is_word(*next) => return Some(2),
        [b'"' | b'\'' | b'`', ..] => {}
        [0xc2 | 0xe2 | 0xef, ..] => {
            return UNSEEN
                .iter()
                .find(|unseen| text.starts_with(unseen))
                .map(|unseen| unseen.len());
        }
        _ => return None,
    }
    let window = &text[1..text.len().min(MOST_BLANKS)];
    let mut lines = 0;
    let mut sign = None;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'\n' if lines == 0 => lines = 1,
            b' ' | b'\t' | b'\r' => {}
            // A comma is a joint only where it stands alone, and then it is a list.
            b'+' | b'.' | b'\\' | b'&' if sign.is_none() => sign = Some(*byte),
            b'"' | b'\'' | b'`' => {
                let added = matches!(sign, Some(b'+'))
                    || *byte == quote && (matches!(sign, Some(b'.' | b'&')) || lines == 1 && sign.is_some());
                let below = lines == 1 && *byte == quote && !is_key(&text[at + 2..], quote);
                let adjacent = how.adjacent && sign.is_none() && lines == 0 && at > 0;
                return (added || below || adjacent).then_some(at + 2);
            }
            _ => return None,
        }
    }
    None
}

/// Whether a literal that starts here is followed by a sign, so that it names something.
fn is_key(text: &[u8], quote: u8) -> bool {
    let window = &text[..text.len().min(MOST_BLANKS)];
    memchr::memchr(quote, window).is_some_and(|end| {
        let next = window[end + 1..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        next.is_some_and(|byte| matches!(byte, b':' | b'='))
    })
}

/// Where the `start` of a piece of a joined text stands in the text with its joints.
pub fn unjoined_start(start: usize, borders: &[Border]) -> usize {
    start
        + borders
            .iter()
            .filter(|(place, _)| *place <= start)
            .map(|(_, length)| length)
            .sum::<usize>()
}

/// Where the `end` of a joined text stands in the text with its joints.
pub fn unjoined(end: usize, borders: &[Border]) -> usize {
    end + borders
        .iter()
        .filter(|(place, _)| *place < end)
        .map(|(_, length)| length)
        .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_over_several_lines_are_joined_and_their_places_kept() {
        for (text, plain) in [
            ("ab\" +\n  \"cd\";", "abcd"),
            ("ab' \\\r\n'cd'", "abcd"),
            ("a\"\n\"b\"\n\"c\"", "abc"),
            ("a%2Fb%3dc", "a/b=c"),
            ("12%3AAA", "12:AA"),
            ("ab\\\n  cd", "abcd"),
            ("ab\\\r\ncd'", "abcd"),
            ("ab' + 'cd'", "abcd"),
            ("ab\"+'c' + `d`", "abcd"),
            ("ab${'cd'}`", "abcd"),
            ("ab' . 'cd'", "abcd"),
            ("a\u{200b}b\u{feff}c\u{ad}d\"", "abcd"),
            ("a\\x62\\u0063\\u{64}e'", "abcde"),
        ] {
            let (joined, borders) = joined(text.as_bytes(), usize::MAX, Joining::default()).unwrap();
            assert_eq!(joined, plain.as_bytes(), "{text}");
            let end = unjoined(plain.len(), &borders);
            assert_eq!(text.as_bytes()[end - 1], plain.as_bytes()[plain.len() - 1]);
        }
        for text in [
            "ab",
            "ab\", \"cd\"",
            "ab\",\n\"cd\"",
            "ab\"\n\n\"cd\"",
            "ab\"\n\"cd\": 1",
            "\"",
            "a\"\n'b'",
            "a\\n",
            "a\\",
            "ab\" \"cd\"",
            "ab\" + b + \"cd\"",
            "ab\" ++ \"cd\"",
            "a\\x",
            "a\\x6",
            "a\\xzz",
            "a\\u{1f600}",
            "a\\u00e9",
            "a\\x0a",
            "a${b}",
            "ab'}cd",
            "a\u{e9}b",
            "a\u{2019}b",
        ] {
            assert_eq!(joined(text.as_bytes(), usize::MAX, Joining::default()), None, "{text}");
        }
    }
    #[test]
    fn what_a_language_joins_is_joined_there_only() {
        let joined = |text: &str, how| joined(text.as_bytes(), usize::MAX, how).map(|(plain, _)| plain);
        let adjacent = Joining {
            adjacent: true,
            inserted: false,
        };
        assert_eq!(joined("ab\" \"cd\"", adjacent).unwrap(), b"abcd");
        assert_eq!(joined("ab' \"cd\"\n  \"ef'", adjacent).unwrap(), b"abcdef");
        // The next line may be another statement, or name something.
        for text in [
            "ab\"\n'cd'",
            "ab\"\n\"cd\": 1",
            "ab\"\"cd\"",
            "ab\", \"cd\"",
            "ab\" x \"cd\"",
            "ab\" - \"cd\"",
        ] {
            assert_eq!(joined(text, adjacent), None, "{text}");
        }
        let inserted = Joining {
            adjacent: false,
            inserted: true,
        };
        assert_eq!(joined("ab'}cd${\"e\"}f`", inserted).unwrap(), b"abcdef");
        assert_eq!(joined("a'}${'b'}c`", inserted).unwrap(), b"abc");
        assert_eq!(joined("ab'} cd`", inserted), None);
    }
}
