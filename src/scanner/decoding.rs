//! Text inside of other encodings: UTF-16 files, and base64 that hides a token.

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

/// What a run of base64 says, where it is text.
pub fn hidden_text(text: &[u8], run: &Range<usize>) -> Option<Vec<u8>> {
    let run = &text[run.clone()];
    let printable = |bytes: &[u8]| {
        bytes
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    };
    let taste = BASE64.decode(run.get(..TASTE)?).ok()?;
    if !printable(&taste) {
        return None;
    }
    BASE64.decode(run).ok().filter(|decoded| printable(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

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
