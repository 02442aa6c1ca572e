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
        (json!({ "allowlist": [{ "rule": "github-tokn" }] }), "github-tokn"),
        (json!({ "allowlist": [{ "rule": "git" }] }), "git"),
        (json!({ "allowlist": [{ "rule": "zeta-*", "path": "a" }] }), "zeta-*"),
        (json!({ "rules": "[[allowlist]]\nrule = 'zeta'" }), "zeta"),
        (
            json!({ "rules": [{ "name": "a b", "pattern": "x" }, { "name": "a-b", "pattern": "y" }] }),
            "rules",
        ),
    ] {
        let error = ScannerOptions::from_json(options).and_then(Scanner::new).err().unwrap();
        assert_eq!(error.code(), Code::OptionInvalid, "{name}");
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn an_allowlist_may_name_built_in_rules_and_those_beside_it() {
    let toml =
        "[[rule]]\nname = 'Zeta key'\npattern = 'zeta-[0-9]{4}'\n[[allowlist]]\nrule = 'Zeta-key'\nvalue = 'zeta-1234'";
    let scanner =
        scanner_with(json!({ "rules": toml, "allowlist": [{ "rule": "github-*" }, { "rule": "*" , "path": "b" }] }));
    let result = scanner.scan_text(&format!("zeta-1234 zeta-4321 {}", github_token(1)), None);
    let rules: Vec<&str> = result.secrets.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["Zeta-key"]);
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

#[test]
fn a_toml_text_brings_rules_and_silences_others() {
    let text = format!("{} {} zeta-1234 zeta-4321", github_token(1), github_token(2));
    let toml = format!(
        "disable = ['npm-*']\n[[rule]]\nname = 'Zeta key'\npattern = 'zeta-[0-9]{{4}}'\nseverity = 'high'\n\
         [[allowlist]]\nvalue = '{}'\n[[allowlist]]\nrule = 'Zeta-key'\nregex = '4321$'\n",
        github_token(1)
    );
    let scanner = scanner_with(json!({ "rules": toml }));
    let result = scanner.scan_text(&text, None);
    let rules: Vec<_> = result.secrets.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["github-token", "Zeta-key"]);
    assert!(scanner.patterns().iter().all(|one| !one.rule.starts_with("npm-")));
    for wrong in ["rule = 3", "[[rules]]\nname = 'x'", "not toml at all ["] {
        let error = ScannerOptions::from_json(json!({ "rules": wrong }))
            .and_then(Scanner::new)
            .err()
            .unwrap();
        assert_eq!(error.code(), Code::OptionInvalid, "{wrong}");
    }
}

#[test]
fn an_accepted_rule_may_be_named_by_its_start_and_an_own_rule_not_like_a_built_in_one() {
    let text = format!("x = '{}'", super::github_token(1));
    for (rule, found) in [("github-*", false), ("github-token", false), ("gitlab-*", true)] {
        let scanner = scanner_with(json!({ "allowlist": [{ "rule": rule }] }));
        assert_eq!(scanner.scan_text(&text, None).found, found, "{rule}");
    }
    for options in [
        json!({ "rules": [{ "name": "github-token", "pattern": "abc", "severity": "high" }] }),
        json!({ "rules": "[[rule]]\nname = 'github-token'\npattern = 'abc'\n" }),
    ] {
        let error = Scanner::new(ScannerOptions::from_json(options).unwrap()).unwrap_err();
        assert!(error.message().contains("github-token"), "{error}");
    }
}

#[test]
fn an_accepted_path_is_written_as_in_a_gitignore() {
    let text = format!("x = '{}'", github_token(6));
    let accepted = |path: &str, file: &str| {
        let scanner = scanner_with(json!({ "allowlist": [{ "path": path }] }));
        !scanner.scan_text(&text, Some(file)).found
    };
    for (path, file, expected) in [
        ("*.ts", "x/a.ts", true),
        ("x/*.ts", "x/a.ts", true),
        ("./x/a.ts", "x/a.ts", true),
        ("/x/a.ts", "x/a.ts", true),
        ("/a.ts", "a.ts", true),
        ("/a.ts", "x/a.ts", false),
        ("x/", "x/y/a.ts", true),
        ("y/", "x/y/a.ts", true),
        ("/y/", "x/y/a.ts", false),
        ("x/**", "x/y/a.ts", true),
        ("x/*", "x/y/a.ts", false),
        ("x", "x/a.ts", false),
    ] {
        assert_eq!(accepted(path, file), expected, "{path} {file}");
    }
}
