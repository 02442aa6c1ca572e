//! What tells one finding from another without telling the secret: the same for the same secret of the
//! same kind in the same file, on any line and any machine.
//!
//! Reports and baselines are passed around, and whoever has one could try passwords against a plain hash
//! of the secret. So of a value that people choose only 16 bits go into the fingerprint, and the same 16
//! in every file: a list of passwords shrinks by 65,536 at most and none is ever confirmed, while another
//! password is taken for a known one once in 65,536 times. A token of a fixed format cannot be guessed;
//! its whole hash counts.

use sha2::{Digest, Sha256};

use super::rule::RuleInfo;

/// Of a value that people choose.
const BYTES_OF_CHOSEN: usize = 2;
const BYTES_OF_TOKEN: usize = 16;

/// Tells a finding from others; 32 hex digits.
pub fn fingerprint(rule: &RuleInfo, file: Option<&str>, value: &[u8]) -> String {
    let file = file.unwrap_or("").replace('\\', "/");
    let all = hash(&[rule.id.as_bytes(), file.as_bytes(), counted(rule, value).as_ref()]);
    hex::encode(&all[..16])
}

/// Tells a secret from others, in whatever file it stands; 32 hex digits.
pub fn identity(rule: &RuleInfo, value: &[u8]) -> String {
    let all = hash(&[rule.id.as_bytes(), b"in any file", counted(rule, value).as_ref(), b""]);
    hex::encode(&all[..16])
}

/// What of a secret's hash goes out.
fn counted(rule: &RuleInfo, value: &[u8]) -> impl AsRef<[u8]> {
    let bytes = if rule.chosen { BYTES_OF_CHOSEN } else { BYTES_OF_TOKEN };
    hash(&[rule.id.as_bytes(), value])[..bytes].to_vec()
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"auton8n:2");
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::severity::Severity;
    use super::*;

    fn rule(chosen: bool) -> RuleInfo {
        RuleInfo {
            id: "rule".into(),
            kind: String::new(),
            description: String::new(),
            severity: Severity::High,
            confidence: 1.0,
            pattern: String::new(),
            chosen,
        }
    }

    #[test]
    fn rule_file_and_secret_tell_findings_apart_and_separators_do_not() {
        let rule = rule(false);
        let mut other = rule.clone();
        other.id = "other".into();
        let all = [
            fingerprint(&rule, Some("a/b.ts"), b"secret"),
            fingerprint(&rule, Some("a/b.ts"), b"secre7"),
            fingerprint(&rule, Some("a/c.ts"), b"secret"),
            fingerprint(&rule, None, b"secret"),
            fingerprint(&other, Some("a/b.ts"), b"secret"),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all[0], fingerprint(&rule, Some("a\\b.ts"), b"secret"));
        let identities = [
            identity(&rule, b"secret"),
            identity(&rule, b"secre7"),
            identity(&other, b"secret"),
        ];
        assert_eq!(identities.iter().chain(&all).collect::<HashSet<_>>().len(), 8);
    }

    /// Whoever tries all of 200,000 passwords finds several that fit, in whatever number of files.
    #[test]
    fn a_guess_at_a_password_is_never_confirmed() {
        let rule = rule(true);
        let seen = |value: &str| {
            let file = |name| fingerprint(&rule, Some(name), value.as_bytes());
            [file("a.env"), file("b.env"), identity(&rule, value.as_bytes())]
        };
        let leaked = seen("password-150000");
        let fitting = (0..200_000)
            .filter(|index| seen(&format!("password-{index}")) == leaked)
            .count();
        assert!((2..20).contains(&fitting), "{fitting}");
    }

    #[test]
    fn a_token_counts_as_a_whole() {
        let rule = rule(false);
        let all: HashSet<String> = (0..100_000)
            .map(|index| fingerprint(&rule, None, format!("token-{index}").as_bytes()))
            .collect();
        assert_eq!(all.len(), 100_000);
    }
}
