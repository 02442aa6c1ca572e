//! OSV records are read as their schema says.

use nodejs_semver::Version;
use serde_json::{Value, json};

use super::{file_of, zip_of};
use crate::dependencies::osv::read;
use crate::dependencies::{Severity, build};
use crate::error::Code;

fn record(events: &Value) -> Value {
    json!({ "id": "GHSA-aaaa-bbbb-cccc", "modified": "2024-05-06T07:08:09Z", "summary": "bad", "aliases": ["CVE-1"],
        "affected": [{ "package": { "ecosystem": "npm", "name": "x" }, "ranges": [{ "type": "SEMVER", "events": events }] }],
        "database_specific": { "severity": "MODERATE" } })
}

fn affected(record: &Value, version: &str) -> bool {
    let found = read(record.to_string().as_bytes()).unwrap();
    found[0].1.affects(&Version::parse(version).unwrap())
}

#[test]
fn events_open_and_close_ranges_in_any_order() {
    let record = record(&json!([
        { "fixed": "2.1.0" }, { "introduced": "0" }, { "introduced": "2.0.0" }, { "fixed": "1.2.3" }
    ]));
    for (version, bad) in [
        ("0.0.1", true),
        ("1.2.2", true),
        ("1.2.3", false),
        ("1.9.0", false),
        ("2.0.0", true),
        ("2.1.0-rc.1", true),
        ("2.1.0", false),
    ] {
        assert_eq!(affected(&record, version), bad, "{version}");
    }
}

#[test]
fn a_last_affected_version_is_bad_itself_and_an_open_range_has_no_end() {
    let last = record(&json!([{ "introduced": "1.0.0" }, { "last_affected": "1.5.0" }]));
    assert!(affected(&last, "1.5.0") && !affected(&last, "1.5.1") && !affected(&last, "0.9.0"));
    let open = record(&json!([{ "introduced": "1.0" }]));
    assert!(affected(&open, "1.0.0") && affected(&open, "99.0.0") && !affected(&open, "0.9.9"));
    let mut known = record(&json!([{ "introduced": "0" }]));
    known["affected"][0]["database_specific"] = json!({ "last_known_affected_version_range": "<= 3.1.0" });
    assert!(affected(&known, "3.1.0") && !affected(&known, "3.1.1"));
}

#[test]
fn listed_versions_count_beside_ranges() {
    let mut both = record(&json!([{ "introduced": "2.0.0" }, { "fixed": "2.0.1" }]));
    both["affected"][0]["versions"] = json!(["1.0.0"]);
    assert!(affected(&both, "1.0.0") && affected(&both, "2.0.0") && !affected(&both, "1.0.1"));
    let none = json!({ "id": "MAL-2024-1", "affected": [{ "package": { "ecosystem": "npm", "name": "x" } }] });
    assert!(
        affected(&none, "1.0.0"),
        "a record without versions is about all of them"
    );
}

#[test]
fn what_is_not_about_npm_or_was_withdrawn_is_left_out() {
    let mut other = record(&json!([{ "introduced": "0" }]));
    other["affected"][0]["package"]["ecosystem"] = json!("PyPI");
    assert_eq!(read(other.to_string().as_bytes()).unwrap(), []);
    let mut withdrawn = record(&json!([{ "introduced": "0" }]));
    withdrawn["withdrawn"] = json!("2024-01-01T00:00:00Z");
    assert_eq!(read(withdrawn.to_string().as_bytes()).unwrap(), []);
    assert!(read(b"{}").is_none() && read(b"[]").is_none() && read(b"\xff").is_none());
}

#[test]
fn malicious_packages_and_severities_are_told_apart() {
    let severity = |record: &Value| {
        let found = read(record.to_string().as_bytes()).unwrap();
        (found[0].1.severity, found[0].1.malicious)
    };
    let mut one = record(&json!([{ "introduced": "0" }]));
    assert_eq!(severity(&one), (Severity::Medium, false));
    one["database_specific"] = json!({ "severity": "LOW", "cwe_ids": ["CWE-506"] });
    assert_eq!(severity(&one), (Severity::Critical, true));
    one["database_specific"] = json!(null);
    assert_eq!(
        severity(&one),
        (Severity::High, false),
        "an advisory that says nothing is taken for a bad one"
    );
    one["id"] = json!("MAL-2025-1");
    assert_eq!(severity(&one), (Severity::Critical, true));
}

#[test]
fn every_package_of_an_archive_is_found_again() {
    let records: Vec<Value> = (0..5_000)
        .map(|index| {
            json!({ "id": format!("MAL-2026-{index}"), "affected": [{ "package": { "ecosystem": "npm", "name": format!("bad-{index}") }, "versions": ["1.0.0"] }] })
        })
        .collect();
    let (_folder, mut file) = file_of(&records);
    assert_eq!(
        (file.header.advisories, file.header.packages, file.header.skipped),
        (5_000, 5_000, 0)
    );
    for index in (0..5_000).rev() {
        let found = file.about(&format!("bad-{index}")).unwrap();
        assert_eq!(found.len(), 1, "bad-{index}");
        assert_eq!(found[0].id, format!("MAL-2026-{index}"));
    }
    for name in ["", "aaa", "bad-", "bad-50000", "zzz", "bad-1\t", "bad-1\n"] {
        assert_eq!(file.about(name).unwrap(), [], "{name}");
    }
}

#[test]
fn a_file_of_which_any_byte_was_changed_is_refused() {
    let records: Vec<Value> = (0..400)
        .map(|index| json!({ "id": format!("MAL-1-{index}"), "affected": [{ "package": { "ecosystem": "npm", "name": format!("p{index:03}") } }] }))
        .collect();
    let bytes = build(std::io::Cursor::new(zip_of(&records)), "test", "2026-01-01")
        .unwrap()
        .bytes;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let whole = |bytes: &[u8]| -> crate::error::Result<usize> {
        std::fs::write(&path, bytes).unwrap();
        let mut file = crate::dependencies::AdvisoryFile::open(&path)?.unwrap();
        let mut count = 0;
        for index in 0..400 {
            count += file.about(&format!("p{index:03}"))?.len();
        }
        Ok(count)
    };
    assert_eq!(whole(&bytes).unwrap(), 400);
    for at in (0..bytes.len()).step_by(61) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(
            whole(&changed).unwrap_err().code(),
            Code::AdvisoriesUnusable,
            "byte {at}"
        );
    }
    for length in (0..bytes.len()).step_by(97) {
        assert_eq!(
            whole(&bytes[..length]).unwrap_err().code(),
            Code::AdvisoriesUnusable,
            "{length} bytes"
        );
    }
}

#[test]
fn an_archive_that_is_none_or_holds_nothing_changes_nothing() {
    let refused = |bytes: Vec<u8>| {
        build(std::io::Cursor::new(bytes), "test", "2026-01-01")
            .unwrap_err()
            .code()
    };
    assert_eq!(refused(b"no zip".to_vec()), Code::AdvisoriesUnusable);
    assert_eq!(refused(zip_of(&[])), Code::AdvisoriesUnusable);
    assert_eq!(
        refused(zip_of(&[json!({ "id": 7 }), json!([]), json!("x")])),
        Code::AdvisoriesUnusable
    );
    let good = |id: u32| json!({ "id": format!("MAL-1-{id}"), "affected": [{ "package": { "ecosystem": "npm", "name": "x" } }] });
    let mut mixed: Vec<Value> = (0..20).map(good).collect();
    mixed.extend([json!({}), json!({})]);
    assert_eq!(
        refused(zip_of(&mixed)),
        Code::AdvisoriesUnusable,
        "two of 22 records are unreadable"
    );
    mixed.pop();
    assert_eq!(
        build(std::io::Cursor::new(zip_of(&mixed)), "test", "d")
            .unwrap()
            .header
            .skipped,
        1
    );
}
