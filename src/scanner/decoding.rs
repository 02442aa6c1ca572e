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

const OF_ADDRESSES: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
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
    if start.iter().step_by(4).all(|first| starts_text(*first)) {
        let text_of = |engine: &GeneralPurpose, part: &[u8]| engine.decode(part).ok().filter(|text| is_printable(text));
        // A text has one of the two alphabets: that of addresses where it has one of its signs.
        let engine = match memchr::memchr2(b'-', b'_', run) {
            Some(_) => &OF_ADDRESSES,
            None => &BASE64,
        };
        if text_of(engine, start).is_some() {
            return text_of(engine, run);
        }
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

/// Lengths of the lines into which base64 is cut.
const LINES: std::ops::RangeInclusive<usize> = 60..=80;
/// Longer texts are data.
const LONGEST: usize = 16 * 1024;

/// What several lines of base64 say of which this run is the first, and where the last one ends.
pub fn wrapped_text(text: &[u8], run: &Range<usize>) -> Option<(Vec<u8>, usize)> {
    let length = run.len();
    if !LINES.contains(&length) || !length.is_multiple_of(4) {
        return None;
    }
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    let blanks = text[..run.start].iter().rev().take_while(|byte| **byte == b' ').count();
    let above = text[..run.start - blanks].strip_suffix(b"\n")?;
    let above = above.strip_suffix(b"\r").unwrap_or(above);
    if above.iter().rev().take_while(part).count() == length {
        return None;
    }
    let mut all = text[run.clone()].to_vec();
    let mut end = run.end;
    while all.len() < LONGEST {
        let rest = &text[end..];
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let Some(line) = rest.strip_prefix(b"\n") else { break };
        let line = &line[line.iter().take(blanks).take_while(|byte| **byte == b' ').count()..];
        let count = line.iter().take_while(part).count();
        let ends = line
            .get(count)
            .is_none_or(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\''));
        if count == 0 || count > length || !ends {
            break;
        }
        all.extend_from_slice(&line[..count]);
        end = text.len() - line.len() + count;
        if count < length {
            break;
        }
    }
    (end > run.end).then_some(())?;
    plain_text(&all).map(|plain| (plain, end))
}

/// What a whole value says in either kind of base64, where it is text of more than a few characters.
pub fn plain_text(value: &[u8]) -> Option<Vec<u8>> {
    let bytes = value.trim_ascii_end();
    if bytes.len() < 12
        || !bytes.iter().step_by(4).take(3).all(|first| starts_text(*first))
        || !bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'))
    {
        return None;
    }
    let engine = match memchr::memchr2(b'-', b'_', bytes) {
        Some(_) => &OF_ADDRESSES,
        None => &BASE64,
    };
    engine.decode(bytes).ok().filter(|decoded| is_printable(decoded))
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

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
