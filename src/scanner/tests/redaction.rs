use std::borrow::Cow;

use proptest::prelude::*;

use super::super::catalogue::FILES;
use super::super::rule::RuleFile;
use super::{github_token, scanner, scanner_with};

#[test]
fn a_clean_text_is_handed_back_as_it_is() {
    for text in [
        "",
        "job 42 finished in 13 ms",
        "GET /plugins/weather?units=metric 200 \u{1f600}",
    ] {
        assert!(matches!(scanner().redact_text(text), Cow::Borrowed(same) if same == text));
    }
}

#[test]
fn the_example_of_every_rule_is_taken_out_once_and_for_all() {
    let scanner = scanner();
    for (_, text) in FILES {
        let file: RuleFile = toml::from_str(text).unwrap();
        for rule in file.rule {
            for pieces in rule.examples.matching {
                let text = pieces.concat();
                let reveal = scanner_with(serde_json::json!({ "reveal": true })).scan_text(&text, None);
                let redacted = scanner.redact_text(&text).into_owned();
                for one in reveal.secrets {
                    let secret = one.matched.unwrap();
                    assert!(!redacted.contains(&secret), "{}: {redacted}", rule.id);
                }
                assert_eq!(scanner.redact_text(&redacted), redacted, "{}", rule.id);
            }
        }
    }
}

#[test]
fn a_value_longer_than_its_rule_reads_ends_between_characters() {
    for before in ["", "a", "ab", "abc"] {
        let text = format!(
            "machine api.acme.io login svc password h7Q!z92kVm{before}{}",
            "\u{1f600}".repeat(99)
        );
        let found = scanner_with(serde_json::json!({ "reveal": true })).scan_text(&text, None);
        let secret = found
            .secrets
            .iter()
            .find_map(|one| one.matched.as_deref())
            .unwrap_or(&text);
        assert!(text.contains(secret), "{secret}");
    }
}

#[test]
fn what_a_mask_leaves_of_a_long_value_is_not_masked_again() {
    let scanner = scanner();
    for stars in [7, 8, 150, 300, 3000] {
        let text = format!("machine api.acme.io login svc password h7Q!z92kVm{}", "*".repeat(stars));
        let once = scanner.redact_text(&text).into_owned();
        assert!(!once.contains("z92kVm"), "{once}");
        assert_eq!(scanner.redact_text(&once), once, "{stars}");
    }
}

#[test]
fn a_value_longer_than_its_rule_reads_is_taken_out_whole() {
    let scanner = scanner();
    for (start, filler) in [
        ("requirepass ", "\u{fffd}x"),
        ("requirepass ", "\\u0022"),
        ("requirepass ", ",;&"),
        ("mysql -u root -p", "\u{fffd}x"),
    ] {
        for length in [90, 900, 5000] {
            let text = format!("{start}foobared{}\nnext line", filler.repeat(length));
            let once = scanner.redact_text(&text).into_owned();
            assert!(once.ends_with("\nnext line") && once.len() < 80, "{once}");
            assert_eq!(scanner.redact_text(&once), once, "{start}{length}");
        }
    }
}

#[test]
fn comments_and_disabled_guesses_do_not_open_the_log() {
    let token = github_token(1);
    let text = format!("{token} // gitleaks:allow");
    assert!(!scanner().redact_text(&text).contains(&token));
    let allowed = scanner_with(serde_json::json!({ "allowlist": [token.clone()] }));
    assert_eq!(allowed.redact_text(&text), text);
}

/// A job's row is JSON in JSON: what stands before a secret is an escape whose letters look like a word.
#[test]
fn secrets_after_escapes_are_taken_out_of_text_in_text() {
    let password = ["q7Zt4Rk9", "Vb2Xm8Lw"].concat();
    let text = format!(
        "x\n{}\npostgres://admin:{password}@db.internal.net/app\thttps://u:{password}@h.net\r\n{}\n",
        github_token(1),
        github_token(2)
    );
    let mut shown = text;
    for depth in 0..3 {
        let clean = scanner().redact_text(&shown).into_owned();
        for secret in [&password, &github_token(1), &github_token(2)] {
            assert!(!clean.contains(secret.as_str()), "{depth}: {clean}");
        }
        shown = serde_json::to_string(&shown).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redaction_is_idempotent_and_never_panics(parts in prop::collection::vec(prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9+/=_-]{0,60}",
        Just("password=".to_owned()), Just("\"".to_owned()), Just(" ".to_owned()), Just("postgres://u:".to_owned()),
        Just("@h.io/".to_owned()), Just("Bearer ".to_owned()), Just("Basic ".to_owned()), Just("\n".to_owned()), Just("eyJ".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()), Just("api_key: ".to_owned()), Just("********".to_owned()),
        (0_u8..9).prop_map(github_token),
    ], 0..12)) {
        let scanner = scanner();
        let text = parts.concat();
        let once = scanner.redact_text(&text).into_owned();
        let twice = scanner.redact_text(&once).into_owned();
        prop_assert_eq!(&twice, &once);
        let result = scanner.scan_text(&text, None);
        for one in result.secrets {
            prop_assert!(one.line >= 1 && one.column >= 1);
            prop_assert!((one.end_line, one.end_column) > (one.line, one.column));
        }
    }

    #[test]
    fn any_bytes_are_scanned(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let result = scanner().scan_bytes(&bytes, Some("x.env"));
        prop_assert_eq!(result.bytes_scanned, bytes.len() as u64);
    }

    /// What stays of any secret: its class of length, and at most four characters at each end.
    #[test]
    fn a_redacted_secret_tells_its_class_of_length_and_its_ends_only(secret in prop_oneof![
        "\\PC{1,80}",
        "[A-Za-z0-9+/=_.-]{1,300}",
    ]) {
        prop_assume!(!secret.starts_with("-----BEGIN "));
        let redacted = scanner().redact_secret(&secret);
        let length = secret.chars().count();
        let (ends, stars) = match length {
            _ if secret.chars().any(char::is_whitespace) => (0, 8),
            0..16 => (0, 8),
            16..32 => (2, 12),
            _ => (4, 24),
        };
        let head: String = secret.chars().take(ends).collect();
        let tail: String = secret.chars().skip(length - ends).collect();
        prop_assert_eq!(&redacted, &format!("{head}{}{tail}", "*".repeat(stars)));
        prop_assert!(ends * 4 <= length.max(1) * 4 / 2);
        prop_assert_eq!(scanner().redact_secret(&redacted), redacted);
    }

    /// Around a secret nothing changes, and of it nothing but what its redaction shows is left.
    #[test]
    fn a_text_keeps_all_but_its_secret(
        seed in 0_u8..9,
        before in "([a-z]{1,9}[ ,.]){0,12}",
        after in "([ ,.][a-z]{1,9}){0,12}",
        frame in prop::sample::select(vec![("token ", " "), ("key='", "'"), ("\n", "\r\n"), ("x=", ";"), ("\u{e9} ", " \u{1f600}"), ("{\"a\":\"", "\"}")]),
    ) {
        let scanner = scanner();
        let secret = github_token(seed);
        let (before, after) = (format!("{before}{}", frame.0), format!("{}{after}", frame.1));
        prop_assume!(scanner.redact_text(&before) == before && scanner.redact_text(&after) == after);
        let clean = scanner.redact_text(&format!("{before}{secret}{after}")).into_owned();
        prop_assert_eq!(&clean, &format!("{before}{}{after}", scanner.redact_secret(&secret)));
        for start in 0..=secret.len() - 8 {
            prop_assert!(!clean.contains(&secret[start..start + 8]), "{clean}");
        }
    }
}
