//! Checksums inside tokens. A token whose checksum is wrong is no secret.

use base64::Engine as _;
use serde::Deserialize;

/// How a format proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// GitHub and npm: the last six characters are the CRC-32 of what stands after the first `_`, in base 62.
    Crc32Base62,
    /// GitLab's routable tokens: the last seven are the CRC-32 of all before them, in base 36.
    GitlabRoutable,
    /// Atlassian: the last eight are the CRC-32 of all before them, in hex.
    Atlassian,
    /// Grafana: eight hex digits after the last `_`, little-endian, over what stands before it.
    Grafana,
    /// Cloudflare: the last eight are the CRC-32 of the forty before them, in hex.
    Cloudflare,
    /// Bitcoin's extended private keys.
    Base58Check,
    /// age: Bech32.
    Bech32,
    /// Confluent: the last six are the CRC-32 of all before them, in base64.
    Confluent,
    /// Zuplo: the last eight are the CRC-32 of what stands between the two `_`, in hex.
    Zuplo,
    /// An AWS key id is in base 32: digits 2 to 7 only.
    AwsBase32,
    /// GitHub's tokens of applications: a signed token stands behind the number of the application.
    GithubApp,
    /// `PyPI`: a whole macaroon in base64.
    Macaroon,
}

impl Checksum {
    /// Whether the token's checksum is right.
    pub fn holds(self, token: &[u8]) -> bool {
        self.check(token).unwrap_or(false)
    }

    fn check(self, token: &[u8]) -> Option<bool> {
        match self {
            Self::Crc32Base62 => {
                let body = &token[memchr::memchr(b'_', token)? + 1..];
                let (body, check) = body.split_at_checked(body.len().checked_sub(6)?)?;
                Some(digits(crc32fast::hash(body), 62, 6) == check)
            }
            Self::GitlabRoutable => {
                let (body, check) = token.split_at_checked(token.len().checked_sub(7)?)?;
                let (head, length) = body.split_at_checked(body.len().checked_sub(2)?)?;
                let payload = head.split(|byte| *byte == b'.').next()?;
                let payload = &payload[memchr::memchr(b'-', payload)? + 1..];
                let length = u32::from_str_radix(std::str::from_utf8(length).ok()?, 36).ok()?;
                Some(length as usize == payload.len() && number(check, 36)? == u64::from(crc32fast::hash(body)))
            }
            Self::GithubApp => {
                let inner = memchr::memmem::find(token, b"_eyJ")?;
                Some(super::detectors::is_jwt(&token[inner + 1..]))
            }
            Self::Atlassian => {
                let (body, check) = token.split_at_checked(token.len().checked_sub(8)?)?;
                // Its `=` is escaped in an address.
                let plain = body.strip_suffix(b"%3D").map(|start| [start, b"="].concat());
                let body = plain.as_deref().unwrap_or(body);
                Some(number(check, 16)? == u64::from(crc32fast::hash(body)))
            }
            Self::Grafana => {
                let (body, check) = token.split_at_checked(token.len().checked_sub(8)?)?;
                let body = body.strip_suffix(b"_")?;
                let value = u32::try_from(number(check, 16)?).ok()?;
                Some(value.swap_bytes() == crc32fast::hash(body) || value == crc32fast::hash(body))
            }
            Self::Cloudflare => {
                let (body, check) = token.split_at_checked(token.len().checked_sub(8)?)?;
                let value = number(check, 16)?;
                let forty = &body[body.len().checked_sub(40)?..];
                // Which of the two is meant is not published; a random token passes neither.
                Some(value == u64::from(crc32fast::hash(forty)) || value == u64::from(crc32fast::hash(body)))
            }
            Self::Macaroon => Some(super::macaroon::is_macaroon(token.strip_prefix(b"pypi-")?)),
            Self::Bech32 => Some(super::bech32::holds(token)),
            Self::Confluent => {
                let (body, check) = token.split_at_checked(token.len().checked_sub(6)?)?;
                let value = crc32fast::hash(body);
                Some([value, value.swap_bytes()].iter().any(|value| {
                    base64::engine::general_purpose::STANDARD_NO_PAD
                        .encode(value.to_be_bytes())
                        .as_bytes()
                        == check
                }))
            }
            Self::Zuplo => {
                let (body, check) = token.split_at_checked(token.len().checked_sub(8)?)?;
                let body = body.strip_suffix(b"_")?;
                let value = number(check, 16)?;
                let key = &body[memchr::memchr(b'_', body)? + 1..];
                Some([key, body].iter().any(|text| u64::from(crc32fast::hash(text)) == value))
            }
            Self::AwsBase32 => Some(
                token
                    .get(4..)?
                    .iter()
                    .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')),
            ),
            Self::Base58Check => Some(super::base58::checked(token).is_some()),
        }
    }
}

fn number(text: &[u8], radix: u32) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok()
}

/// A number in a base of up to 62, with leading zeros.
pub fn digits(mut value: u32, base: u32, width: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = vec![b'0'; width];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value % base) as usize];
        value /= base;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_github_token_proves_itself_and_a_changed_one_does_not() {
        let body = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
        let token = format!("ghp_{body}0mLq17");
        assert!(Checksum::Crc32Base62.holds(token.as_bytes()));
        assert!(!Checksum::Crc32Base62.holds(token.replace("0mLq17", "0mLq18").as_bytes()));
    }

    #[test]
    fn tokens_that_are_too_short_are_wrong_and_do_no_harm() {
        for checksum in [
            Checksum::Crc32Base62,
            Checksum::GitlabRoutable,
            Checksum::Atlassian,
            Checksum::Grafana,
            Checksum::Cloudflare,
            Checksum::Base58Check,
            Checksum::Bech32,
            Checksum::Confluent,
            Checksum::Zuplo,
            Checksum::Macaroon,
        ] {
            for token in [
                "",
                "_",
                "ghp_",
                "-",
                "a_b",
                "........",
                "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
            ] {
                assert!(!checksum.holds(token.as_bytes()), "{checksum:?} {token:?}");
            }
        }
    }
}
