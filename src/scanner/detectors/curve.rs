//! Keys on elliptic curves, and whether the private half gives the public one.

use elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};
use k256::elliptic_curve;

/// A curve of the NIST, or Bitcoin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    /// By its object identifier.
    pub fn of_identifier(identifier: &[u8]) -> Option<Self> {
        match identifier {
            b"\x2a\x86\x48\xce\x3d\x03\x01\x07" => Some(Self::P256),
            b"\x2b\x81\x04\x00\x22" => Some(Self::P384),
            b"\x2b\x81\x04\x00\x23" => Some(Self::P521),
            b"\x2b\x81\x04\x00\x0a" => Some(Self::Secp256k1),
            _ => None,
        }
    }

    /// By the name that SSH has for it.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"nistp256" => Some(Self::P256),
            b"nistp384" => Some(Self::P384),
            b"nistp521" => Some(Self::P521),
            _ => None,
        }
    }

    /// Whether a number is a private key of this curve, and a point the public one that belongs to it.
    pub fn fits(self, secret: &[u8], public: Option<&[u8]>) -> bool {
        match self {
            Self::P256 => fits::<p256::NistP256>(secret, public, 32),
            Self::P384 => fits::<p384::NistP384>(secret, public, 48),
            Self::P521 => fits::<p521::NistP521>(secret, public, 66),
            Self::Secp256k1 => fits::<k256::Secp256k1>(secret, public, 32),
        }
    }
}

fn fits<C>(secret: &[u8], public: Option<&[u8]>, size: usize) -> bool
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    // Some leave the zeros at its start out, others write one more, so that it is not negative.
    let zeros = secret.iter().take_while(|byte| **byte == 0).count();
    let number = &secret[zeros..];
    let mut padded = vec![0; size.saturating_sub(number.len())];
    padded.extend_from_slice(number);
    SecretKey::<C>::from_slice(&padded).is_ok_and(|secret| {
        public.is_none_or(|public| {
            PublicKey::<C>::from_sec1_bytes(public).is_ok_and(|public| public == secret.public_key())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base point of each curve is the public half of the number one.
    #[test]
    fn a_private_key_fits_its_own_public_one_only() {
        let bases = [
            (
                Curve::P256,
                "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            ),
            (
                Curve::P384,
                "03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            ),
            (
                Curve::Secp256k1,
                "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            ),
            (
                Curve::P521,
                concat!(
                    "0200c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3d",
                    "baa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66"
                ),
            ),
        ];
        for (curve, base) in bases {
            let base = hex::decode(base).unwrap();
            for one in [&[1_u8][..], &[0, 0, 1], &[vec![0; 65], vec![1]].concat()] {
                assert!(curve.fits(one, Some(&base)), "{curve:?}");
                assert!(curve.fits(one, None), "{curve:?}");
            }
            assert!(!curve.fits(&[2], Some(&base)), "{curve:?}");
            for wrong in [&[][..], &[0], &[0xff; 66], &[1; 67]] {
                assert!(!curve.fits(wrong, None), "{curve:?} {wrong:?}");
            }
            for point in [&[][..], &[0], &[4, 1], &base[1..]] {
                assert!(!curve.fits(&[1], Some(point)), "{curve:?}");
            }
        }
    }
}
