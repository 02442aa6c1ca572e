//! Lock files are followed as Node would, and what they hide is told.

use serde_json::{Value, json};

use super::{codes, offline};
use crate::dependencies::FindingCode::{Deprecated, InstallScript, NonRegistry, Unknown, Unpinned};
use crate::dependencies::{Severity, read_lock, read_manifest};
use crate::error::Code;

const GOOD: &str = "sha512-AA==";

fn lock(packages: &Value) -> Value {
    json!({ "lockfileVersion": 3, "packages": packages })
}

#[test]
fn the_way_to_a_package_is_the_shortest_one() {
    let manifest = json!({ "dependencies": { "a": "^1.0.0", "b": "^1.0.0" } });
    let lock = lock(&json!({
        "": {},
        "node_modules/a": { "version": "1.0.0", "integrity": GOOD, "dependencies": { "c": "^1.0.0" } },
        "node_modules/b": { "version": "1.0.0", "integrity": GOOD, "dependencies": { "c": "^2.0.0" } },
        "node_modules/b/node_modules/c": { "version": "2.0.0", "integrity": GOOD, "hasInstallScript": true },
        "node_modules/c": { "version": "1.0.0", "integrity": GOOD, "dependencies": { "d": "*" } },
        "node_modules/d": { "version": "1.0.0", "integrity": GOOD, "deprecated": "use e" },
    }));
    let report = offline(&manifest, Some(&lock));
    assert_eq!(report.packages, 5);
    let script = report
        .findings
        .iter()
        .find(|finding| finding.code == InstallScript)
        .unwrap();
    assert_eq!(
        (script.path.as_slice(), script.version.as_deref()),
        (["b".to_owned(), "c".to_owned()].as_slice(), Some("2.0.0"))
    );
    let old = report
        .findings
        .iter()
        .find(|finding| finding.code == Deprecated)
        .unwrap();
    assert_eq!(old.path, ["a", "c", "d"]);
    assert!(old.reason.contains("use e") && old.range == "*");
}

#[test]
fn packages_that_need_each_other_end() {
    let manifest = json!({ "dependencies": { "a": "1" } });
    let lock = lock(&json!({
        "node_modules/a": { "version": "1.0.0", "integrity": GOOD, "dependencies": { "b": "1" } },
        "node_modules/b": { "version": "1.0.0", "integrity": GOOD, "dependencies": { "a": "1", "b": "1" } },
        "node_modules/l": { "link": true, "resolved": "node_modules/l" },
    }));
    assert_eq!(offline(&manifest, Some(&lock)).packages, 3);
}

#[test]
fn what_a_lock_hides_is_told() {
    let manifest = json!({ "dependencies": { "a": "1", "b": "1", "c": "1", "d": "1", "e": "^2.0.0", "f": "1", "g": "1", "h": "1", "i": "1" } });
    let lock = lock(&json!({
        "node_modules/a": { "version": "1.0.0" },
        "node_modules/b": { "version": "1.0.0", "integrity": "sha1-AA==" },
        "node_modules/c": { "version": "1.0.0", "integrity": GOOD, "resolved": "https://evil.example/c/-/c-1.0.0.tgz" },
        "node_modules/d": { "version": "1.0.0", "integrity": GOOD, "resolved": "https://registry.npmjs.org/evil/-/evil-1.0.0.tgz" },
        "node_modules/e": { "version": "1.0.0", "integrity": GOOD },
        "node_modules/f": { "name": "evil", "version": "1.0.0", "integrity": GOOD },
        "node_modules/g": { "link": true, "resolved": "../g" },
        "node_modules/h": { "version": "1.0.0", "resolved": "git+ssh://git@host.example/h.git#abc" },
        "node_modules/hidden": { "version": "1.0.0", "integrity": GOOD, "hasInstallScript": true },
    }));
    let report = offline(&manifest, Some(&lock));
    for (name, code) in [
        ("a", Unpinned),
        ("b", Unpinned),
        ("c", NonRegistry),
        ("d", NonRegistry),
        ("e", Unknown),
        ("f", NonRegistry),
        ("g", NonRegistry),
        ("h", NonRegistry),
        ("i", Unknown),
        ("hidden", InstallScript),
    ] {
        assert!(
            codes(&report, name).contains(&code),
            "{name}: {:?}",
            codes(&report, name)
        );
    }
    let other = report
        .findings
        .iter()
        .find(|finding| finding.package == "d" && finding.code == NonRegistry)
        .unwrap();
    assert_eq!(other.severity, Severity::Critical);
}

#[test]
fn archives_of_the_registry_pass_however_they_are_written() {
    let manifest = json!({ "dependencies": { "@a/b": "1", "c": "1", "d": "npm:e@1" } });
    let lock = lock(&json!({
        "node_modules/@a/b": { "version": "1.0.0", "integrity": GOOD, "resolved": "https://registry.npmjs.org/@a%2fb/-/b-1.0.0.tgz" },
        "node_modules/c": { "version": "1.0.0", "integrity": "sha1-AA== sha512-AA==", "resolved": "https://registry.yarnpkg.com/c/-/c-1.0.0.tgz#hash" },
        "node_modules/d": { "name": "e", "version": "1.0.0", "integrity": GOOD, "resolved": "https://registry.npmjs.org/e/-/e-1.0.0.tgz" },
        "node_modules/@a/b/node_modules/x": { "version": "1.0.0", "inBundle": true },
    }));
    let report = offline(&manifest, Some(&lock));
    assert_eq!(codes(&report, "@a/b"), [Unknown]);
    assert_eq!(codes(&report, "c"), [Unknown]);
    assert_eq!(codes(&report, "x"), [Unknown]);
    let alias = report
        .findings
        .iter()
        .find(|finding| finding.package == "d" && finding.code == NonRegistry)
        .unwrap();
    assert_eq!(
        alias.severity,
        Severity::Medium,
        "an alias that the manifest names is told, and judged by its target"
    );
}

#[test]
fn a_lock_that_is_none_says_what_to_do() {
    let manifest = read_manifest("{}", &[]).unwrap();
    for (text, word) in [
        ("", "JSON"),
        ("[]", "lockfileVersion"),
        (
            "{\"lockfileVersion\":1,\"dependencies\":{}}",
            "npm install --package-lock-only",
        ),
        ("{\"lockfileVersion\":3}", "packages"),
        ("{\"lockfileVersion\":3,\"packages\":[]}", "packages"),
        (
            "{\"lockfileVersion\":3,\"packages\":{\"node_modules/a\":7}}",
            "node_modules/a",
        ),
    ] {
        let error = read_lock(text, &manifest).unwrap_err();
        assert!(
            error.code() == Code::OptionInvalid && error.message().contains(word),
            "{text}: {error}"
        );
    }
    let deep = format!(
        "{{\"lockfileVersion\":3,\"packages\":{{\"{}a\":{{}}}}}}",
        "node_modules/a/".repeat(2_000)
    );
    assert!(read_lock(&deep, &manifest).unwrap_err().message().contains("deeper"));
}
