//! Base58 with its checksum, as Bitcoin writes keys.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// An extended key has 111 characters; decoding takes quadratic time.
const LONGEST: usize = 128;

/// The bytes behind a text, or nothing where a character does not belong.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for character in text {
        let mut carry = ALPHABET.iter().position(|known| known == character)?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.insert(0, (carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    let zeros = text.iter().take_while(|character| **character == b'1').count();
    let mut all = vec![0; zeros];
    all.append(&mut bytes);
    Some(all)
}

/// The payload, where the last four bytes are the checksum of it.
pub fn checked(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = decode(text)?;
    let border = bytes.len().checked_sub(4)?;
    let check = bytes.split_off(border);
    let hash = Sha256::digest(Sha256::digest(&bytes));
    (hash[..4] == check[..]).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_genesis_address_has_a_right_checksum() {
        assert_eq!(
            checked(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa").map(|bytes| bytes.len()),
            Some(21)
        );
        assert_eq!(checked(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), None);
    }

    #[test]
    fn characters_outside_of_the_alphabet_are_refused() {
        for text in ["", "0OIl", "\u{e9}", "1 1"] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
