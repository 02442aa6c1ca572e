//! The registry's bulk advisory endpoint: what is asked, and how its answer is read.
//!
//! `POST -/npm/v1/security/advisories/bulk`, `{ "name": ["1.0.0"] }`, as `npm audit` does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::advisory::Advisory;
use super::osv::severity_of;
use super::shown::plain;
use super::tree::Tree;

/// Packages in one request.
const PACKAGES: usize = 1_000;

/// What the endpoint said.
#[derive(Clone, Debug, Default)]
pub struct BulkAnswer {
    /// The packages that it was asked about; what it does not mention of them is clean.
    pub asked: BTreeSet<String>,
    pub advisories: HashMap<String, Vec<Advisory>>,
    /// The day on which it was asked.
    pub day: String,
}

/// The bodies to send for a tree: every registry package of which the version is known.
pub fn bulk_request(tree: &Tree) -> Vec<BTreeMap<&str, BTreeSet<&str>>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for node in &tree.nodes {
        if let Some(version) = &node.version {
            let name = node.real_name.as_deref().unwrap_or(&node.name);
            all.entry(name).or_default().insert(version);
        }
    }
    let mut requests = Vec::new();
    while !all.is_empty() {
        let rest = all.keys().nth(PACKAGES).copied().map(|name| all.split_off(name));
        requests.push(std::mem::replace(&mut all, rest.unwrap_or_default()));
    }
    requests
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    url: String,
    #[serde(default)]
    title: String,
    severity: Option<Value>,
    vulnerable_versions: String,
    #[serde(default)]
    cwe: Value,
}

/// Reads an answer; `None` where it is not one.
pub fn read_bulk(bytes: &[u8]) -> Option<HashMap<String, Vec<Advisory>>> {
    let answer: HashMap<String, Vec<Entry>> = serde_json::from_slice(bytes).ok()?;
    let advisory = |entry: Entry| {
        let named = entry.url.rsplit('/').next().filter(|id| id.starts_with("GHSA-"));
        let malicious = entry
            .cwe
            .as_array()
            .is_some_and(|ids| ids.iter().any(|id| id == "CWE-506"));
        Advisory {
            id: plain(&named.map_or_else(|| format!("npm:{}", entry.id), str::to_owned)),
            severity: severity_of(entry.severity.as_ref()),
            summary: plain(&entry.title),
            malicious,
            npm_range: Some(entry.vulnerable_versions),
            ..Advisory::default()
        }
    };
    Some(
        answer
            .into_iter()
            .map(|(name, entries)| (name, entries.into_iter().map(advisory).collect()))
            .collect(),
    )
}
