//! One advisory about one package, and which versions it speaks of.

use std::cmp::Ordering;

use nodejs_semver::{Range, Version};
use serde::{Deserialize, Serialize};

use super::finding::Severity;
use super::npm_range::parse_range;

/// One advisory about one package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Advisory {
    pub id: String,
    /// Other names of the same, such as a CVE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    pub severity: Severity,
    pub summary: String,
    /// The day of its last change.
    pub modified: String,
    /// The package itself is the attack.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malicious: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_version: bool,
    /// A range in npm's words, as the bulk endpoint has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npm_range: Option<String>,
}

/// Versions from one to another, as OSV means it: by order alone, pre-releases included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// `0`: from the beginning.
    pub from: String,
    /// The first good version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The last bad version, where no good one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}

/// What an advisory means for a range of which nobody knows yet what it will bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    Nothing,
    /// Good and bad versions are in it.
    Part,
    /// No good version is in it.
    All,
}

impl Advisory {
    /// Whether it speaks of a version.
    pub fn affects(&self, version: &Version) -> bool {
        self.every_version
            || self.ranges.iter().any(|span| span.holds(version))
            || self.versions.iter().any(|text| same(text, version))
            || self.npm_range.as_deref().is_some_and(|text| {
                // A range that cannot be read is taken for every version: a false alarm is the smaller evil.
                parse_range(text).is_none_or(|range| range.satisfies_with_prerelease(version, true))
            })
    }

    /// The first good version after a bad one, where the advisory names it.
    pub fn fixed(&self, version: &Version) -> Option<&str> {
        let holds = self.ranges.iter().filter(|span| span.holds(version));
        holds
            .filter_map(|span| span.before.as_deref())
            .max_by(|one, other| compare(one, other))
    }

    /// What it means for a whole range.
    pub fn touches(&self, range: &Range) -> Touch {
        if self.every_version {
            return Touch::All;
        }
        let mut touch = Touch::Nothing;
        let spans = self.ranges.iter().map(Span::text);
        for text in spans.chain(self.npm_range.clone()) {
            let Some(bad) = parse_range(&text) else {
                touch = Touch::Part;
                continue;
            };
            if bad.allows_all(range) {
                return Touch::All;
            }
            if bad.allows_any(range) {
                touch = Touch::Part;
            }
        }
        let mut versions = self.versions.iter().filter_map(|text| lenient(text));
        if touch == Touch::Nothing && versions.any(|version| range.satisfies(&version)) {
            touch = Touch::Part;
        }
        touch
    }

    /// Whether two speak of the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let names = |one: &Self, name: &String| one.id == *name || one.aliases.contains(name);
        names(other, &self.id) || self.aliases.iter().any(|alias| names(other, alias))
    }
}

impl Span {
    fn holds(&self, version: &Version) -> bool {
        let from = self.from == "0" || lenient(&self.from).is_none_or(|from| *version >= from);
        let before = self
            .before
            .as_deref()
            .and_then(lenient)
            .is_none_or(|before| *version < before);
        let through = self
            .through
            .as_deref()
            .and_then(lenient)
            .is_none_or(|through| *version <= through);
        from && before && through
    }

    /// The same as a range of npm's.
    fn text(&self) -> String {
        let from = if self.from == "0" {
            String::new()
        } else {
            format!(">={} ", self.from)
        };
        match (&self.before, &self.through) {
            (Some(before), _) => format!("{from}<{before}"),
            (None, Some(through)) => format!("{from}<={through}"),
            (None, None) if from.is_empty() => "*".to_owned(),
            (None, None) => from,
        }
    }
}

fn same(text: &str, version: &Version) -> bool {
    lenient(text).is_some_and(|bad| bad == *version)
}

/// A version in which parts may be missing: advisories write `1.0`.
pub(super) fn lenient(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches(['v', '=']);
    Version::parse(text).ok().or_else(|| {
        let (head, tail) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
        let parts = head.split('.').count();
        (parts < 3).then(|| Version::parse(format!("{head}{}{tail}", ".0".repeat(3 - parts))).ok())?
    })
}

/// Orders versions as they are written in advisories; `0` comes first, what cannot be read last.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let key = |text: &str| if text == "0" { None } else { Some(lenient(text)) };
    match (key(one), key(other)) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(Some(one)), Some(Some(other))) => one.cmp(&other),
        (Some(one), Some(other)) => other.is_some().cmp(&one.is_some()),
    }
}
