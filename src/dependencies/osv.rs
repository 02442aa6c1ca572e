//! Advisories in OSV's form, as osv.dev and GitHub's advisory database publish them.
//!
//! <https://ossf.github.io/osv-schema/>

use serde::Deserialize;

use super::advisory::{Advisory, Span, compare};
use super::finding::Severity;
use super::shown::plain;

/// Letters of a summary that are kept.
const MAX_SUMMARY: usize = 160;

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    modified: String,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    affected: Option<Vec<Affected>>,
    #[serde(default)]
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Option<Vec<Ranges>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Ranges {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

#[derive(Default, Deserialize)]
struct Specific {
    #[serde(default)]
    severity: Option<serde_json::Value>,
    #[serde(default)]
    cwe_ids: Option<Vec<String>>,
    #[serde(default)]
    last_known_affected_version_range: Option<String>,
}

/// The packages of npm that a record is about. A withdrawn record is about none; `None` is no record.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<(String, Advisory)>> {
    let record: Record = serde_json::from_slice(bytes).ok()?;
    if record.withdrawn.is_some() {
        return Some(Vec::new());
    }
    let specific = record.database_specific.unwrap_or_default();
    let malicious =
        record.id.starts_with("MAL-") || specific.cwe_ids.is_some_and(|ids| ids.iter().any(|id| id == "CWE-506"));
    let summary: String = record.summary.unwrap_or_default().chars().take(MAX_SUMMARY).collect();
    let whole = Advisory {
        severity: if malicious {
            Severity::Critical
        } else {
            severity_of(specific.severity.as_ref())
        },
        id: record.id,
        aliases: record.aliases.unwrap_or_default(),
        summary: plain(&summary),
        modified: record.modified.get(..10).unwrap_or_default().to_owned(),
        malicious,
        ..Advisory::default()
    };
    let mut found: Vec<(String, Advisory)> = Vec::new();
    for affected in record.affected.unwrap_or_default() {
        let Some(package) = affected.package.filter(|package| package.ecosystem == "npm") else {
            continue;
        };
        let last_known = affected
            .database_specific
            .and_then(|own| own.last_known_affected_version_range);
        let mut ranges = Vec::new();
        for range in affected.ranges.unwrap_or_default() {
            if range.kind != "GIT" {
                spans(range.events, last_known.as_deref(), &mut ranges);
            }
        }
        let versions = affected.versions.unwrap_or_default();
        let every_version = ranges.is_empty() && versions.is_empty();
        match found.iter_mut().find(|(name, _)| *name == package.name) {
            Some((_, advisory)) => {
                advisory.ranges.append(&mut ranges);
                advisory.versions.extend(versions);
                advisory.every_version |= every_version;
            }
            None => found.push((
                package.name,
                Advisory {
                    ranges,
                    versions,
                    every_version,
                    ..whole.clone()
                },
            )),
        }
    }
    Some(found)
}

/// The schema's evaluation: events in the order of their versions; each `introduced` opens, the next end closes.
fn spans(events: Vec<Event>, last_known: Option<&str>, found: &mut Vec<Span>) {
    let mut sorted: Vec<(String, u8)> = Vec::new();
    for event in events {
        let ends = [
            (event.fixed, 0),
            (event.introduced, 1),
            (event.last_affected, 2),
            (event.limit, 0),
        ];
        sorted.extend(ends.into_iter().filter_map(|(version, kind)| Some((version?, kind))));
    }
    sorted.sort_by(|(one, kind), (other, other_kind)| compare(one, other).then(kind.cmp(other_kind)));
    let mut open: Option<String> = None;
    for (version, kind) in sorted {
        match (kind, open.take()) {
            (1, None) => open = Some(version),
            (1, already) => open = already,
            (_, None) => {}
            (0, Some(from)) => found.push(Span {
                from,
                before: Some(version),
                through: None,
            }),
            (_, Some(from)) => found.push(Span {
                from,
                before: None,
                through: Some(version),
            }),
        }
    }
    if let Some(from) = open {
        let last_known = last_known.map(str::trim).filter(|text| *text != "*");
        let through = last_known
            .and_then(|text| text.strip_prefix("<="))
            .map(|text| text.trim().to_owned());
        let before = match through {
            Some(_) => None,
            None => last_known
                .and_then(|text| text.strip_prefix('<'))
                .map(|text| text.trim().to_owned()),
        };
        found.push(Span { from, before, through });
    }
}

/// GitHub's words. An advisory that says nothing of it is taken for a bad one.
pub(super) fn severity_of(value: Option<&serde_json::Value>) -> Severity {
    match value
        .and_then(serde_json::Value::as_str)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("low" | "info") => Severity::Low,
        Some("moderate" | "medium") => Severity::Medium,
        Some("critical") => Severity::Critical,
        _ => Severity::High,
    }
}
