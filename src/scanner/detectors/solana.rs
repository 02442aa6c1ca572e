//! Key pairs of Solana: 64 bytes, of which the last 32 are the public key of the first 32. Signatures
//! have the same shape, and fail that check.

use std::cell::RefCell;
use std::ops::Range;

use curve25519_dalek::edwards::EdwardsPoint;
use sha2::{Digest, Sha512};

use super::super::base58;
use super::super::candidate::{Candidate, RANK_FORMAT};
use super::super::rule::Rule;

/// 64 numbers of up to three digits, with a comma and blanks between.
const LONGEST: usize = 64 * 12;
/// 64 numbers of one digit with a comma between.
const FEWEST: usize = 64 + 63;

thread_local! {
    /// The last text that was none: the curve takes a hundred times as long as all else that is asked of a run, and
    /// what is repeated need not be asked again.
    static REFUSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A pair in base 58.
pub fn confirm(rule: &Rule, text: &[u8], run: Range<usize>) -> Option<Candidate> {
    let token = &text[run.clone()];
    if !(86..=88).contains(&token.len()) {
        return None;
    }
    if !base58::is_text(token) {
        return None;
    }
    let known = REFUSED.with(|refused| refused.try_borrow().is_ok_and(|refused| refused.as_slice() == token));
    if known {
        return None;
    }
    if is_pair(&base58::decode(token)?) {
        return Some(Candidate::of(&rule.info, run, RANK_FORMAT));
    }
    REFUSED.with(|refused| {
        if let Ok(mut refused) = refused.try_borrow_mut() {
            refused.clear();
            refused.extend_from_slice(token);
        }
    });
    None
}

/// The pair that is written as a list of 64 numbers and goes on at `at`, where so many bytes that lists have
/// follow: it starts at most as many before.
pub fn around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let floor = at.saturating_sub(FEWEST.div_ceil(2));
    let start = floor + memchr::memrchr(b'[', &text[floor..at])?;
    let (bytes, length) = list(&text[start..text.len().min(start + LONGEST)])?;
    is_pair(&bytes).then(|| start..start + length)
}

/// The 64 numbers of a list, and where it ends.
fn list(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    let mut value: Option<u32> = None;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'0'..=b'9' => {
                let next = value.unwrap_or(0) * 10 + u32::from(byte - b'0');
                value = Some(next).filter(|next| *next < 256);
                value?;
            }
            b',' => bytes.push(u8::try_from(value.take()?).ok()?),
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b']' => {
                bytes.extend(value.and_then(|value| u8::try_from(value).ok()));
                return (bytes.len() == 64).then_some((bytes, at + 1));
            }
            _ => return None,
        }
        if bytes.len() > 64 {
            return None;
        }
    }
    None
}

/// Whether the second half of 64 bytes is the public key of the first.
pub fn is_pair(bytes: &[u8]) -> bool {
    let Some((seed, public)) = bytes.split_at_checked(32).filter(|_| bytes.len() == 64) else {
        return false;
    };
    let hash = Sha512::digest(seed);
    let mut scalar = [0; 32];
    scalar.copy_from_slice(&hash[..32]);
    EdwardsPoint::mul_base_clamped(scalar).compress().as_bytes() == public
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test of RFC 8032.
    fn pair() -> Vec<u8> {
        hex::decode(concat!(
            "9d61b19deffd5a60ba844af492ec2cc4",
            "4449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a",
            "0ee172f3daa62325af021a68f707511a"
        ))
        .unwrap()
    }

    #[test]
    fn only_a_seed_with_its_public_key_is_a_pair() {
        assert!(is_pair(&pair()));
        let mut other = pair();
        other[63] ^= 1;
        assert!(!is_pair(&other));
        assert!(!is_pair(&[]));
    }

    #[test]
    fn a_list_of_numbers_is_found_where_it_stands() {
        let text = format!("key = {:?};", pair());
        for at in 7..7 + 64 {
            assert_eq!(around(text.as_bytes(), at), Some(6..text.len() - 1));
        }
        for text in ["[", "[1", "[999,", "[1,2]", "[,]", "[[[[", &"[1,".repeat(900)] {
            for at in 0..=text.len() {
                assert_eq!(around(text.as_bytes(), at), None, "{text}");
            }
        }
    }
}
