//! What stands inside of the key files of `OpenSSH`, and whether it fits together.

use super::curve::Curve;
use super::number::{is_dsa, is_product};
use super::solana::is_pair;
use super::sums::Sums;

/// What a key file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    /// It opens nothing without its passphrase.
    Encrypted,
    /// It is cut, changed or made up.
    Broken,
}

/// What `OpenSSH`'s own format holds, taken out of its base64.
pub fn openssh(data: &[u8], sums: &mut Sums) -> State {
    let Some(rest) = data.strip_prefix(b"openssh-key-v1\0".as_slice()) else {
        return State::Broken;
    };
    opened(rest, sums).map_or(State::Broken, |state| state)
}

fn opened(data: &[u8], sums: &mut Sums) -> Option<State> {
    let mut fields = Fields(data);
    let cipher = fields.next()?;
    let (_derivation, _options) = (fields.next()?, fields.next()?);
    let keys = fields.number()?;
    for _ in 0..keys.min(16) {
        fields.next()?;
    }
    let inner = fields.next()?;
    if cipher != b"none" {
        return Some(State::Encrypted);
    }
    let mut inner = Fields(inner);
    // The same number twice shows that a passphrase was right; without one it shows that nothing was changed.
    let same = inner.number()? == inner.number()?;
    let holds = match inner.next()? {
        b"ssh-ed25519" => {
            let (public, pair) = (inner.next()?, inner.next()?);
            pair.ends_with(public) && is_pair(pair)
        }
        b"ssh-rsa" => {
            let modulus = inner.next()?;
            let (_public, _private, _coefficient) = (inner.next()?, inner.next()?, inner.next()?);
            is_product(inner.next()?, inner.next()?, modulus)
        }
        b"ssh-dss" => {
            let [modulus, order, base, public, private] = [
                inner.next()?,
                inner.next()?,
                inner.next()?,
                inner.next()?,
                inner.next()?,
            ];
            !sums.another() || is_dsa([modulus, order, base], Some(public), private)
        }
        kind if kind.starts_with(b"ecdsa-sha2-") => {
            let (curve, public, private) = (inner.next()?, inner.next()?, inner.next()?);
            match Curve::named(curve) {
                Some(curve) if sums.another() => curve.fits(private, Some(public)),
                _ => true,
            }
        }
        _ => true,
    };
    Some(if same && holds { State::Open } else { State::Broken })
}

/// Fields with their length in front, as all of SSH has them.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<usize> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*head)).ok()
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openssh(data: &[u8]) -> State {
        super::openssh(data, &mut Sums::default())
    }

    fn field(data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes(), data].concat()
    }

    /// A file of one key, whose inner part is written as it is given.
    fn file(cipher: &[u8], inner: &[u8]) -> Vec<u8> {
        let head = [
            field(cipher),
            field(b"none"),
            field(b""),
            vec![0, 0, 0, 1],
            field(b"public"),
        ]
        .concat();
        [b"openssh-key-v1\0".as_slice(), &head, &field(inner)].concat()
    }

    #[test]
    fn a_key_of_openssh_is_one_where_its_parts_fit_together() {
        let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        let pair = [seed.as_slice(), &public].concat();
        let good = [
            b"abcdabcd".as_slice(),
            &field(b"ssh-ed25519"),
            &field(&public),
            &field(&pair),
        ]
        .concat();
        assert_eq!(openssh(&file(b"none", &good)), State::Open);
        assert_eq!(openssh(&file(b"aes256-ctr", b"sealed")), State::Encrypted);
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        let other = [b"abcdabce".as_slice(), &good[8..]].concat();
        let primes = [
            field(&[35]),
            field(&[3]),
            field(&[5]),
            field(&[1]),
            field(&[7]),
            field(&[5]),
        ]
        .concat();
        let rsa = [b"abcdabcd".as_slice(), &field(b"ssh-rsa"), &primes].concat();
        assert_eq!(openssh(&file(b"none", &rsa)), State::Open);
        let wrong = [&rsa[..rsa.len() - 1], &[3]].concat();
        for broken in [&changed, &other, &wrong, &good[..20].to_vec(), &Vec::new()] {
            assert_eq!(openssh(&file(b"none", broken)), State::Broken);
        }
        assert_eq!(openssh(b"openssh-key-v1\0\xff\xff\xff\xff"), State::Broken);
        assert_eq!(openssh(b"something else"), State::Broken);
    }
}
