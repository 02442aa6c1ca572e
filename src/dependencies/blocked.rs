//! Packages and versions that are known to be malicious.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::advisory::Advisory;
use super::finding::Severity;

/// One entry of the list, each with its reason, day and source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    pub name: String,
    /// Empty: every version.
    pub versions: Vec<String>,
    pub reason: String,
    /// The day it became known.
    pub date: String,
    /// The advisory that says so.
    pub source: String,
}

static LIST: LazyLock<BTreeMap<String, Blocked>> = LazyLock::new(|| {
    // A test holds the file to its form, so nothing is lost here.
    let entries: Vec<Blocked> = serde_json::from_str(include_str!("data/blocked.json")).unwrap_or_default();
    entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect()
});

/// The shipped list, by name.
pub fn blocked() -> &'static BTreeMap<String, Blocked> {
    &LIST
}

impl Blocked {
    /// The same as an advisory about malicious code.
    pub(super) fn advisory(&self) -> Advisory {
        Advisory {
            id: self.source.clone(),
            severity: Severity::Critical,
            summary: format!("{} (known since {})", self.reason, self.date),
            modified: self.date.clone(),
            malicious: true,
            versions: self.versions.clone(),
            every_version: self.versions.is_empty(),
            ..Advisory::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::date::millis_of;

    #[test]
    fn every_entry_has_a_reason_a_day_and_a_source() {
        let entries: Vec<Blocked> = serde_json::from_str(include_str!("data/blocked.json")).unwrap();
        assert!(
            entries.len() >= 20 && entries.len() == blocked().len(),
            "a name stands twice"
        );
        for entry in entries {
            let known = ["GHSA-", "MAL-", "CVE-"]
                .iter()
                .any(|prefix| entry.source.starts_with(prefix));
            assert!(
                known && entry.reason.len() > 10 && millis_of(&entry.date).is_some(),
                "{entry:?}"
            );
            for version in &entry.versions {
                assert!(
                    nodejs_semver::Version::parse(version).is_ok(),
                    "{}@{version}",
                    entry.name
                );
            }
        }
    }
}
