//! Whether what stands between `BEGIN` and `END` is a private key: the parts that its kind has, and numbers that
//! fit together.

use super::curve::Curve;
use super::der::{SEQUENCE, children, element, readings};
use super::number::{is_dsa, is_product};
use super::solana::is_pair;
use super::sums::Sums;

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const IDENTIFIER: u8 = 0x06;
/// What an elliptic key says of itself, by their numbers.
const CURVE: u8 = 0xa0;
const PUBLIC: u8 = 0xa1;
/// The public half of a key of Ed25519, in the second version of PKCS#8.
const PUBLIC_BITS: u8 = 0x81;

/// Object identifiers of algorithms.
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";
const ELLIPTIC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const ED25519: &[u8] = b"\x2b\x65\x70";
/// Keys of these are so many bytes drawn at random.
const PLAIN: [(&[u8], usize); 4] = [
    (ED25519, 32),
    (b"\x2b\x65\x6e", 32),
    (b"\x2b\x65\x6f", 56),
    (b"\x2b\x65\x71", 57),
];

type Part<'a> = (u8, &'a [u8]);

/// Whether the text after `-----BEGIN RSA PRIVATE KEY-----` and the like is a key of that kind. `None`
/// where the kind has no structure that can be read without a passphrase.
pub fn is_key(label: &[u8], body: &[u8], sums: &mut Sums) -> Option<bool> {
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
                    b"DSA PRIVATE KEY" => is_whole_dsa(&parts, sums),
                    b"EC PRIVATE KEY" => is_elliptic(&parts, None, sums),
                    b"PRIVATE KEY" => is_wrapped(&parts, sums),
                    _ => true,
                }
        })
    }))
}

/// Whether the modulus of a key of RSA is the product of its primes; a key may have more than two.
fn is_rsa(parts: &[Part<'_>]) -> bool {
    let [(_, version), (_, modulus), _, _, (_, one), (_, other), ..] = parts else {
        return false;
    };
    *version != [0] || is_product(one, other, modulus)
}

fn is_whole_dsa(parts: &[Part<'_>], sums: &mut Sums) -> bool {
    let [_, (_, modulus), (_, order), (_, base), (_, public), (_, private)] = *parts else {
        return false;
    };
    !sums.another() || is_dsa([modulus, order, base], Some(public), private)
}

/// Whether the number of an elliptic key is one of its curve, and gives its public half where that is there.
fn is_elliptic(parts: &[Part<'_>], curve: Option<Curve>, sums: &mut Sums) -> bool {
    let [_, (_, secret), rest @ ..] = parts else {
        return false;
    };
    let inner = |wanted: u8, kind: u8| {
        let (_, content) = rest.iter().find(|(tag, _)| *tag == wanted)?;
        let (tag, inner, after) = element(content)?;
        (tag == kind && after.is_empty()).then_some(inner)
    };
    let named = inner(CURVE, IDENTIFIER).map(Curve::of_identifier);
    // A curve that is not known, or whose numbers are all written out, is not calculated with.
    let Some(curve) = named.unwrap_or(curve) else {
        return true;
    };
    let public = inner(PUBLIC, BITS).map(|bits| &bits[bits.len().min(1)..]);
    !sums.another() || curve.fits(secret, public)
}

/// Whether the key inside of PKCS#8 is one of the algorithm that it names.
fn is_wrapped(parts: &[Part<'_>], sums: &mut Sums) -> bool {
    let [_, (_, algorithm), (_, key), rest @ ..] = parts else {
        return false;
    };
    let Some((IDENTIFIER, identifier, parameters)) = element(algorithm) else {
        return false;
    };
    match identifier {
        RSA => children(key).is_some_and(|parts| is_rsa(&parts)),
        DSA => is_wrapped_dsa(parameters, key, sums),
        ELLIPTIC => {
            let curve = match element(parameters) {
                Some((IDENTIFIER, curve, _)) => Curve::of_identifier(curve),
                _ => None,
            };
            children(key).is_some_and(|parts| is_elliptic(&parts, curve, sums))
        }
        _ => match PLAIN.iter().find(|(plain, _)| *plain == identifier) {
            Some((plain, length)) => {
                let public = rest.iter().find(|(tag, _)| *tag == PUBLIC_BITS);
                let Some((OCTETS, seed, [])) = element(key) else {
                    return false;
                };
                seed.len() == *length
                    && public.is_none_or(|(_, bits)| {
                        *plain != ED25519 || is_pair(&[seed, &bits[bits.len().min(1)..]].concat())
                    })
            }
            None => true,
        },
    }
}

fn is_wrapped_dsa(parameters: &[u8], key: &[u8], sums: &mut Sums) -> bool {
    let Some(domain) = children(parameters) else {
        return false;
    };
    let ([(_, modulus), (_, order), (_, base)], Some((INTEGER, private, []))) = (&domain[..], element(key)) else {
        return false;
    };
    !sums.another() || is_dsa([modulus, order, base], None, private)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    fn is_key(label: &[u8], body: &[u8]) -> Option<bool> {
        super::is_key(label, body, &mut Sums::default())
    }

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
            let algorithm = sequence(SEQUENCE, &[&[IDENTIFIER, 9], RSA, b"\x05\x00"].concat());
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
