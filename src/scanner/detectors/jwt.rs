//! Signed tokens: only those whose header and payload are JSON.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::super::boundary;
use super::super::candidate::{Candidate, RANK_FORMAT};
use super::super::chain::Joined;
use super::super::pieces::{goes_on, joined, unjoined};
use super::super::rule::Rule;
use super::super::severity::Severity;
use super::Seen;

const LONGEST: usize = 16 * 1024;

const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Longer tokens are not put together from several lines.
const LONGEST_JOINED: usize = 4 * 1024;

/// With what a token starts: `{"` and a letter.
pub const HEAD: &str = "eyJ[B-Zah-z0-6][A-Za-z0-9_-]{8}";

/// A token whose header starts at `at`.
pub fn confirm(rule: &Rule, text: &[u8], at: usize, seen: &mut Seen<'_>) -> Option<Candidate> {
    if !boundary::starts(text, at, b".-") {
        return None;
    }
    let window = &text[at..text.len().min(at + LONGEST)];
    let length = window
        .iter()
        .take_while(|byte| is_base64_url(**byte) || **byte == b'.')
        .count();
    // The string literal may go on in the next line.
    let how = seen.joints.how;
    let starts = |joined: Joined<'_>| rule.head().fits_plain(&joined.text[joined.from..]);
    if goes_on(&window[length..], how) && seen.chain.at(text, at, how).is_some_and(starts) {
        let window = &window[..window.len().min(LONGEST_JOINED)];
        if let Some((joined, borders)) = joined(window, usize::MAX, how)
            && let Some(token) = Token::read(&joined)
        {
            return Some(token.candidate(rule, at..at + unjoined(token.length, &borders)));
        }
    }
    let token = Token::read(&window[..length])?;
    Some(token.candidate(rule, at..at + token.length))
}

/// Whether a text is a signed token and nothing else.
pub fn is_token(text: &[u8]) -> bool {
    Token::read(text).is_some_and(|token| token.length == text.len())
}

/// A token that was taken apart.
struct Token {
    claims: Map<String, Value>,
    length: usize,
}

impl Token {
    fn read(text: &[u8]) -> Option<Self> {
        let (first, rest) = part(text)?;
        let (payload, rest) = part(rest)?;
        let signature = rest.iter().take_while(|byte| is_base64_url(**byte)).count();
        if signature < 16 || first.len() > 2_048 {
            return None;
        }
        let head = object(first)?;
        let claims = object(payload)?;
        head.get("alg")?.as_str()?;
        Some(Self {
            claims,
            length: first.len() + payload.len() + signature + 2,
        })
    }

    fn candidate(&self, rule: &Rule, span: Range<usize>) -> Candidate {
        let mut found = Candidate::of(&rule.info, span, RANK_FORMAT);
        let granted = self.claims.get("role").and_then(Value::as_str);
        if granted == Some("anon") || is_documented(&self.claims) {
            return found.doubtful();
        }
        if granted == Some("service_role") {
            found.severity = Severity::Critical;
        }
        found.expires = self.claims.get("exp").and_then(seconds);
        found
    }
}

/// A time as RFC 7519 has it: a number of seconds, which may have a fraction.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
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

/// The token that every tutorial shows, and those of a local Supabase, which are the same for everyone.
fn is_documented(payload: &Map<String, Value>) -> bool {
    payload.get("iss").and_then(Value::as_str) == Some("supabase-demo")
        || payload.get("sub").and_then(Value::as_str) == Some("1234567890") && payload.len() <= 4
}
