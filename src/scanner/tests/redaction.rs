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
fn comments_and_disabled_guesses_do_not_open_the_log() {
    let token = github_token(1);
    let text = format!("{token} // gitleaks:allow");
    assert!(!scanner().redact_text(&text).contains(&token));
    let allowed = scanner_with(serde_json::json!({ "allowlist": [token.clone()] }));
    assert_eq!(allowed.redact_text(&text), text);
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
}
