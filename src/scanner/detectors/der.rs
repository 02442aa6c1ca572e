//! DER, the notation of keys, and the ways in which its base64 is written.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
pub const SEQUENCE: u8 = 0x30;

/// What the base64 of a text says in one of the ways in which it may be written.
pub fn readings(body: &[u8]) -> Vec<Vec<u8>> {
    let pieces = pieces(body);
    // In a diff each line starts with a `+` that is none of the key's.
    let bare: Vec<&[u8]> = pieces
        .iter()
        .map(|piece| piece.strip_prefix(b"+").unwrap_or(piece))
        .collect();
    [pieces, bare]
        .iter()
        .filter_map(|pieces| BASE64.decode(pieces.concat()).ok())
        .collect()
}

/// The runs of base64 in any notation of line ends and string literals.
fn pieces(body: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < body.len() {
        if body[at] == b'\\' {
            // `\n`, also with more backslashes in a text in a text.
            at += body[at..].iter().take_while(|byte| **byte == b'\\').count();
            at += usize::from(matches!(body.get(at), Some(b'n' | b'r' | b't')));
            continue;
        }
        let length = body[at..].iter().take_while(|byte| is_base64(**byte)).count();
        // A lone `+` puts two string literals together, `//` starts a comment.
        if body[at..at + length].iter().any(u8::is_ascii_alphanumeric) {
            pieces.push(&body[at..at + length]);
        }
        at += length.max(1);
    }
    pieces
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The tags and contents inside of the one sequence that `data` is; nothing where a length does not fit.
pub fn children(data: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (tag, mut rest, after) = element(data)?;
    if tag != SEQUENCE || !after.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (tag, content, next) = element(rest)?;
        parts.push((tag, content));
        rest = next;
    }
    Some(parts)
}

/// The first element of `data`: its tag, its content and what follows.
pub fn element(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first) = (*data.first()?, usize::from(*data.get(1)?));
    let (length, from) = match first {
        0..=0x7f => (first, 2),
        0x81..=0x83 => {
            let from = 2 + (first & 0x7f);
            let bytes = data.get(2..from)?;
            (
                bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
                from,
            )
        }
        _ => return None,
    };
    let content = data.get(from..from.checked_add(length)?)?;
    Some((tag, content, &data[from + length..]))
}
