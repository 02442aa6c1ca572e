//! Signed tokens: only those whose header and payload are JSON.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::super::boundary;
use super::super::candidate::{Candidate, RANK_FORMAT};
use super::super::rule::Rule;
use super::super::severity::Severity;

const LONGEST: usize = 16 * 1024;

const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A token whose header starts at `at`.
pub fn confirm(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    if !boundary::starts(text, at, b".-") {
        return None;
    }
    let window = &text[at..text.len().min(at + LONGEST)];
    let (first, rest) = part(window)?;
    let (payload, rest) = part(rest)?;
    let signature = rest.iter().take_while(|byte| is_base64_url(**byte)).count();
    if signature < 16 || first.len() > 2_048 {
        return None;
    }
    let head = object(first)?;
    let claims = object(payload)?;
    head.get("alg")?.as_str()?;
    let end = at + window.len() - rest.len() + signature;
    let mut found = Candidate::of(&rule.info, at..end, RANK_FORMAT);
    let granted = claims.get("role").and_then(Value::as_str);
    if granted == Some("anon") || is_documented(&claims) {
        return Some(found.doubtful());
    }
    if granted == Some("service_role") {
        found.severity = Severity::Critical;
    }
    Some(found)
}

/// What stands before the next dot, and what after it.
fn part(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text.iter().take_while(|byte| is_base64_url(**byte)).count();
    (length >= 4 && text.get(length) == Some(&b'.')).then(|| (&text[..length], &text[length + 1..]))
}

const fn is_base64_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn object(encoded: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&BASE64_URL.decode(encoded).ok()?).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The token that every tutorial shows.
fn is_documented(payload: &Map<String, Value>) -> bool {
    payload.get("sub").and_then(Value::as_str) == Some("1234567890") && payload.len() <= 4
}
