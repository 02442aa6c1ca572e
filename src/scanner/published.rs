//! Credentials that are published on purpose: keys of emulators and test networks, shared defaults of
//! libraries, examples of documentation. Only their hashes are kept.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;
use sha2::{Digest, Sha256};

const FILE: &str = include_str!("published.toml");
/// A private key is the longest that is published.
const LONGEST: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "what and where is for those who read the file")
)]
struct Group {
    what: String,
    source: String,
    hashes: Vec<String>,
}

static HASHES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    // A test reads the file; without it nothing is taken for published.
    let file = toml::from_str::<Published>(FILE).map(|file| file.group);
    let groups = file.unwrap_or_default().into_iter();
    groups.flat_map(|group| group.hashes).collect()
});

/// Whether its owner publishes this value for everyone.
pub fn is_published(value: &[u8]) -> bool {
    value.len() <= LONGEST && HASHES.contains(&hash(value))
}

/// The hash of what is left of a value in any notation: its letters and digits.
fn hash(value: &[u8]) -> String {
    let mut rest = value.strip_prefix(b"0x").unwrap_or(value);
    if let Some(body) = rest.strip_prefix(b"-----BEGIN ".as_slice())
        && let Some(opening) = memchr::memmem::find(body, b"-----")
    {
        let body = &body[opening + 5..];
        rest = &body[..memchr::memmem::rfind(body, b"-----END").unwrap_or(body.len())];
    }
    let mut plain = Vec::with_capacity(rest.len());
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            // `\n` is a line end, not a letter.
            b'\\' if matches!(rest.get(at + 1), Some(b'n' | b'r')) => at += 1,
            byte if byte.is_ascii_alphanumeric() => plain.push(byte),
            _ => {}
        }
        at += 1;
    }
    hex::encode(&Sha256::digest(&plain)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read_and_says_where_each_value_is_published() {
        let file: Published = toml::from_str(FILE).unwrap();
        for group in &file.group {
            assert!(
                !group.what.is_empty() && group.source.starts_with("https://"),
                "{}",
                group.what
            );
            for hash in &group.hashes {
                assert!(
                    hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{hash}"
                );
            }
        }
        assert_eq!(
            file.group.iter().map(|group| group.hashes.len()).sum::<usize>(),
            HASHES.len()
        );
    }

    #[test]
    fn a_published_value_is_known_in_every_notation_and_another_is_not() {
        let emulator = [
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVEr",
            "Cz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        ]
        .concat();
        let account = ["ac0974bec39a17e36ba4a6b4d238ff94", "4bacb478cbed5efcae784d7bf4f2ff80"].concat();
        assert!(is_published(emulator.as_bytes()));
        assert!(is_published(account.as_bytes()));
        assert!(is_published(format!("0x{account}").as_bytes()));
        assert!(!is_published(account.replace("f80", "f81").as_bytes()));
        assert!(!is_published(b""));
        let label = "RSA PRIVATE KEY-----";
        let key =
            |joint: &str| hash(format!("-----BEGIN {label}{joint}AAAA{joint}BB+/{joint}-----END {label}").as_bytes());
        assert_eq!(key("\n"), key("\\n"));
        assert_eq!(key("\n"), key("\r\n"));
        assert_eq!(key("\n"), hash(b"AAAABB"));
    }
}
