//! Bech32, as age writes its keys: letters and digits with a checksum of six.

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/// Whether the checksum of a text, in one case, is right.
pub fn holds(text: &[u8]) -> bool {
    let Some(border) = memchr::memrchr(b'1', text) else {
        return false;
    };
    let (prefix, data) = (&text[..border], &text[border + 1..]);
    if prefix.is_empty() || data.len() < 6 || text.len() > 128 {
        return false;
    }
    let mut state = 1;
    for byte in prefix {
        state = step(state, u32::from(byte.to_ascii_lowercase() >> 5));
    }
    state = step(state, 0);
    for byte in prefix {
        state = step(state, u32::from(byte.to_ascii_lowercase() & 31));
    }
    for byte in data {
        let lower = byte.to_ascii_lowercase();
        let Some(value) = CHARSET.iter().position(|known| *known == lower) else {
            return false;
        };
        state = step(state, value as u32);
    }
    state == 1
}

fn step(state: u32, value: u32) -> u32 {
    let top = state >> 25;
    let mut next = (state & 0x01ff_ffff) << 5 ^ value;
    for (bit, generator) in GENERATOR.iter().enumerate() {
        if top >> bit & 1 == 1 {
            next ^= generator;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold_and_changed_ones_do_not() {
        for text in ["A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"] {
            assert!(holds(text.as_bytes()), "{text}");
        }
        for text in ["A12UEL5X", "", "1", "1qqqqqq", "a1b", "a1ooooooo"] {
            assert!(!holds(text.as_bytes()), "{text}");
        }
    }
}
