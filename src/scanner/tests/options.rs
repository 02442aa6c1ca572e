use serde_json::json;

use super::super::{CustomRuleData, Scanner, ScannerOptions, Severity};
use super::{github_token, scanner, scanner_with};
use crate::error::Code;

#[test]
fn wrong_options_are_refused_by_name() {
    for (options, name) in [
        (json!({ "minSeverty": "low" }), "minSeverty"),
        (json!({ "minConfidence": 2 }), "minConfidence"),
        (json!({ "maxFileSize": 0 }), "maxFileSize"),
        (json!({ "disable": ["nothing"] }), "disable"),
        (json!({ "entropy": 9.5 }), "entropy"),
        (json!({ "allowlist": [{}] }), "allowlist"),
    ] {
        let error = ScannerOptions::from_json(options).and_then(Scanner::new).err().unwrap();
        assert_eq!(error.code(), Code::OptionInvalid, "{name}");
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn a_disabled_rule_is_silent_and_so_are_guesses_in_its_place() {
    let text = format!("x = '{}'", github_token(1));
    assert!(scanner().scan_text(&text, None).found);
    assert!(
        !scanner_with(json!({ "disable": ["github-*"] }))
            .scan_text(&text, None)
            .found
    );
}

#[test]
fn guesses_from_randomness_can_be_turned_off_and_up() {
    let text = "api_key = 'q7Zt4Rk9Vb2Xm8Lw5Pd'";
    assert!(scanner().scan_text(text, None).found);
    assert!(!scanner_with(json!({ "entropy": false })).scan_text(text, None).found);
    assert!(
        scanner_with(json!({ "entropy": { "threshold": 2.5, "minLength": 12 } }))
            .scan_text(text, None)
            .found
    );
}

#[test]
fn a_rule_added_later_is_used_and_may_not_take_a_built_in_name() {
    let scanner = scanner();
    let rule = |name: &str| CustomRuleData {
        name: name.into(),
        pattern: "zeta-[0-9]{4}".into(),
        severity: Severity::High,
        description: String::new(),
    };
    scanner.add_pattern(&rule("Zeta key")).unwrap();
    scanner.add_pattern(&rule("Zeta key")).unwrap();
    let result = scanner.scan_text("zeta-1234", None);
    assert_eq!(
        result.secrets.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(),
        ["Zeta-key"]
    );
    assert_eq!(
        scanner.patterns().iter().filter(|one| one.rule == "Zeta-key").count(),
        1
    );
    assert_eq!(
        scanner.add_pattern(&rule("github-token")).unwrap_err().code(),
        Code::OptionInvalid
    );
}
