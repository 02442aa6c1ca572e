//! Whether what stands between `BEGIN` and `END` is a private key: base64 of DER with the parts that
//! its kind has, and numbers that fit together.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::number::is_product;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// The object identifier of RSA: 1.2.840.113549.1.1.1.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";

/// Whether the text after `-----BEGIN RSA PRIVATE KEY-----` and the like is a key of that kind. `None`
/// where the kind has no structure that can be read without a passphrase.
pub fn is_key(label: &[u8], body: &[u8]) -> Option<bool> {
    let starts: &[u8] = match label {
        b"RSA PRIVATE KEY" => &[INTEGER; 9],
        b"DSA PRIVATE KEY" => &[INTEGER; 6],
        b"EC PRIVATE KEY" => &[INTEGER, OCTETS],
        b"PRIVATE KEY" => &[INTEGER, SEQUENCE, OCTETS],
        b"ENCRYPTED PRIVATE KEY" => &[SEQUENCE, OCTETS],
        _ => return None,
    };
    if memchr::memmem::find(&body[..body.len().min(200)], b"Proc-Type").is_some() {
        return None;
    }
    Some(readings(body).iter().any(|data| {
        children(data).is_some_and(|parts| {
            let tags = parts.iter().map(|(tag, _)| *tag);
            tags.take(starts.len()).eq(starts.iter().copied())
                && match label {
                    b"RSA PRIVATE KEY" => is_rsa(&parts),
                    b"PRIVATE KEY" => is_wrapped(&parts),
                    _ => true,
                }
        })
    }))
}

/// Whether the modulus of a key of RSA is the product of its primes; a key may have more than two.
fn is_rsa(parts: &[(u8, &[u8])]) -> bool {
    let [(_, version), (_, modulus), _, _, (_, one), (_, other), ..] = parts else {
        return false;
    };
    *version != [0] || is_product(one, other, modulus)
}

/// Whether the key inside of PKCS#8 is one, where it is one of RSA.
fn is_wrapped(parts: &[(u8, &[u8])]) -> bool {
    let [_, (_, algorithm), (_, key), ..] = parts else {
        return false;
    };
    !algorithm.starts_with(RSA) || children(key).is_some_and(|parts| is_rsa(&parts))
}

/// What the base64 of a text says in one of the ways in which it may be written.
pub fn readings(body: &[u8]) -> Vec<Vec<u8>> {
    let pieces = pieces(body);
    // In a diff each line starts with a `+` that is none of the key's.
    let bare: Vec<&[u8]> = pieces
        .iter()
        .map(|piece| piece.strip_prefix(b"+").unwrap_or(piece))
        .collect();
    [pieces, bare]
        .iter()
        .filter_map(|pieces| BASE64.decode(pieces.concat()).ok())
        .collect()
}

/// The runs of base64 in any notation of line ends and string literals.
fn pieces(body: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < body.len() {
        if body[at] == b'\\' {
            // `\n`, also with more backslashes in a text in a text.
            at += body[at..].iter().take_while(|byte| **byte == b'\\').count();
            at += usize::from(matches!(body.get(at), Some(b'n' | b'r' | b't')));
            continue;
        }
        let length = body[at..].iter().take_while(|byte| is_base64(**byte)).count();
        // A lone `+` puts two string literals together, `//` starts a comment.
        if body[at..at + length].iter().any(u8::is_ascii_alphanumeric) {
            pieces.push(&body[at..at + length]);
        }
        at += length.max(1);
    }
    pieces
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The tags and contents inside of the one sequence that `data` is; nothing where a length does not fit.
fn children(data: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (tag, mut rest, after) = element(data)?;
    if tag != SEQUENCE || !after.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (tag, content, next) = element(rest)?;
        parts.push((tag, content));
        rest = next;
    }
    Some(parts)
}

/// The first element of `data`: its tag, its content and what follows.
fn element(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first) = (*data.first()?, usize::from(*data.get(1)?));
    let (length, from) = match first {
        0..=0x7f => (first, 2),
        0x81..=0x83 => {
            let from = 2 + (first & 0x7f);
            let bytes = data.get(2..from)?;
            (
                bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
                from,
            )
        }
        _ => return None,
    };
    let content = data.get(from..from.checked_add(length)?)?;
    Some((tag, content, &data[from + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of Ed25519 in PKCS#8, made here so that none stands in the repository.
    fn key() -> String {
        let seed: Vec<u8> = (1..=32).map(|byte| byte * 7).collect();
        let start = hex::decode("302e020100300506032b657004220420").unwrap();
        BASE64.encode([start, seed].concat())
    }

    #[test]
    fn a_key_is_known_however_its_lines_are_written() {
        let key = key();
        let (first, rest) = key.split_at(24);
        for body in [
            format!("\n{first}\n{rest}\n"),
            format!("\r\n{first}\r\n{rest}\r\n"),
            format!("\\n{first}\\n{rest}\\n"),
            format!("\\\\n{first}\\\\n{rest}\\\\n"),
            format!("\" +\n  \"{first}\" +\n  \"{rest}\" +\n"),
            format!("\n+{first}\n+{rest}\n+"),
            format!("\n// {first}\n// {rest}\n//"),
            format!(" {first} {rest} "),
        ] {
            assert_eq!(is_key(b"PRIVATE KEY", body.as_bytes()), Some(true), "{body}");
            assert_eq!(is_key(b"RSA PRIVATE KEY", body.as_bytes()), Some(false), "{body}");
        }
    }

    #[test]
    fn a_cut_or_changed_key_is_none() {
        let key = key();
        for body in [
            &key[..key.len() - 4],
            &key[4..],
            "",
            "AAAA",
            "MIIE",
            "not base 64!",
            "MIL/////",
        ] {
            assert_eq!(is_key(b"PRIVATE KEY", body.as_bytes()), Some(false), "{body}");
        }
        assert_eq!(is_key(b"PRIVATE KEY", format!("{key}AAAA").as_bytes()), Some(false));
        assert_eq!(is_key(b"PGP PRIVATE KEY BLOCK", b"AAAA"), None);
        assert_eq!(is_key(b"RSA PRIVATE KEY", b"\nProc-Type: 4,ENCRYPTED\n\nAAAA"), None);
    }

    #[test]
    fn a_key_of_rsa_is_one_where_its_modulus_is_the_product_of_its_primes() {
        let integer = |value: u8| vec![2, 1, value];
        let numbers = |numbers: [u8; 9]| numbers.into_iter().flat_map(integer).collect::<Vec<u8>>();
        let sequence = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let rsa = |modulus| sequence(SEQUENCE, &numbers([0, modulus, 3, 7, 5, 7, 3, 1, 1]));
        let wrapped = |modulus| {
            let algorithm = sequence(SEQUENCE, &[RSA, b"\x05\x00"].concat());
            sequence(
                SEQUENCE,
                &[integer(0), algorithm, sequence(OCTETS, &rsa(modulus))].concat(),
            )
        };
        for (modulus, expected) in [(35, true), (36, false)] {
            let body = |data: Vec<u8>| BASE64.encode(data).into_bytes();
            assert_eq!(is_key(b"RSA PRIVATE KEY", &body(rsa(modulus))), Some(expected));
            assert_eq!(is_key(b"PRIVATE KEY", &body(wrapped(modulus))), Some(expected));
        }
        // Three primes.
        let more = sequence(SEQUENCE, &numbers([1, 36, 3, 7, 5, 7, 3, 1, 1]));
        assert_eq!(is_key(b"RSA PRIVATE KEY", BASE64.encode(more).as_bytes()), Some(true));
    }
}
