//! What looks random and is public by its format: keys for everyone, addresses, hashes, encoded text.

use super::base58;
use super::decoding::plain_text;

/// Starts of values that are made to be shown.
const PREFIXES: &[&[u8]] = &[
    b"pk_live_",
    b"pk_test_",
    b"sb_publishable_",
    b"phc_",
    b"xpub",
    b"ypub",
    b"zpub",
    b"tpub",
    b"ssh-",
    b"ecdsa-sha2-",
    b"AAAAB3Nza",
    b"AAAAC3Nza",
    b"AAAAE2Vj",
    b"age1",
    b"data:",
    b"sha1-",
    b"sha256-",
    b"sha384-",
    b"sha512-",
];

/// Whether a value is public whatever its name says.
pub fn is_public(value: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| value.starts_with(prefix))
        // A signed token: the code that reads it has decided already.
        || value.starts_with(b"eyJ") && value.contains(&b'.')
        || value.starts_with(b"AC") && value.len() == 34 && value[2..].iter().all(u8::is_ascii_hexdigit)
        || is_address(value)
        || is_push_key(value)
        || value.len() >= 24 && plain_text(value).is_some()
}

/// An address of a chain, or the hash of a content: base 58 of a length that says what it is.
fn is_address(value: &[u8]) -> bool {
    match value.len() {
        26..=35 => base58::checked(value).is_some_and(|bytes| bytes.len() == 21),
        46 => value.starts_with(b"Qm") && base58::decode(value).is_some(),
        _ => false,
    }
}

/// What a browser subscribes to pushes with: a point of P-256, uncompressed.
fn is_push_key(value: &[u8]) -> bool {
    value.len() == 87 && value.first() == Some(&b'B') && matches!(value[1], b'A'..=b'P')
}

/// 32 or 64 bytes in base 58: an address or a signature, where no name says that it is a key.
pub fn is_base58_number(value: &[u8]) -> bool {
    matches!(value.len(), 43 | 44 | 86..=88)
        && base58::decode(value).is_some_and(|bytes| matches!(bytes.len(), 32 | 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_counterparts_are_known_and_random_values_are_not() {
        let published = ["pk", "_live_51AbCdEf"].concat();
        for value in [
            published.as_str(),
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
            "aGVsbG8gd29ybGQsIG5vdGhpbmcgdG8gc2Vl",
            "eyJhbGciOiJI.eyJzdWIi.",
        ] {
            assert!(is_public(value.as_bytes()), "{value}");
        }
        for value in ["q7Zt4Rk9Vb2Xm8Lw5PdH3sN6yJ", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"] {
            assert!(!is_public(value.as_bytes()), "{value}");
        }
        assert!(!is_base58_number(&[b'1'; 44]));
        assert!(is_base58_number(b"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"));
    }
}
