//! What a run of token characters is: a Bitcoin key, a 256-bit key, or a token that only its
//! neighbourhood names.

use std::ops::Range;

use super::super::base58;
use super::super::bigram::reads_like_words;
use super::super::boundary;
use super::super::candidate::{Candidate, RANK_CONTEXT, RANK_FORMAT};
use super::super::context::near;
use super::super::placeholder::is_sample_token;
use super::super::randomness::{Shape, entropy};
use super::super::rule::Rule;

/// A key in the format that wallets import: its checksum decides.
pub fn wif(rule: &Rule, text: &[u8], run: Range<usize>) -> Option<Candidate> {
    let token = &text[run.clone()];
    let length_fits = match token.first()? {
        b'5' => token.len() == 51,
        b'K' | b'L' => token.len() == 52,
        _ => false,
    };
    if !length_fits {
        return None;
    }
    let payload = base58::decode(token)?;
    let candidate = Candidate::of(&rule.info, run, RANK_FORMAT);
    let right = payload.first() == Some(&0x80) && base58::checked(token).is_some();
    Some(if right { candidate } else { candidate.doubtful() })
}

/// 64 hex digits after a word that says private key.
pub fn evm(rule: &Rule, text: &[u8], run: Range<usize>) -> Option<Candidate> {
    let token = &text[run.clone()];
    let digits = token
        .strip_prefix(b"0x")
        .or_else(|| token.strip_prefix(b"0X"))
        .unwrap_or(token);
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) || !near(rule, text, run.start) {
        return None;
    }
    // Above the order of the curve it is no key.
    if digits[..32].iter().all(|digit| matches!(digit, b'f' | b'F')) || Shape::of(digits).distinct < 8 {
        return None;
    }
    Some(Candidate::of(&rule.info, run, RANK_CONTEXT))
}

/// A token without a prefix, which a word before it names.
pub fn contextual(rule: &Rule, text: &[u8], run: Range<usize>) -> Option<Candidate> {
    let token = &text[run.clone()];
    if !boundary::ends(text, run.end) || !near(rule, text, run.start) {
        return None;
    }
    let found = rule.pattern()?.find(token)?;
    if found.end() != token.len() || entropy(token) < rule.entropy {
        return None;
    }
    let shape = Shape::of(token);
    if shape.digits == 0 || shape.lower + shape.upper == 0 || is_sample_token(token) || reads_like_words(token) {
        return None;
    }
    Some(Candidate::of(&rule.info, run, RANK_CONTEXT))
}
