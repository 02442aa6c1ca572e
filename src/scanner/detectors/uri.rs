//! Connection strings: the password between the user and the host.

use std::borrow::Cow;

use super::super::boundary;
use super::super::candidate::{Candidate, RANK_STRUCTURE};
use super::super::placeholder::is_placeholder;
use super::super::rule::Rule;
use super::super::severity::Severity;

const LONGEST: usize = 512;

/// A string whose `://` stands at `at`.
pub fn confirm(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let last = text[at.checked_sub(1)?].to_ascii_lowercase();
    // `jdbc:postgresql`, `\npostgres` in a JSON text and the like end in the scheme that matters.
    if !rule.schemes.iter().any(|known| {
        known.as_bytes().last() == Some(&last)
            && at.checked_sub(known.len()).is_some_and(|start| {
                text[start..at].eq_ignore_ascii_case(known.as_bytes()) && boundary::starts(text, start, b"+-")
            })
    }) {
        return None;
    }
    // `://`, or as JSON and addresses in addresses write it.
    let literal = rule
        .prefix
        .iter()
        .find(|prefix| boundary::stands_at(text, at, prefix))?;
    let escaped = literal.first() == Some(&b'%');
    let (colon, sign) = if escaped {
        (b"%3A".as_slice(), b"%40".as_slice())
    } else {
        (b":".as_slice(), b"@".as_slice())
    };
    let start = at + literal.len();
    let authority = authority(&text[start..text.len().min(start + LONGEST)], escaped);
    // Most addresses have no user.
    if !escaped && memchr::memchr(b'@', authority).is_none() {
        return None;
    }
    // A password may hold an unescaped `@`: the host stands after the last one.
    let border = memchr::memmem::rfind(authority, sign)?;
    let (user, password) = authority[..border].split_at_checked(memchr::memmem::find(&authority[..border], colon)?)?;
    let password = &password[colon.len()..];
    let host = &authority[border + sign.len()..];
    if password.is_empty()
        || !host
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b'$' | b'{' | b'%'))
    {
        return None;
    }
    let from = start + user.len() + colon.len();
    let mut candidate = Candidate::of(&rule.info, from..from + password.len(), RANK_STRUCTURE);
    let plain = unescaped(password);
    if is_placeholder(&plain) || password.eq_ignore_ascii_case(user) || is_template(&plain) {
        return Some(candidate.doubtful());
    }
    let name = host.split(|byte| *byte == b':').next().unwrap_or(host);
    if name == b"localhost" || name.starts_with(b"127.") || name.starts_with(b"[::1") || name.starts_with(b"0.0.0.0") {
        candidate.severity = Severity::Low;
        candidate.confidence = 0.5;
    } else if name.ends_with(b"example.com") || name == b"host" || name == b"hostname" {
        candidate.severity = Severity::Low;
        candidate.confidence = 0.3;
    }
    Some(candidate)
}

/// Everything up to the path, a quote or a blank; in an address also up to the next of its fields.
fn authority(text: &[u8], escaped: bool) -> &[u8] {
    let path = if escaped {
        memchr::memmem::find(text, b"%2F")
    } else {
        None
    };
    let text = &text[..path.unwrap_or(text.len())];
    let length = text
        .iter()
        .position(|byte| {
            matches!(
                byte,
                b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>' | b'|'
            ) || escaped && *byte == b'&'
                || byte.is_ascii_whitespace()
                || *byte < b' '
        })
        .unwrap_or(text.len());
    &text[..length]
}

/// Without the escapes of an address: `%7Bname%7D` is a place to fill in.
fn unescaped(password: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Vec::new();
    let mut from = 0;
    for at in memchr::memchr_iter(b'%', password) {
        let byte = password.get(at + 1..at + 3).and_then(|digits| hex::decode(digits).ok());
        if let (Some(byte), true) = (byte, at >= from) {
            plain.extend_from_slice(&password[from..at]);
            plain.extend(byte);
            from = at + 3;
        }
    }
    if from == 0 {
        return Cow::Borrowed(password);
    }
    plain.extend_from_slice(&password[from..]);
    Cow::Owned(plain)
}

/// A variable of a template or of a format string, alone or glued together.
fn is_template(password: &[u8]) -> bool {
    password.starts_with(b"$")
        || password.starts_with(b"{")
        || password.starts_with(b"%s")
        || password.contains(&b'{')
        || password.starts_with(b":")
}
