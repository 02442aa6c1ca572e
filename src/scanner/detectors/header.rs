//! `Authorization` headers.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::super::boundary;
use super::super::candidate::{Candidate, RANK_CONTEXT, RANK_STRUCTURE};
use super::super::placeholder::{is_placeholder, is_sample_token};
use super::super::randomness::{Shape, entropy};
use super::super::rule::Rule;

const LONGEST: usize = 2_048;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `Basic` with a user and a password.
pub fn basic(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let (start, token) = token(rule, text, at, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
    })?;
    if token.len() < 8 {
        return None;
    }
    let decoded = BASE64.decode(token).ok()?;
    let (user, password) = decoded.split_at_checked(memchr::memchr(b':', &decoded)?)?;
    let password = &password[1..];
    let printable = std::str::from_utf8(&decoded).is_ok_and(|text| !text.chars().any(char::is_control));
    if !printable || user.len() + password.len() < 4 {
        return None;
    }
    let candidate = Candidate::of(&rule.info, start..start + token.len(), RANK_STRUCTURE);
    let weak = (is_placeholder(password) && is_placeholder(user))
        || (password.is_empty() && user.len() < 16)
        || is_placeholder(password) && !password.is_empty();
    Some(if weak { candidate.doubtful() } else { candidate })
}

/// `Bearer` with a token that looks random.
pub fn bearer(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let (start, token) = token(rule, text, at, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
    })?;
    let shape = Shape::of(token);
    if token.len() < 20
        || shape.digits < 2
        || shape.lower + shape.upper < 4
        || entropy(token) < 3.2
        || shape.longest_word > 14
    {
        return None;
    }
    let candidate = Candidate::of(&rule.info, start..start + token.len(), RANK_CONTEXT);
    Some(if is_sample_token(token) || is_placeholder(token) {
        candidate.doubtful()
    } else {
        candidate
    })
}

/// The token after the word, whose first letter the literal leaves out so that it may have either case.
fn token<'a>(rule: &Rule, text: &'a [u8], at: usize, allowed: impl Fn(u8) -> bool) -> Option<(usize, &'a [u8])> {
    let literal = rule.prefix.iter().find(|prefix| text[at..].starts_with(prefix))?;
    let first = at.checked_sub(1)?;
    if !matches!(text[first], b'B' | b'b') || !boundary::starts(text, first, b"") {
        return None;
    }
    let start = at + literal.len();
    let window = &text[start..text.len().min(start + LONGEST)];
    let length = window.iter().take_while(|byte| allowed(**byte)).count();
    Some((start, &window[..length]))
}
