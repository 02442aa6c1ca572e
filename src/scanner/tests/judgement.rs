//! What makes a well-formed value more or less of a secret: its checksum, its age, whether it is public.

use base64::Engine as _;
use serde_json::{Value, json};

use super::super::catalogue::FILES;
use super::super::rule::RuleFile;
use super::super::{Finding, Scanner, ScannerOptions, Severity};
use super::{scanner, scanner_with};
use crate::clock::ManualClock;

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "alg": "HS256", "typ": "JWT" }));
    let signature = "q7Zt4Rk9Vb2Xm8Lw5PdH3sN6yJ1cG0fT8uEaoAoGCC0";
    format!("{head}.{}.{signature}", part(claims))
}

fn one(text: &str, at_ms: u64) -> Finding {
    let clock = ManualClock::at(at_ms);
    let scanner = Scanner::with_clock(ScannerOptions::default(), clock).unwrap();
    let mut found = scanner.scan_text(text, None).secrets;
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0)
}

#[test]
fn an_expired_token_is_worth_a_note_only() {
    for claims in [
        json!({ "sub": "u-1", "exp": 1_800_000_000 }),
        json!({ "sub": "u-1", "exp": 1_800_000_000.5 }),
        json!({ "role": "service_role", "exp": 1_800_000_000 }),
    ] {
        let token = jwt(&claims);
        let valid = one(&token, 1_799_999_999_000);
        let expired = one(&token, 1_800_000_001_000);
        assert!(valid.severity >= Severity::High && valid.confidence > 0.8, "{claims}");
        assert_eq!(expired.severity, Severity::Low, "{claims}");
        assert!(expired.confidence < valid.confidence);
        assert_eq!(expired.fingerprint, valid.fingerprint);
    }
    // A token that does not say when it ends does not end.
    for claims in [json!({ "sub": "u-1" }), json!({ "sub": "u-1", "exp": "soon" })] {
        assert_eq!(one(&jwt(&claims), u64::MAX / 4).severity, Severity::High);
    }
}

#[test]
fn tokens_of_everyone_are_not_reported_and_are_taken_out_of_logs() {
    let account = ["ac0974bec39a17e36ba4a6b4d238ff94", "4bacb478cbed5efcae784d7bf4f2ff80"].concat();
    let shared = ["_gg7wSSi0KMBsdKn", "GVfHDueq6xMB9EkC"].concat();
    for (secret, text) in [
        (account.clone(), format!("PRIVATE_KEY=0x{account}")),
        (shared.clone(), format!("const apiKey = '{shared}'")),
        (
            jwt(&json!({ "iss": "supabase-demo", "role": "service_role" })),
            String::new(),
        ),
        (jwt(&json!({ "iss": "supabase", "role": "anon" })), String::new()),
        (jwt(&json!({ "sub": "1234567890", "name": "John Doe" })), String::new()),
    ] {
        let text = if text.is_empty() {
            format!("token: {secret}")
        } else {
            text
        };
        assert_eq!(scanner().scan_text(&text, None).secrets, [], "{text}");
        let all = scanner_with(json!({ "minConfidence": 0 }))
            .scan_text(&text, None)
            .secrets;
        assert!(
            all.iter().all(|one| one.severity == Severity::Low) && all.len() == 1,
            "{text}: {all:?}"
        );
        assert!(!scanner().redact_text(&text).contains(&secret), "{text}");
    }
}

/// Another character of the same kind, so that only the checksum tells that it was changed.
fn other(character: char) -> char {
    match character {
        '0' | 'a' | 'A' => char::from(character as u8 + 2),
        '1'..='9' if character != '2' => '2',
        '2' => '3',
        'b'..='z' => 'a',
        _ => 'A',
    }
}

#[test]
fn one_wrong_character_silences_every_format_that_has_a_checksum() {
    let (default, all) = (scanner(), scanner_with(json!({ "minConfidence": 0, "reveal": true })));
    let mut tried = 0;
    for (_, text) in FILES {
        let file: RuleFile = toml::from_str(text).unwrap();
        for rule in file.rule {
            if rule.checksum.is_none() {
                continue;
            }
            for pieces in &rule.examples.matching {
                let text = pieces.concat();
                let found = all.scan_text(&text, None).secrets;
                let secret = found[0].matched.clone().unwrap();
                let last = secret.chars().next_back().unwrap();
                let spoiled = format!("{}{}", &secret[..secret.len() - 1], other(last));
                for text in [text.replace(&secret, &spoiled), format!("api_key = \"{spoiled}\"")] {
                    // A key id of AWS proves its alphabet, a signed token and a macaroon their structure, not their
                    // characters.
                    if matches!(&*rule.id, "aws-access-key-id" | "github-app-token" | "pypi-token") {
                        continue;
                    }
                    assert_eq!(default.scan_text(&text, None).secrets, [], "{}: {text}", rule.id);
                    let doubtful = all.scan_text(&text, None).secrets;
                    assert!(
                        doubtful.iter().all(|one| one.severity == Severity::Low),
                        "{}: {doubtful:?}",
                        rule.id
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn a_private_key_that_is_none_is_not_critical() {
    let label = "PRIVATE KEY-----";
    let start = hex::decode("302e020100300506032b657004220420").unwrap();
    let key =
        base64::engine::general_purpose::STANDARD.encode([start, (1..=32).map(|byte| byte * 7).collect()].concat());
    let at = |body: &str| format!("-----BEGIN {label}{body}-----END {label}");
    let whole = one(&at(&format!("\n{key}\n")), 0);
    assert!(whole.severity == Severity::Critical && whole.confidence > 0.9);
    for body in [
        format!("\n{}\n", &key[..60]),
        format!("\\n{}\\n", key.replace('M', "N")),
    ] {
        let spoiled = one(&at(&body), 0);
        assert_eq!(
            (spoiled.severity, spoiled.rule.as_str()),
            (Severity::Medium, "private-key"),
            "{body}"
        );
    }
    // A sentence of documentation.
    assert!(!scanner().scan_text(&at(&key[..60]), None).found);
    assert!(!scanner().redact_text(&at(&key[..60])).contains(&key[..60]));
}

#[test]
fn a_putty_file_whose_private_lines_are_no_base64_is_not_critical() {
    let file = |key: &str| {
        let head = ["PuTTY-User-Key-", "File-3: ssh-ed25519\nEncryption: none\n"].concat();
        format!("{head}Public-Lines: 1\nAAAA\nPrivate-Lines: 1\n{key}\nPrivate-MAC: 00ff\n")
    };
    let key = "AAAAIAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tng";
    assert_eq!(one(&file(key), 0).severity, Severity::Critical);
    assert_eq!(one(&file(&key[..45]), 0).severity, Severity::Medium);
}
