//! Arithmetic with the numbers inside of keys.

/// Whether two numbers give a third one, all of them written with the highest byte first.
pub fn is_product(one: &[u8], other: &[u8], product: &[u8]) -> bool {
    let (one, other) = (digits(one), digits(other));
    let mut result = vec![0_u32; one.len() + other.len()];
    for (shift, digit) in one.iter().enumerate() {
        let mut carry = 0_u64;
        for (at, factor) in other.iter().enumerate() {
            let sum = u64::from(*digit) * u64::from(*factor) + u64::from(result[shift + at]) + carry;
            result[shift + at] = sum as u32;
            carry = sum >> 32;
        }
        result[shift + other.len()] = carry as u32;
    }
    while result.last() == Some(&0) {
        result.pop();
    }
    !result.is_empty() && result == digits(product)
}

/// Digits to the base of 2^32, the lowest first, without zeros at the end.
fn digits(bytes: &[u8]) -> Vec<u32> {
    let mut digits: Vec<u32> = bytes
        .rchunks(4)
        .map(|chunk| chunk.iter().fold(0, |digit, byte| digit << 8 | u32::from(*byte)))
        .collect();
    while digits.last() == Some(&0) {
        digits.pop();
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_product_of_two_numbers_is_one() {
        let bytes = |value: u128| value.to_be_bytes();
        for (one, other) in [
            (1, 1),
            (3, 5),
            (0xffff_ffff, 0xffff_ffff),
            (u128::from(u64::MAX), 0x1_0000_0001),
        ] {
            assert!(
                is_product(&bytes(one), &bytes(other), &bytes(one * other)),
                "{one} {other}"
            );
            assert!(!is_product(&bytes(one), &bytes(other), &bytes(one * other + 1)));
        }
        assert!(!is_product(&[], &[1], &[1]));
        assert!(!is_product(&[0], &[5], &[0]));
    }
}
