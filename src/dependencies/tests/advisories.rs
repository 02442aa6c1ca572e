//! Three answers: vulnerable with the fixed version, clean as of a day, unknown.

use nodejs_semver::Version;
use serde_json::{Value, json};

use super::{codes, file_of, judged, offline};
use crate::dependencies::FindingCode::{Blocked, Unknown, Vulnerable};
use crate::dependencies::{BulkAnswer, DependencyOptions, Facts, Known, Severity, Snapshot, Standing, read_bulk};

/// No rule but those of advisories finds anything.
fn quiet() -> DependencyOptions {
    DependencyOptions::from_value(json!({ "minimumAge": 0 })).unwrap()
}

fn lock_of(packages: &[(&str, &str)]) -> Value {
    let mut entries = json!({ "": {} });
    for (name, version) in packages {
        entries[format!("node_modules/{name}")] = json!({ "version": version, "integrity": "sha512-AA==" });
    }
    json!({ "lockfileVersion": 3, "packages": entries })
}

fn manifest_of(packages: &[(&str, &str)]) -> Value {
    let wanted: serde_json::Map<String, Value> = packages
        .iter()
        .map(|(name, range)| ((*name).to_owned(), json!(range)))
        .collect();
    json!({ "name": "mine", "dependencies": wanted })
}

#[test]
fn the_shipped_snapshot_holds_whole_advisories() {
    let shipped = Snapshot::shipped();
    assert!(shipped.advisories() >= 20 && shipped.packages.len() >= 20);
    assert!(crate::dependencies::millis_of(&shipped.date).is_some());
    for (name, advisories) in &shipped.packages {
        for one in advisories {
            assert!(
                one.id.starts_with("GHSA-") && one.id.len() == 19 && !one.ranges.is_empty(),
                "{name} {one:?}"
            );
            assert!(one.modified.as_str() <= shipped.date.as_str(), "{name} {}", one.id);
            for span in &one.ranges {
                let readable = |text: &String| text == "0" || Version::parse(text).is_ok();
                assert!(
                    readable(&span.from) && span.before.as_ref().or(span.through.as_ref()).is_some_and(readable),
                    "{name} {span:?}"
                );
            }
        }
    }
}

#[test]
fn a_vulnerable_version_is_told_with_the_fixed_one() {
    let report = offline(&manifest_of(&[("lodash", "4.17.15")]), None);
    assert_eq!(report.verdict, Standing::Failed);
    let found = report
        .findings
        .iter()
        .find(|finding| finding.code == Vulnerable)
        .unwrap();
    assert_eq!(found.advisory.as_deref(), Some("GHSA-35jh-r3h4-6jhm"));
    assert_eq!(
        (found.severity, found.fix.as_deref()),
        (Severity::High, Some("take 4.17.21 or later"))
    );
    assert_eq!(report.answers.vulnerable, 1);
}

#[test]
fn what_the_snapshot_does_not_mention_is_unknown_and_never_passes() {
    for (name, version) in [("lodash", "4.17.21"), ("zod", "4.0.0")] {
        let report = judged(
            &manifest_of(&[(name, version)]),
            Some(&lock_of(&[(name, version)])),
            &quiet(),
            &Facts::default(),
            Known::default(),
        );
        assert_eq!(
            (report.verdict, codes(&report, name)),
            (Standing::Unknown, vec![Unknown]),
            "{name}"
        );
        assert_eq!((report.answers.clean, report.answers.unknown), (0, 1));
    }
}

#[test]
fn with_the_whole_file_the_rest_is_clean_as_of_its_day() {
    let record = json!({ "id": "GHSA-aaaa-bbbb-cccc", "summary": "bad", "database_specific": { "severity": "HIGH" }, "affected": [{
        "package": { "ecosystem": "npm", "name": "bad" }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }] }] });
    let packages = [("bad", "1.0.0"), ("zod", "4.0.0")];
    let (_folder, file) = file_of(std::slice::from_ref(&record));
    let report = judged(
        &manifest_of(&packages),
        Some(&lock_of(&packages)),
        &quiet(),
        &Facts::default(),
        Known::new(Some(file)),
    );
    assert_eq!(report.verdict, Standing::Failed);
    assert_eq!(
        (report.answers.vulnerable, report.answers.clean, report.answers.unknown),
        (1, 1, 0)
    );
    assert_eq!(report.advisories_as_of.as_deref(), Some("2026-05-28"));
    let good = [("bad", "2.0.0"), ("zod", "4.0.0")];
    let (_folder, file) = file_of(&[record]);
    let report = judged(
        &manifest_of(&good),
        Some(&lock_of(&good)),
        &quiet(),
        &Facts::default(),
        Known::new(Some(file)),
    );
    assert_eq!(
        (report.verdict, report.findings.as_slice()),
        (Standing::Passed, [].as_slice())
    );
}

#[test]
fn a_range_is_bad_where_no_good_version_is_in_it_and_open_where_one_is() {
    let record = json!({ "id": "GHSA-aaaa-bbbb-cccc", "database_specific": { "severity": "HIGH" }, "affected": [{
        "package": { "ecosystem": "npm", "name": "bad" }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "1.5.0" }] }] }] });
    for (range, expected, fix) in [
        ("~1.2.0", Vulnerable, Some("take 1.5.0 or later")),
        ("<1.5.0", Vulnerable, Some("take 1.5.0 or later")),
        ("^1.2.0", Unknown, Some("write ^1.5.0, or pass the lock file")),
    ] {
        let (_folder, file) = file_of(std::slice::from_ref(&record));
        let report = judged(
            &manifest_of(&[("bad", range)]),
            None,
            &quiet(),
            &Facts::default(),
            Known::new(Some(file)),
        );
        let found = report
            .findings
            .iter()
            .find(|finding| finding.package == "bad" && finding.advisory.is_some())
            .unwrap();
        assert_eq!((found.code, found.fix.as_deref()), (expected, fix), "{range}");
    }
    let (_folder, file) = file_of(&[record]);
    let report = judged(
        &manifest_of(&[("bad", "^1.5.0")]),
        None,
        &quiet(),
        &Facts::default(),
        Known::new(Some(file)),
    );
    assert_eq!((codes(&report, "bad"), report.answers.clean), (vec![], 1));
}

#[test]
fn malicious_versions_are_blocked_with_or_without_a_file() {
    for (name, version) in [
        ("event-stream", "3.3.6"),
        ("ua-parser-js", "0.7.29"),
        ("axios", "1.14.1"),
        ("flatmap-stream", "0.1.1"),
    ] {
        let report = offline(&manifest_of(&[(name, version)]), None);
        let found = report
            .findings
            .iter()
            .find(|finding| finding.code == Blocked)
            .unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.severity, Severity::Critical);
        assert!(
            found.advisory.is_some() && found.reason.contains("known since 20"),
            "{found:?}"
        );
    }
    assert!(
        !codes(
            &offline(&manifest_of(&[("event-stream", "4.0.1")]), None),
            "event-stream"
        )
        .contains(&Blocked)
    );
    let record = json!({ "id": "MAL-2026-9", "affected": [{ "package": { "ecosystem": "npm", "name": "evil" } }] });
    let (_folder, file) = file_of(&[record]);
    let report = judged(
        &manifest_of(&[("evil", "^1.0.0")]),
        None,
        &quiet(),
        &Facts::default(),
        Known::new(Some(file)),
    );
    assert!(codes(&report, "evil").contains(&Blocked));
}

#[test]
fn what_is_blocked_is_only_allowed_by_its_code() {
    let manifest = manifest_of(&[("chalk", "5.6.1")]);
    let allowing = |entry: &str| {
        let options = DependencyOptions::from_value(json!({ "minimumAge": 0, "allow": [entry] })).unwrap();
        codes(
            &judged(&manifest, None, &options, &Facts::default(), Known::default()),
            "chalk",
        )
        .contains(&Blocked)
    };
    assert!(allowing("chalk") && allowing("blocked:chalk@5.0.0"));
    assert!(!allowing("blocked:chalk") && !allowing("blocked:chalk@5.6.1"));
}

#[test]
fn the_registrys_answer_makes_what_it_does_not_mention_clean() {
    let answer = json!({ "minimist": [{ "id": 1_097_678, "url": "https://github.com/advisories/GHSA-xvch-5gv4-984h",
        "title": "Prototype Pollution in minimist", "severity": "critical", "vulnerable_versions": ">=1.0.0 <1.2.6", "cwe": ["CWE-1321"] }] });
    let bulk = BulkAnswer {
        asked: ["minimist".to_owned(), "zod".to_owned()].into(),
        advisories: read_bulk(answer.to_string().as_bytes()).unwrap(),
        day: "2026-05-28".to_owned(),
    };
    let mut known = Known::default();
    known.bulk = Some(bulk);
    let packages = [("minimist", "1.2.5"), ("zod", "4.0.0"), ("yargs", "17.0.0")];
    let report = judged(
        &manifest_of(&packages),
        Some(&lock_of(&packages)),
        &quiet(),
        &Facts::default(),
        known,
    );
    assert_eq!(
        (report.answers.vulnerable, report.answers.clean, report.answers.unknown),
        (1, 1, 1)
    );
    assert_eq!(codes(&report, "minimist"), [Vulnerable]);
    assert_eq!(report.advisories_as_of.as_deref(), Some("2026-05-28"));
    for wrong in [
        "",
        "[]",
        "{\"a\":{}}",
        "{\"a\":[{\"vulnerable_versions\":7}]}",
        "<html>",
    ] {
        assert!(read_bulk(wrong.as_bytes()).is_none(), "{wrong}");
    }
}
