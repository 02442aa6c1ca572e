//! Base58 with its checksum, as Bitcoin writes keys.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// The value of each character, or `NONE`.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 58 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};
const NONE: u8 = u8::MAX;
/// An extended key has 111 characters; decoding takes quadratic time.
const LONGEST: usize = 128;
/// As many characters are one number of 32 bits.
const TOGETHER: usize = 5;

/// Whether every character belongs.
pub fn is_text(text: &[u8]) -> bool {
    text.iter().all(|character| VALUES[usize::from(*character)] != NONE)
}

/// The bytes behind a text, or nothing where a character does not belong.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    // The number, its lowest 32 bits first.
    let mut number: Vec<u32> = Vec::with_capacity(LONGEST / TOGETHER);
    for characters in text.chunks(TOGETHER) {
        let (mut scale, mut carry) = (1_u64, 0_u64);
        for character in characters {
            let value = VALUES[usize::from(*character)];
            if value == NONE {
                return None;
            }
            scale *= 58;
            carry = carry * 58 + u64::from(value);
        }
        for word in &mut number {
            carry += u64::from(*word) * scale;
            *word = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            number.push(carry as u32);
        }
    }
    let zeros = text.iter().take_while(|character| **character == b'1').count();
    let bytes = number.iter().rev().flat_map(|word| word.to_be_bytes());
    let bytes = bytes.skip_while(|byte| *byte == 0);
    Some(std::iter::repeat_n(0, zeros).chain(bytes).collect())
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
    fn numbers_of_every_length_are_decoded() {
        for (text, expected) in [
            ("1", "00"),
            ("2", "01"),
            ("11", "0000"),
            ("21", "3a"),
            ("StV1DL6CwTryKyV", "68656c6c6f20776f726c64"),
            (
                "16L5yRNPTuciSgXGHqYwn9N6NeoKqopAu",
                "000102030405060708090a0b0c0d0e0f1011121314fa55b64a",
            ),
            ("7YWHMfk9JZe0", ""),
        ] {
            let decoded = decode(text.as_bytes()).map(hex::encode).unwrap_or_default();
            assert_eq!(decoded, expected, "{text}");
        }
        // 58 to the power of 127 has 744 bits.
        let mut longest = vec![b'1'; 128];
        longest[0] = b'2';
        let bytes = decode(&longest).unwrap();
        assert_eq!(
            (bytes.len(), bytes.iter().rev().take_while(|byte| **byte == 0).count()),
            (93, 15)
        );
    }

    #[test]
    fn characters_outside_of_the_alphabet_are_refused() {
        for text in ["", "0OIl", "\u{e9}", "1 1"] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
