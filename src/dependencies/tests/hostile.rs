//! Manifests that were made to hurt.

use serde_json::{Value, json};

use super::{codes, offline};
use crate::dependencies::FindingCode::{InstallScript, NonRegistry, Unpinned};
use crate::dependencies::{DependencyOptions, Facts, Known, Standing, read_manifest};
use crate::error::Code;

#[test]
fn wrong_types_are_named_with_their_place() {
    for (text, word) in [
        ("", "JSON"),
        ("null", "an object, not null"),
        ("[]", "an object, not an array"),
        ("{\"dependencies\":[]}", "`dependencies`"),
        ("{\"dependencies\":{\"a\":1}}", "dependencies[\"a\"]"),
        ("{\"devDependencies\":\"x\"}", "`devDependencies`"),
        ("{\"overrides\":[]}", "`overrides`"),
        ("{\"overrides\":{\"a\":1}}", "overrides[\"a\"]"),
    ] {
        let error = read_manifest(text, &[]).unwrap_err();
        assert!(
            error.code() == Code::OptionInvalid && error.message().contains(word),
            "{text}: {error}"
        );
    }
    let deep = format!("{{\"overrides\":{}\"1\"{}}}", "{\"b\":".repeat(60), "}".repeat(60));
    assert!(read_manifest(&deep, &[]).unwrap_err().message().contains("deeply"));
    let nested = "[".repeat(100_000);
    assert_eq!(read_manifest(&nested, &[]).unwrap_err().code(), Code::OptionInvalid);
    assert!(
        read_manifest(&" ".repeat(17 << 20), &[])
            .unwrap_err()
            .message()
            .contains("bytes")
    );
}

#[test]
fn hundred_thousand_dependencies_are_judged() {
    let wanted: serde_json::Map<String, Value> = (0..100_000)
        .map(|index| (format!("some-package-{index}"), json!("^1.0.0")))
        .collect();
    let report = offline(&json!({ "dependencies": wanted }), None);
    assert_eq!((report.packages, report.verdict), (100_000, Standing::Unknown));
    let wanted: serde_json::Map<String, Value> = (0..200_001).map(|index| (index.to_string(), json!("1"))).collect();
    assert!(read_manifest(&json!({ "dependencies": wanted }).to_string(), &[]).is_err());
}

#[test]
fn names_and_ranges_that_are_none_are_told_and_shown_harmlessly() {
    let manifest = json!({ "name": "\u{1b}[31mred", "dependencies": {
        "../../etc/passwd": "1.0.0", "__proto__": "1.0.0", "constructor": "1.0.0", "a b": "1.0.0", "": "1.0.0", "x\u{202e}y": "1.0.0",
        "git": "git+https://me:secret@host.example/x?token=secret", "url": "https://u:secret@host.example/x.tgz",
        "file": "file:/etc/passwd", "shell": "$(id)", "long": "1 || ".repeat(100_000), "nul": "1.0.0\u{0}" } });
    let report = offline(&manifest, None);
    for name in ["../../etc/passwd", "a b", "", "git", "url", "file", "shell", "long"] {
        assert!(
            codes(&report, name).contains(&NonRegistry),
            "{name}: {:?}",
            codes(&report, name)
        );
    }
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("secret"), "credentials are shown");
    assert!(
        !text.contains('\u{202e}') && !text.contains("\\u001b") && !text.contains("\\u0000"),
        "{text}"
    );
    assert!(text.len() < 20_000, "{}", text.len());
}

#[test]
fn sources_scripts_and_open_ranges_are_told() {
    let manifest = json!({ "name": "x", "scripts": { "preinstall": "id", "test": "y" },
        "dependencies": { "zod": "*", "axios": "latest", "express": ">=4.0.0", "semver": "^7.0.0" },
        "peerDependencies": { "react": "*" }, "optionalDependencies": { "chalk": "github:a/b" },
        "overrides": { "debug": "git+https://host.example/x", "ms": { ".": "1.0.0", "qs": "file:../y" } },
        "resolutions": { "**/lodash": "https://host.example/z.tgz" } });
    let report = offline(&manifest, None);
    for (name, code) in [
        ("zod", Unpinned),
        ("axios", Unpinned),
        ("express", Unpinned),
        ("chalk", NonRegistry),
        ("debug", NonRegistry),
        ("qs", NonRegistry),
        ("lodash", NonRegistry),
        ("x", InstallScript),
    ] {
        assert!(
            codes(&report, name).contains(&code),
            "{name}: {:?}",
            codes(&report, name)
        );
    }
    assert!(!codes(&report, "react").contains(&Unpinned) && !codes(&report, "semver").contains(&Unpinned));
}

#[test]
fn what_is_left_out_is_not_judged_and_wrong_options_are_named() {
    let manifest = json!({ "dependencies": {}, "devDependencies": { "lodahs": "1.0.0" }, "peerDependencies": { "expresss": "1" } });
    let options = DependencyOptions::from_value(json!({ "omit": ["dev", "peer"] })).unwrap();
    let report = super::judged(&manifest, None, &options, &Facts::default(), Known::default());
    assert_eq!(
        (report.packages, report.verdict, report.advisories_as_of),
        (0, Standing::Passed, None)
    );
    for (wrong, word) in [
        (json!({ "omit": ["x"] }), "omit"),
        (json!({ "minimumAge": -1 }), "invalid value"),
        (json!({ "timeout": 0 }), "timeout"),
        (json!({ "registry": "ftp://x" }), "registry"),
        (json!({ "allow": ["nonsense:x"] }), "allow"),
        (json!({ "allow": ["x@not a range at all |"] }), "allow"),
        (json!({ "ofline": true }), "ofline"),
    ] {
        let error = DependencyOptions::from_value(wrong.clone()).unwrap_err();
        assert!(
            error.code() == Code::OptionInvalid && error.message().contains(word),
            "{wrong}: {error}"
        );
    }
}
