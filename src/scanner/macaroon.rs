//! Macaroons, of which `PyPI`'s tokens are made: fields with their kind and length in front, and a signature at the
//! end. The format is version 2 of <https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt>.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const VERSION: u8 = 2;
const END: u8 = 0;
const LOCATION: u8 = 1;
const IDENTIFIER: u8 = 2;
const VERIFICATION: u8 = 4;
const SIGNATURE: u8 = 6;
/// Of HMAC with SHA-256.
const SIGNED: usize = 32;

/// Whether a text in base64 is a whole macaroon.
pub fn is_macaroon(text: &[u8]) -> bool {
    BASE64.decode(text).is_ok_and(|data| read(&data).is_some())
}

/// Reads all of it; nothing where a part is missing or too much.
fn read(data: &[u8]) -> Option<()> {
    let mut rest = data.strip_prefix(&[VERSION])?;
    section(&mut rest)?;
    while *rest.first()? != END {
        section(&mut rest)?;
    }
    rest = &rest[1..];
    let signature = field(&mut rest, SIGNATURE)?;
    (signature.len() == SIGNED && rest.is_empty()).then_some(())
}

/// Where it holds and what, up to its end.
fn section(rest: &mut &[u8]) -> Option<()> {
    field(rest, LOCATION);
    field(rest, IDENTIFIER)?;
    field(rest, VERIFICATION);
    *rest = rest.strip_prefix(&[END])?;
    Some(())
}

/// The content of the next field, where it is of a kind.
fn field<'a>(rest: &mut &'a [u8], kind: u8) -> Option<&'a [u8]> {
    let mut after = rest.strip_prefix(&[kind])?;
    let mut length = 0;
    for shift in [0, 7, 14] {
        let (byte, next) = after.split_first()?;
        after = next;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let (content, next) = after.split_at_checked(length)?;
            *rest = next;
            return Some(content);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let length = if length < 128 {
            vec![length as u8]
        } else {
            vec![length as u8 | 0x80, (length >> 7) as u8]
        };
        [&[kind], length.as_slice(), content].concat()
    }

    fn token(caveats: &[&[u8]]) -> Vec<u8> {
        let mut data = [
            vec![VERSION],
            packed(LOCATION, b"pypi.org"),
            packed(IDENTIFIER, b"an id"),
            vec![END],
        ]
        .concat();
        for caveat in caveats {
            data.extend([packed(IDENTIFIER, caveat), vec![END]].concat());
        }
        [data, vec![END], packed(SIGNATURE, &[7; 32])].concat()
    }

    #[test]
    fn only_a_whole_macaroon_is_one() {
        for caveats in [vec![], vec![b"[0,1,2]".as_slice()], vec![&[b'x'; 300], b"{}"]] {
            let whole = token(&caveats);
            assert!(is_macaroon(BASE64.encode(&whole).as_bytes()));
            for cut in 0..whole.len() {
                assert!(!is_macaroon(BASE64.encode(&whole[..cut]).as_bytes()), "{cut}");
            }
            assert!(!is_macaroon(
                BASE64.encode([whole.as_slice(), b"x"].concat()).as_bytes()
            ));
        }
        for bad in [b"".as_slice(), b"A", b"not base 64", b"Ag", b"AgH/////"] {
            assert!(!is_macaroon(bad));
        }
    }
}
