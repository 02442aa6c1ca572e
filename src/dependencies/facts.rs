//! What a registry says of packages.

use std::collections::{BTreeMap, HashMap};

use nodejs_semver::{Range, Version};
use serde_json::Value;

use super::advisory::Advisory;
use super::date::millis_of;
use super::manifest::{Kind, Wanted, runs_at_install};
use super::source::Source;

/// What was learnt of packages, by their names.
#[derive(Debug, Default)]
pub struct Facts {
    pub known: HashMap<String, Registered>,
    /// Why nothing was learnt of a package that was asked for.
    pub failures: BTreeMap<String, String>,
    /// Whether anybody was asked.
    pub asked: bool,
}

/// A package as its registry has it.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    tags: HashMap<String, String>,
    releases: HashMap<String, Release>,
    times: HashMap<String, i64>,
    /// When anything of it changed last: no version is younger.
    modified: Option<i64>,
}

/// One version of it.
#[derive(Clone, Debug, Default)]
pub struct Release {
    pub deprecated: Option<String>,
    pub install_script: bool,
    /// What it asks for itself.
    pub wanted: Vec<Wanted>,
}

impl Registered {
    /// Reads a packument, whole or abbreviated; `None` where it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let versions = value.get("versions")?.as_object()?;
        let texts = |field: &str| value.get(field).and_then(Value::as_object).into_iter().flatten();
        let time = |text: &Value| text.as_str().and_then(millis_of);
        Some(Self {
            tags: texts("dist-tags")
                .filter_map(|(tag, version)| Some((tag.clone(), version.as_str()?.to_owned())))
                .collect(),
            releases: versions
                .iter()
                .map(|(version, value)| (version.clone(), release(value)))
                .collect(),
            times: texts("time")
                .filter_map(|(version, text)| Some((version.clone(), time(text)?)))
                .collect(),
            modified: value
                .get("modified")
                .or_else(|| value.get("time")?.get("modified"))
                .and_then(time),
        })
    }

    /// The version that npm would take: that of `latest` where it fits, else the highest.
    pub fn pick(&self, source: &Source) -> Option<String> {
        match source {
            Source::Tag(tag) => self.tags.get(tag).cloned(),
            Source::Range(range) => self.highest(range),
            _ => None,
        }
    }

    fn highest(&self, range: &Range) -> Option<String> {
        let latest = self
            .tags
            .get("latest")
            .filter(|version| self.releases.contains_key(*version));
        let fits = |text: &String| Version::parse(text).is_ok_and(|version| range.satisfies(&version));
        if let Some(latest) = latest.filter(|version| fits(version)) {
            return Some(latest.clone());
        }
        let parsed = self
            .releases
            .keys()
            .filter_map(|text| Some((Version::parse(text).ok()?, text)));
        let fitting = parsed.filter(|(version, _)| range.satisfies(version));
        fitting
            .max_by(|(one, _), (other, _)| one.cmp(other))
            .map(|(_, text)| text.clone())
    }

    /// The next version of which an advisory does not speak; a pre-release is none.
    pub(super) fn next_good(&self, after: &Version, advisory: &Advisory) -> Option<String> {
        let parsed = self.releases.keys().filter_map(|text| Version::parse(text).ok());
        let good = parsed.filter(|version| version > after && !version.is_prerelease() && !advisory.affects(version));
        good.min().map(|version| version.to_string())
    }

    pub fn release(&self, version: &str) -> Option<&Release> {
        self.releases.get(version)
    }

    /// When a version was published.
    pub fn published(&self, version: &str) -> Option<i64> {
        self.times.get(version).copied()
    }

    /// Whether it says when versions were published.
    pub fn has_times(&self) -> bool {
        !self.times.is_empty()
    }

    /// When anything of the package changed last.
    pub const fn modified(&self) -> Option<i64> {
        self.modified
    }

    /// The registry took all versions away.
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty()
    }

    /// The registry holds the name back after malware: all that is left is a version of its own.
    pub fn is_held_back(&self) -> bool {
        !self.releases.is_empty() && self.releases.keys().all(|version| version.ends_with("-security"))
    }
}

fn release(value: &Value) -> Release {
    let mut wanted = Vec::new();
    let meta = value.get("peerDependenciesMeta");
    for (field, kind) in [
        ("dependencies", Kind::Normal),
        ("optionalDependencies", Kind::Optional),
        ("peerDependencies", Kind::Peer),
    ] {
        for (name, range) in value.get(field).and_then(Value::as_object).into_iter().flatten() {
            let optional = kind == Kind::Optional
                || kind == Kind::Peer
                    && meta.and_then(|meta| meta.get(name)?.get("optional")) == Some(&Value::Bool(true));
            if let Some(range) = range.as_str() {
                wanted.push(Wanted {
                    name: name.clone(),
                    range: range.to_owned(),
                    kind,
                    optional,
                });
            }
        }
    }
    Release {
        deprecated: match value.get("deprecated") {
            Some(Value::String(why)) if !why.is_empty() => Some(why.clone()),
            Some(Value::Bool(true)) => Some(String::new()),
            _ => None,
        },
        install_script: value.get("hasInstallScript") == Some(&Value::Bool(true))
            || value.get("scripts").is_some_and(runs_at_install),
        wanted,
    }
}
