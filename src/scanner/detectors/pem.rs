//! Private keys over several lines, or in one line with `\n` between the lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::candidate::{Candidate, RANK_FORMAT};
use super::super::rule::Rule;
use super::super::severity::Severity;
use super::der::readings;
use super::key;
use super::ssh::{self, State};
use super::sums::Sums;

/// The largest key that anyone writes; a chain of RSA-16384 keys stays below.
pub const LONGEST: usize = 64 * 1024;
/// The confidence of what is no whole key.
const MALFORMED: f64 = 0.4;
/// Fewer characters hold no key.
const SHORTEST: usize = 40;

/// A key between `-----BEGIN …-----` and `-----END …-----`.
pub fn confirm(rule: &Rule, text: &[u8], at: usize, sums: &mut Sums) -> Option<Candidate> {
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
    let label = opening.strip_prefix(b"-----BEGIN ".as_slice()).unwrap_or(opening);
    let label = label.strip_suffix(b"-----").unwrap_or(label);
    if closed && opening.ends_with(b"PGP PRIVATE KEY BLOCK-----") && !armour_holds(&text[body..index]) {
        return Some(Candidate::of(&rule.info, at..closing(text, index), RANK_FORMAT).doubtful());
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
    let whole = match label {
        b"OPENSSH PRIVATE KEY" => {
            let states: Vec<State> = readings(&text[body..index])
                .iter()
                .map(|data| ssh::openssh(data, sums))
                .collect();
            if states.contains(&State::Encrypted) {
                candidate.severity = candidate.severity.min(Severity::Medium);
            }
            states.iter().any(|state| *state != State::Broken)
        }
        _ => key::is_key(label, &text[body..index], sums) != Some(false),
    };
    Some(if closed && !whole {
        malformed(candidate, &text[body..index])
    } else {
        candidate
    })
}

/// What is no whole key: cut, changed, or made up. It opens nothing as it stands, but somebody took it from
/// a key. Where no line ends after `BEGIN`, it is what documentation shows in a sentence.
pub fn malformed(mut candidate: Candidate, body: &[u8]) -> Candidate {
    let opening = body.iter().find(|byte| !matches!(byte, b' ' | b'\r' | b'"' | b'\''));
    if !matches!(opening, Some(b'\n' | b'\\')) {
        return candidate.doubtful();
    }
    candidate.severity = candidate.severity.min(Severity::Medium);
    candidate.confidence = MALFORMED;
    candidate
}

/// Whether the checksum at the end of `OpenPGP`'s armour is right; newer files may leave it out.
fn armour_holds(body: &[u8]) -> bool {
    let text: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b' ' | b'\t'))
        .collect();
    let text = String::from_utf8_lossy(&text).replace("\\n", "\n");
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '=')))
        .collect();
    let Some(place) = lines.iter().position(|line| line.len() == 5 && line.starts_with('=')) else {
        return true;
    };
    // Headers such as `Version: …` end at an empty line.
    let from = lines[..place]
        .iter()
        .rposition(|line| line.is_empty())
        .map_or(0, |at| at + 1);
    let (Ok(data), Ok(check)) = (
        BASE64.decode(lines[from..place].concat()),
        BASE64.decode(&lines[place][1..]),
    ) else {
        return true;
    };
    crc24(&data).to_be_bytes()[1..] == check[..]
}

fn crc24(data: &[u8]) -> u32 {
    let mut value = 0x00b7_04ce_u32;
    for byte in data {
        value ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            value <<= 1;
            if value & 0x0100_0000 != 0 {
                value ^= 0x0186_4cfb;
            }
        }
    }
    value & 0x00ff_ffff
}

/// The end of the line that closes a key, which starts at `at`.
fn closing(text: &[u8], at: usize) -> usize {
    let line = &text[at + 5..text.len().min(at + 80)];
    memchr::memmem::find(line, b"-----").map_or(at + 5 + b"-END".len() - 1, |found| at + 5 + found + 5)
}

/// The longest run of base64, which a text of words does not have.
pub fn longest_line(body: &[u8]) -> usize {
    body.split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')))
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}
