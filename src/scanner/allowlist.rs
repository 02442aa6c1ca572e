//! Findings that are known and accepted.

use std::sync::LazyLock;

use globset::{GlobBuilder, GlobMatcher};
use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::custom::compile_pattern;
use super::engine::is_named;
use super::options::{Allowed, AllowedEntry};
use crate::error::{Code, Error, Result};

/// Comments that silence the line on which they stand: ours and those of known tools.
const COMMENTS: &[&[u8]] = &[
    b"auton8n:allow",
    b"gitleaks:allow",
    b"betterleaks:allow",
    b"trufflehog:ignore",
    b"kingfisher:ignore",
    b"pragma: allowlist secret",
    b"secretlint-disable-line",
];

static FINDERS: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| COMMENTS.iter().map(Finder::new).collect());

/// How far from the secret a comment may stand.
const COMMENT_REACH: usize = 512;

/// What is compared with an entry.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub file: Option<&'a str>,
    pub rule: &'a str,
    pub value: &'a [u8],
    pub fingerprint: &'a str,
}

/// Compiled entries.
#[derive(Debug, Default)]
pub struct Allowlist {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: Option<GlobMatcher>,
    rule: Option<String>,
    value: Option<Vec<u8>>,
    regex: Option<Regex>,
    fingerprint: Option<String>,
}

impl Allowlist {
    /// Compiles the entries of an option.
    pub fn new(allowed: &[Allowed]) -> Result<Self> {
        let entries = allowed.iter().map(|one| match one {
            Allowed::Value(value) => Entry::of(&AllowedEntry {
                value: Some(value.clone()),
                ..AllowedEntry::default()
            }),
            Allowed::Entry(entry) => Entry::of(entry),
        });
        Ok(Self {
            entries: entries.collect::<Result<_>>()?,
        })
    }

    /// Whether a finding is accepted.
    pub fn allows(&self, seen: Seen<'_>) -> bool {
        self.entries.iter().any(|entry| entry.allows(seen))
    }

    /// Whether a value is accepted wherever it stands; for redaction, which knows no path.
    pub fn allows_value(&self, rule: &str, value: &[u8]) -> bool {
        self.entries.iter().any(|entry| {
            entry.path.is_none()
                && entry.fingerprint.is_none()
                && entry.allows(Seen {
                    file: None,
                    rule,
                    value,
                    fingerprint: "",
                })
        })
    }
}

impl Entry {
    fn of(entry: &AllowedEntry) -> Result<Self> {
        let AllowedEntry {
            path,
            rule,
            value,
            regex,
            fingerprint,
        } = entry;
        if [path, rule, value, regex, fingerprint]
            .iter()
            .all(|field| field.as_deref().is_none_or(str::is_empty))
        {
            return Err(Error::new(
                Code::OptionInvalid,
                "an entry of the scanner's option allowlist needs a path, rule, value, regex or fingerprint",
            ));
        }
        let glob = |path: &String| {
            // As in a `.gitignore`: `/` at the start means the root, at the end everything below.
            let (below, plain) = match path.strip_suffix('/') {
                Some(folder) => ("/**", folder),
                None => ("", path.as_str()),
            };
            let rooted = plain.strip_prefix('/').unwrap_or(plain).trim_start_matches("./");
            let anywhere = if plain.contains('/') {
                format!("{rooted}{below}")
            } else {
                format!("**/{plain}{below}")
            };
            GlobBuilder::new(&anywhere)
                .literal_separator(true)
                .build()
                .map(|glob| glob.compile_matcher())
                .map_err(|error| {
                    Error::new(
                        Code::OptionInvalid,
                        format!("the path {path:?} of the scanner's option allowlist is no glob: {error}"),
                    )
                })
        };
        Ok(Self {
            path: path.as_ref().map(glob).transpose()?,
            rule: rule.clone(),
            value: value.clone().map(String::into_bytes),
            regex: regex
                .as_deref()
                .map(|regex| compile_pattern("allowlist", regex))
                .transpose()?,
            fingerprint: fingerprint.clone(),
        })
    }

    fn allows(&self, seen: Seen<'_>) -> bool {
        self.path
            .as_ref()
            .is_none_or(|path| seen.file.is_some_and(|file| path.is_match(file)))
            && self.rule.as_ref().is_none_or(|rule| is_named(rule, seen.rule))
            && self.value.as_ref().is_none_or(|value| value == seen.value)
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(seen.value))
            && self
                .fingerprint
                .as_ref()
                .is_none_or(|fingerprint| fingerprint == seen.fingerprint)
    }
}

/// Whether the line around a span has a comment that silences it.
pub fn has_comment(text: &[u8], span: &std::ops::Range<usize>) -> bool {
    let before = super::boundary::left_of(text, span.start, COMMENT_REACH);
    let after = &text[span.end..text.len().min(span.end + COMMENT_REACH)];
    let after = &after[..memchr::memchr(b'\n', after).unwrap_or(after.len())];
    FINDERS
        .iter()
        .any(|comment| comment.find(before).is_some() || comment.find(after).is_some())
}
