//! Private keys over several lines, or in one line with `\n` between the lines.

use super::super::candidate::{Candidate, RANK_FORMAT};
use super::super::rule::Rule;
use super::super::severity::Severity;

/// The largest key that anyone writes; a chain of RSA-16384 keys stays below.
const LONGEST: usize = 64 * 1024;
/// Fewer characters hold no key.
const SHORTEST: usize = 40;

/// A key between `-----BEGIN …-----` and `-----END …-----`.
pub fn confirm(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let opening = rule.prefix.iter().find(|prefix| text[at..].starts_with(prefix))?;
    let body = at + opening.len();
    let limit = text.len().min(body + LONGEST);
    let mut index = body;
    let mut letters = 0_usize;
    let mut last = body;
    let mut closed = false;
    while index < limit {
        match text[index] {
            b'-' if text[index..limit].starts_with(b"-----") => {
                closed = text[index..limit].starts_with(b"-----END");
                break;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' => {
                letters += 1;
                last = index + 1;
            }
            // Line ends and their escapes, headers, quotes and joints of string literals, marks of a quotation.
            b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b':' | b',' | b'-' | b'.' | b'(' | b')' | b'"' | b'\'' | b'>'
            | b'#' | b'*' | b'|' | b'`' | b'_' | b'@' | b';' => {}
            _ => break,
        }
        index += 1;
    }
    if letters < SHORTEST || longest_line(&text[body..last]) < 24 {
        return None;
    }
    let end = if closed { closing(text, index) } else { last };
    if !closed && letters < 4 * SHORTEST {
        return None;
    }
    let mut candidate = Candidate::of(&rule.info, at..end, RANK_FORMAT);
    if !closed {
        candidate.confidence = 0.6;
    }
    if memchr::memmem::find(&text[body..last.min(body + 200)], b"ENCRYPTED").is_some() {
        candidate.severity = candidate.severity.min(Severity::Medium);
    }
    Some(candidate)
}

/// The end of the line that closes a key, which starts at `at`.
fn closing(text: &[u8], at: usize) -> usize {
    let line = &text[at + 5..text.len().min(at + 80)];
    memchr::memmem::find(line, b"-----").map_or(at + 5 + b"-END".len() - 1, |found| at + 5 + found + 5)
}

/// The longest run of base64, which a text of words does not have.
fn longest_line(body: &[u8]) -> usize {
    body.split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')))
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

/// A `PuTTY` key file: its private lines, up to its authentication code.
pub fn confirm_putty(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let file = &text[at..text.len().min(at + LONGEST)];
    // Another file's start ends this one, so that many starts in a row cost no more than one.
    let file = memchr::memmem::find(&file[1..], b"PuTTY-User-Key-File-").map_or(file, |next| &file[..=next]);
    let head = &file[..file.len().min(4_096)];
    let lines = memchr::memmem::find(head, b"Private-Lines:")?;
    let rest = &file[lines..file.len().min(lines + 16 * 1024)];
    // Without its authentication code the file is cut off.
    let code = memchr::memmem::find(rest, b"Private-MAC:").or_else(|| memchr::memmem::find(rest, b"Private-Hash:"));
    let line = &rest[code?..];
    let length = line
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\\' | b'<'))
        .unwrap_or(line.len());
    let end = lines + rest.len() - line.len() + length;
    if longest_line(&file[lines..end]) < 24 {
        return None;
    }
    let mut candidate = Candidate::of(&rule.info, at..at + end, RANK_FORMAT);
    if memchr::memmem::find(head, b"Encryption: none").is_none() {
        candidate.severity = Severity::Medium;
    }
    Some(candidate)
}
