//! The tree that npm would install, put together from what a registry says.

use serde_json::{Value, json};

use super::{NOW, codes, judged};
use crate::dependencies::FindingCode::{Blocked, Deprecated, InstallScript, TooNew, Unknown};
use crate::dependencies::{DependencyOptions, Facts, Known, Registered, day_of};

fn facts(packages: &[(&str, Value)]) -> Facts {
    let known = packages
        .iter()
        .map(|(name, value)| {
            (
                (*name).to_owned(),
                Registered::read(value.to_string().as_bytes()).unwrap(),
            )
        })
        .collect();
    Facts {
        known,
        asked: true,
        ..Facts::default()
    }
}

/// A package whose versions were all published a year ago.
fn package(latest: &str, versions: &Value) -> Value {
    json!({ "dist-tags": { "latest": latest }, "versions": versions, "modified": "2025-01-01T00:00:00Z" })
}

fn check(manifest: &Value, facts: &Facts, options: Value) -> crate::dependencies::DependencyReport {
    let options = DependencyOptions::from_value(options).unwrap();
    judged(manifest, None, &options, facts, Known::default())
}

#[test]
fn versions_are_chosen_as_npm_chooses_them() {
    let known = Registered::read(
        package(
            "1.2.0",
            &json!({ "1.0.0": {}, "1.2.0": {}, "1.3.0": {}, "2.0.0-rc.1": {}, "0.9.0": {}, "nonsense": {} }),
        )
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    let pick = |range: &str| known.pick(&crate::dependencies::source::Source::of(range));
    for (range, expected) in [
        ("^1.0.0", Some("1.2.0")),
        (">=1.2.1", Some("1.3.0")),
        ("*", Some("1.2.0")),
        ("~0.9.0", Some("0.9.0")),
        ("latest", Some("1.2.0")),
        ("next", None),
        ("^3.0.0", None),
        ("2.0.0-rc.1", Some("2.0.0-rc.1")),
    ] {
        assert_eq!(pick(range).as_deref(), expected, "{range}");
    }
}

#[test]
fn what_packages_bring_along_is_judged_too() {
    let facts = facts(&[
        (
            "zod",
            package(
                "1.0.0",
                &json!({ "1.0.0": { "dependencies": { "yargs": "^1.0.0" }, "peerDependencies": { "react": "^1.0.0", "vue": "^1.0.0" }, "peerDependenciesMeta": { "vue": { "optional": true } } } }),
            ),
        ),
        (
            "yargs",
            package(
                "1.0.0",
                &json!({ "1.0.0": { "hasInstallScript": true, "dependencies": { "zod": "1.0.0" } } }),
            ),
        ),
        (
            "react",
            package(
                "1.0.0",
                &json!({ "1.0.0": { "deprecated": "gone", "scripts": { "test": "x" } } }),
            ),
        ),
    ]);
    let report = check(&json!({ "dependencies": { "zod": "^1.0.0" } }), &facts, json!({}));
    assert_eq!(report.packages, 3);
    assert!(codes(&report, "yargs").contains(&InstallScript) && codes(&report, "react").contains(&Deprecated));
    let script = report
        .findings
        .iter()
        .find(|finding| finding.code == InstallScript)
        .unwrap();
    assert_eq!(script.path, ["zod", "yargs"]);
}

#[test]
fn a_version_of_yesterday_is_too_new_until_it_is_old_enough() {
    let day = |days: i64| format!("{}T00:00:00Z", day_of(NOW - days * 86_400_000));
    let fresh = json!({ "dist-tags": { "latest": "1.1.0" }, "versions": { "1.0.0": {}, "1.1.0": {} },
        "time": { "1.0.0": day(400), "1.1.0": day(2), "modified": day(2) } });
    let found = |range: &str, hours: i64| {
        let report = check(
            &json!({ "dependencies": { "zod": range } }),
            &facts(&[("zod", fresh.clone())]),
            json!({ "minimumAge": hours * 3_600_000 }),
        );
        codes(&report, "zod").contains(&TooNew)
    };
    assert!(found("^1.0.0", 24 * 7) && !found("^1.0.0", 24) && !found("1.0.0", 24 * 7) && !found("^1.0.0", 0));
}

#[test]
fn names_that_the_registry_holds_back_or_emptied_are_told() {
    let facts = facts(&[
        ("bad-one", package("0.0.1-security", &json!({ "0.0.1-security": {} }))),
        ("bad-two", json!({ "dist-tags": {}, "versions": {} })),
    ]);
    let report = check(
        &json!({ "dependencies": { "bad-one": "*", "bad-two": "*" } }),
        &facts,
        json!({}),
    );
    assert!(codes(&report, "bad-one").contains(&Blocked));
    assert!(codes(&report, "bad-two").contains(&Unknown));
}

#[test]
fn a_package_that_could_not_be_learnt_is_unknown_and_told_why() {
    let mut facts = facts(&[]);
    facts
        .failures
        .insert("zod".to_owned(), "the registry answered 500".to_owned());
    let report = check(&json!({ "dependencies": { "zod": "^1.0.0" } }), &facts, json!({}));
    assert_eq!(report.verdict, crate::dependencies::Standing::Unknown);
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.package == "zod" && finding.reason.contains("500"))
    );
}

#[test]
fn what_is_no_packument_is_none() {
    for text in ["", "[]", "{}", "{\"versions\":[]}", "null", "{\"versions\":7}"] {
        assert!(Registered::read(text.as_bytes()).is_none(), "{text}");
    }
    let odd = "{\"versions\":{\"1.0.0\":7,\"x\":null},\"dist-tags\":[],\"time\":{\"1.0.0\":9}}";
    assert!(Registered::read(odd.as_bytes()).is_some());
}
