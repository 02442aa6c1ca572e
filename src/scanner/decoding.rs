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
