//! What the user accepts in spite of a rule.

use nodejs_semver::{Range, Version};

use super::finding::{Finding, FindingCode};
use super::npm_range::parse_range;
use crate::error::{Code, Error, Result};

/// Entries of the list.
#[derive(Debug, Default)]
pub(super) struct Allowed(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    /// `None`: every rule but those that say what is bad for certain.
    code: Option<FindingCode>,
    name: String,
    range: Option<Range>,
}

impl Allowed {
    /// Reads `name`, `name@range`, `code:name` and `code:name@range`.
    pub fn read(entries: &[String]) -> Result<Self> {
        entries
            .iter()
            .map(|text| Entry::read(text))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Whether a finding is accepted. That something is blocked or vulnerable is only accepted by its code.
    pub fn accepts(&self, finding: &Finding) -> bool {
        let certain = matches!(finding.code, FindingCode::Blocked | FindingCode::Vulnerable);
        self.0.iter().any(|entry| {
            let code = entry.code.map_or(!certain, |code| code == finding.code);
            code && entry.name == finding.package && entry.covers(finding.version.as_deref())
        })
    }
}

impl Entry {
    fn read(text: &str) -> Result<Self> {
        let wrong = || {
            let message = format!(
                "`allow` of checkDependencies takes entries such as 'name', 'name@^1' or 'install-script:name', not {text:?}"
            );
            Error::new(Code::OptionInvalid, message)
        };
        let (code, rest) = match text.split_once(':') {
            Some((code, rest)) => {
                let code = serde_json::from_value(code.into()).map_err(|_| wrong())?;
                (Some(code), rest)
            }
            None => (None, text),
        };
        let at = rest.get(1..).and_then(|tail| tail.find('@')).map(|at| at + 1);
        let (name, range) = at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
        if name.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            code,
            name: name.to_owned(),
            range: range.map(|text| parse_range(text).ok_or_else(wrong)).transpose()?,
        })
    }

    fn covers(&self, version: Option<&str>) -> bool {
        self.range.as_ref().is_none_or(|range| {
            version
                .and_then(|version| Version::parse(version).ok())
                .is_some_and(|version| range.satisfies(&version))
        })
    }
}
