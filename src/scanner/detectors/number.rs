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

/// The numbers of a key of DSA.
#[derive(Clone, Copy, Debug)]
pub struct Dsa<'a> {
    pub modulus: &'a [u8],
    pub order: &'a [u8],
    pub base: &'a [u8],
    /// `None` where only the private number is written.
    pub public: Option<&'a [u8]>,
    pub private: &'a [u8],
}

impl Dsa<'_> {
    /// Whether they fit together: the order divides the modulus less one, and the base to the private number is
    /// the public one.
    pub fn fits(self) -> bool {
        if self.modulus.len() > LONGEST_MODULUS || self.order.len() > LONGEST_ORDER {
            return false;
        }
        let one = BigUint::from(1_u8);
        let [modulus, order, base, private] =
            [self.modulus, self.order, self.base, self.private].map(BigUint::from_bytes_be);
        if modulus <= one || private < one || private >= order || base <= one || base >= modulus {
            return false;
        }
        let divides = (&modulus - &one) % &order == BigUint::ZERO;
        divides
            && self
                .public
                .is_none_or(|public| base.modpow(&private, &modulus) == BigUint::from_bytes_be(public))
    }
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
        let good = Dsa {
            modulus: &[23],
            order: &[11],
            base: &[2],
            public: Some(&[13]),
            private: &[7],
        };
        assert!(good.fits() && Dsa { public: None, ..good }.fits());
        let long = [1; 600];
        for wrong in [
            Dsa {
                public: Some(&[12]),
                ..good
            },
            Dsa { private: &[8], ..good },
            Dsa { private: &[0], ..good },
            Dsa { private: &[11], ..good },
            Dsa { order: &[12], ..good },
            Dsa { order: &[], ..good },
            Dsa { base: &[1], ..good },
            Dsa { base: &[23], ..good },
            Dsa { modulus: &[], ..good },
            Dsa { modulus: &[1], ..good },
            Dsa { modulus: &long, ..good },
            Dsa { order: &long, ..good },
        ] {
            assert!(!wrong.fits(), "{wrong:?}");
        }
    }
}
