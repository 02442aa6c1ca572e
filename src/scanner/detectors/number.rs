//! Arithmetic with the numbers inside of keys, which are written with the highest byte first.

use num_bigint::BigUint;

/// Larger ones take too long; no tool makes them.
const LONGEST_MODULUS: usize = 4096 / 8 + 1;
/// The orders of DSA have 160 to 256 bits.
const LONGEST_ORDER: usize = 256 / 8 + 1;

/// Whether two numbers give a third one.
pub fn is_product(one: &[u8], other: &[u8], product: &[u8]) -> bool {
    let product = BigUint::from_bytes_be(product);
    product != BigUint::ZERO && BigUint::from_bytes_be(one) * BigUint::from_bytes_be(other) == product
}

/// Whether the numbers of a key of DSA fit together: the order divides the modulus less one, and the base to the
/// private number is the public one, where that is written too.
pub fn is_dsa([modulus, order, base]: [&[u8]; 3], public: Option<&[u8]>, private: &[u8]) -> bool {
    if modulus.len() > LONGEST_MODULUS || order.len() > LONGEST_ORDER {
        return false;
    }
    let one = BigUint::from(1_u8);
    let [modulus, order, base, private] = [modulus, order, base, private].map(BigUint::from_bytes_be);
    if modulus <= one || private < one || private >= order || base <= one || base >= modulus {
        return false;
    }
    let divides = (&modulus - &one) % &order == BigUint::ZERO;
    divides && public.is_none_or(|public| base.modpow(&private, &modulus) == BigUint::from_bytes_be(public))
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

    #[test]
    fn the_numbers_of_dsa_fit_or_do_not() {
        // 11 divides 22, and 2 is of the order 11 modulo 23: 2 ^ 7 = 128 = 5 * 23 + 13.
        let (domain, long): ([&[u8]; 3], _) = ([&[23], &[11], &[2]], [1; 600]);
        assert!(is_dsa(domain, Some(&[13]), &[7]) && is_dsa(domain, None, &[7]));
        assert!(!is_dsa(domain, Some(&[12]), &[7]));
        for private in [&[8], &[0], &[11]] {
            assert!(!is_dsa(domain, Some(&[13]), private), "{private:?}");
        }
        for (place, number) in [
            (0, [].as_slice()),
            (0, &[1]),
            (0, &long),
            (1, &[12]),
            (1, &[]),
            (1, &long),
            (2, &[1]),
            (2, &[23]),
        ] {
            let mut wrong = domain;
            wrong[place] = number;
            assert!(!is_dsa(wrong, Some(&[13]), &[7]), "{wrong:?}");
        }
    }
}
