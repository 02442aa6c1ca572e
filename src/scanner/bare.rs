//! Values without quotes in a source file, where most are expressions.

use super::decoding::starts_text;
use super::sweep::Kinds;

/// Where `is_value` may hold behind a sign, by what is known of the block.
#[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
#[inline(always)]
pub const fn values(kinds: &Kinds) -> u64 {
    // Whether one of the next six or twelve bytes is of the kind; nothing is known after the block.
    let (code, other) = (kinds.code, !(kinds.token | kinds.sign));
    let two = [code | code >> 1, other | other >> 1];
    let four = [two[0] | two[0] >> 2, two[1] | two[1] >> 2];
    let (six, twelve) = (four[0] | two[0] >> 4, four[1] | four[1] >> 4 | four[1] >> 8);
    let blank = kinds.blank >> 1 | 1 << 63;
    let value = !(six >> 1) | blank & !(six >> 2);
    // The first, the fifth and the ninth byte of base64 that says text; after the block any may be one.
    let text = kinds.base64 & (kinds.base64 >> 4 | 15 << 60) & (kinds.base64 >> 8 | 255 << 56);
    let base64 = !(twelve >> 1) & (text >> 1 | 1 << 63) | blank & !(twelve >> 2) & (text >> 2 | 3 << 62);
    let capital = kinds.capital << 1 | 1 | (kinds.blank << 1 | 1) & (kinds.blank << 2 | kinds.capital << 2 | 3);
    value & (base64 | capital | kinds.equal & (!blank | 1 << 63)) & !tiny(kinds)
}

/// Where the name before a sign has one or two letters, which say nothing; a type that short, as in `name: T=`, is
/// no name.
const fn tiny(kinds: &Kinds) -> u64 {
    let code = kinds.code & !(kinds.blank & kinds.sign << 1);
    kinds.word << 1 & (code << 2 | kinds.word << 2 & code << 3)
}

/// Whether the value behind a sign may be judged without quotes in a source file: the name is a
/// variable's of the environment, no blank stands between, or the value may be base64 of text.
pub fn is_value(text: &[u8], at: usize) -> bool {
    let blank = usize::from(text.get(at + 1) == Some(&b' '));
    let value = &text[(at + 1 + blank).min(text.len())..];
    let sign = |byte: &u8| {
        matches!(
            byte,
            b'"' | b'\'' | b'`' | b'\\' | b';' | b',' | b'&' | b'|' | b'<' | b'=' | b'>'
        )
    };
    let bracket = |byte: &u8| matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}');
    let code = |byte: &u8| byte.is_ascii_whitespace() || sign(byte) || bracket(byte);
    let Some(start) = value.first_chunk::<6>() else {
        return false;
    };
    if start.iter().any(code) {
        return false;
    }
    let name = text[..at].trim_ascii_end().last().copied().unwrap_or(b' ');
    let capital = name.is_ascii_uppercase() || name.is_ascii_digit() || name == b'_';
    capital || blank == 0 && text[at] == b'=' || value.first_chunk().is_some_and(is_base64_of_text)
}

/// Whether a value may start so that is text in base64.
fn is_base64_of_text(value: &[u8; 12]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    value.iter().all(part) && value.iter().step_by(4).all(|first| starts_text(*first))
}
