//! Text inside of other encodings: UTF-16 files, and base64 or hex that hides a token.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How much of a run is decoded to see whether it is text at all.
const TASTE: usize = 32;

/// The bytes of a file as UTF-8: a file in UTF-16 with its mark is converted.
pub fn to_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(bytes),
    };
    let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}

/// Whether three characters of text may start with this one in base64: their highest bit is never set, and few are
/// below the blank.
pub const fn starts_text(first: u8) -> bool {
    matches!(first, b'C' | b'D' | b'I'..=b'Z' | b'a'..=b'f')
}

/// What a run of base64 or of hex digits says, where it is text.
pub fn hidden_text(text: &[u8], run: &Range<usize>) -> Option<Vec<u8>> {
    let run = &text[run.clone()];
    let start = run.get(..TASTE)?;
    let may_be_text = start.iter().step_by(4).all(|first| starts_text(*first));
    if may_be_text && BASE64.decode(start).is_ok_and(|taste| is_printable(&taste)) {
        return BASE64.decode(run).ok().filter(|decoded| is_printable(decoded));
    }
    if !start[..4]
        .iter()
        .all(|digit| digit.is_ascii_hexdigit() || *digit == b'x')
    {
        return None;
    }
    let digits = run.strip_prefix(b"0x").unwrap_or(run);
    // A hash is drawn from all bytes, so its first ones already are no text.
    let taste = hex::decode(digits.get(..TASTE / 2)?).ok()?;
    if is_printable(&taste) {
        return hex::decode(digits).ok().filter(|decoded| is_printable(decoded));
    }
    None
}

/// What a whole value says in either kind of base64, where it is text of more than a few characters.
pub fn plain_text(value: &[u8]) -> Option<Vec<u8>> {
    let bytes = value.trim_ascii_end();
    if bytes.len() < 12
        || !bytes.iter().step_by(4).take(3).all(|first| starts_text(*first))
        || !bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    {
        return None;
    }
    BASE64.decode(bytes).ok().filter(|decoded| is_printable(decoded))
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// Where two string literals are put together, after how many characters and how long the joint is.
pub type Border = (usize, usize);

/// How far the parts of a joint may be apart.
const MOST_BLANKS: usize = 80;
/// The most pieces and escapes of one token.
const PIECES: usize = 128;

/// The text of a literal that goes on over several lines, `"ab" +⏎ "cd"` or `ab\\⏎cd`, without the joints
/// between, and with the escapes `%2B`, `%2F`, `%3A` and `%3D` taken back, as far as `most` bytes; nothing where
/// there is none.
pub fn joined(text: &[u8], most: usize) -> Option<(Vec<u8>, Vec<Border>)> {
    let mut out = Vec::new();
    let mut borders = Vec::new();
    let mut from = 0;
    let sign = |byte: &u8| may_join(*byte);
    while borders.len() < PIECES && out.len() < most {
        let Some(at) = text[from..].iter().take(most - out.len()).position(sign) else {
            break;
        };
        out.extend_from_slice(&text[from..from + at]);
        from += at;
        if let Some(character) = escape(&text[from..]) {
            borders.push((out.len(), 2));
            out.push(character);
            from += 3;
        } else if let Some(length) = joint(&text[from..]) {
            borders.push((out.len(), length));
            from += length;
        } else {
            return (!borders.is_empty()).then_some((out, borders));
        }
    }
    if borders.is_empty() {
        return None;
    }
    let rest = &text[from..text.len().min(from.saturating_add(most.saturating_sub(out.len())))];
    out.extend_from_slice(&rest[..rest.iter().position(sign).unwrap_or(rest.len())]);
    Some((out, borders))
}

/// Whether an escape or a joint may start with a byte.
pub const fn may_join(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'%' | b'\\')
}

/// Whether a token goes on behind an escape or a joint.
pub fn goes_on(text: &[u8]) -> bool {
    escape(text).is_some() || joint(text).is_some()
}

/// The character of an escape that tokens need in an address.
fn escape(text: &[u8]) -> Option<u8> {
    match text.get(..3)? {
        b"%2B" | b"%2b" => Some(b'+'),
        b"%2F" | b"%2f" => Some(b'/'),
        b"%3A" | b"%3a" => Some(b':'),
        b"%3D" | b"%3d" => Some(b'='),
        _ => None,
    }
}

/// The length of a joint: a closing quote, blanks, one sign, a line end, the same quote; or a backslash
/// at the end of a line, inside of a literal.
fn joint(text: &[u8]) -> Option<usize> {
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
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let window = &text[1..text.len().min(MOST_BLANKS)];
    let mut lines = 0;
    let mut signs = 0;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'\n' => lines += 1,
            b' ' | b'\t' | b'\r' => {}
            b'+' | b'.' | b'\\' | b'&' | b',' => signs += 1,
            byte if *byte == quote && lines == 1 && (signs > 0 || !is_key(&text[at + 2..], quote)) => {
                return Some(at + 2);
            }
            _ => return None,
        }
        // A comma is a joint only where it stands alone, and then it is a list.
        if signs > 1 || *byte == b',' {
            return None;
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
        ] {
            let (joined, borders) = joined(text.as_bytes(), usize::MAX).unwrap();
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
        ] {
            assert_eq!(joined(text.as_bytes(), usize::MAX), None, "{text}");
        }
    }

    #[test]
    fn only_text_is_plain() {
        assert_eq!(
            plain_text(b"aGVsbG8gd29ybGQ=").as_deref(),
            Some(b"hello world".as_slice())
        );
        assert_eq!(plain_text(b"q7Zt4Rk9Vb2Xm8Lw"), None);
        assert_eq!(plain_text(b"short"), None);
    }

    #[test]
    fn both_orders_of_utf16_become_text() {
        let text = "a\u{1f600}é";
        for (mark, order) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let bytes: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(order)).collect();
            assert_eq!(&*to_utf8(&bytes), text.as_bytes());
        }
        assert_eq!(&*to_utf8(b"plain"), b"plain");
        assert_eq!(&*to_utf8(b"\xff\xfea"), b"");
    }
}
