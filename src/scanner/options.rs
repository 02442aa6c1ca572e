//! What a user may set.

use serde::Deserialize;

use super::severity::Severity;
use crate::error::{Code, Error, Result};

/// Options of a scanner; all may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScannerOptions {
    /// Rules beside the built-in ones.
    pub rules: RuleSource,
    /// Ids of rules that are not used; a `*` at the end stands for any ending.
    pub disable: Vec<String>,
    /// Guesses from randomness: `false`, `true`, the bits a character (3), or both numbers.
    pub entropy: EntropyOption,
    /// Findings that are known and accepted.
    pub allowlist: Vec<Allowed>,
    /// Findings below it are left out. Default: `low`.
    pub min_severity: Severity,
    /// Findings below it are left out. Default: 0.2.
    pub min_confidence: f64,
    /// Bytes; larger files of a directory are skipped and listed. Default: none is too large.
    pub max_file_size: u64,
    /// Whether findings carry the secret itself.
    pub reveal: bool,
    /// Whether a comment such as `auton8n:allow` silences its line. Off where hostile code is scanned.
    pub allow_comments: bool,
}

impl Default for ScannerOptions {
    fn default() -> Self {
        Self {
            rules: RuleSource::default(),
            disable: Vec::new(),
            entropy: EntropyOption::Switch(true),
            allowlist: Vec::new(),
            min_severity: Severity::Low,
            min_confidence: 0.2,
            max_file_size: u64::MAX,
            reveal: false,
            allow_comments: true,
        }
    }
}

/// Rules as objects, or as the text of a TOML file with `[[rule]]` tables of the same fields; such a file
/// may also have a list `disable` and `[[allowlist]]` tables.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum RuleSource {
    List(Vec<CustomRuleData>),
    Toml(String),
}

impl Default for RuleSource {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// A rule of a user.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomRuleData {
    /// Also its id, with blanks as `-`.
    pub name: String,
    /// A regular expression without look-around and back-references.
    pub pattern: String,
    #[serde(default = "medium")]
    pub severity: Severity,
    #[serde(default)]
    pub description: String,
}

const fn medium() -> Severity {
    Severity::Medium
}

/// How guesses from randomness are made.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum EntropyOption {
    Switch(bool),
    Threshold(f64),
    Full(EntropyLimits),
}

/// Both numbers of the guess.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EntropyLimits {
    /// Bits a character. Default: 3.
    pub threshold: f64,
    /// Characters. Default: 16.
    pub min_length: usize,
}

impl Default for EntropyLimits {
    fn default() -> Self {
        Self {
            threshold: 3.0,
            min_length: 16,
        }
    }
}

impl EntropyOption {
    /// The limits, or nothing where guesses are off.
    pub fn limits(self) -> Option<EntropyLimits> {
        match self {
            Self::Switch(on) => on.then(EntropyLimits::default),
            Self::Threshold(threshold) => Some(EntropyLimits {
                threshold,
                ..EntropyLimits::default()
            }),
            Self::Full(limits) => Some(limits),
        }
    }
}

/// A known finding: an exact value, or an object all of whose fields must fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Allowed {
    Value(String),
    Entry(AllowedEntry),
}

/// What a known finding looks like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AllowedEntry {
    /// A glob; without `/` it fits a name in any directory.
    pub path: Option<String>,
    /// The id of a built-in rule or of one in `rules`; a `*` at the end stands for any ending.
    pub rule: Option<String>,
    /// The secret itself.
    pub value: Option<String>,
    /// An expression that fits somewhere in the secret.
    pub regex: Option<String>,
    /// A finding's fingerprint.
    pub fingerprint: Option<String>,
}

impl Allowed {
    /// The rule whose findings are accepted, where it names one.
    pub(super) fn rule(&self) -> Option<&str> {
        match self {
            Self::Value(_) => None,
            Self::Entry(entry) => entry.rule.as_deref().filter(|rule| !rule.is_empty()),
        }
    }
}

impl ScannerOptions {
    /// Options from JSON; the error names the option.
    pub fn from_json(value: serde_json::Value) -> Result<Self> {
        serde_json::from_value(value).map_err(|error| {
            Error::new(
                Code::OptionInvalid,
                format!("an option of the scanner is invalid: {error}"),
            )
        })
    }

    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what: &str| Err(Error::new(Code::OptionInvalid, format!("the scanner's option {what}")));
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return refuse("minConfidence must be a number from 0 to 1");
        }
        if self.max_file_size == 0 {
            return refuse("maxFileSize must be at least 1 byte");
        }
        if let Some(limits) = self.entropy.limits()
            && (!(0.0..=8.0).contains(&limits.threshold) || !(8..=256).contains(&limits.min_length))
        {
            return refuse("entropy must have a threshold from 0 to 8 bits and a minLength from 8 to 256");
        }
        Ok(())
    }
}
