//! What was found, and what it means for the whole.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    #[default]
    Low,
    Medium,
    High,
    Critical,
}

/// The rule that found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// Known to be malicious, or of a publisher that is not trusted.
    Blocked,
    /// Named so that it is taken for another package.
    LookAlike,
    /// Comes from elsewhere than a registry, or under another name.
    NonRegistry,
    /// An advisory says so.
    Vulnerable,
    /// Its author gave it up.
    Deprecated,
    /// Published a moment ago.
    TooNew,
    /// What is installed may be another thing tomorrow.
    Unpinned,
    /// Runs code where it is only installed.
    InstallScript,
    /// Nothing says whether it is good.
    Unknown,
}

impl FindingCode {
    /// Its name at the border.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::LookAlike => "look-alike",
            Self::NonRegistry => "non-registry",
            Self::Vulnerable => "vulnerable",
            Self::Deprecated => "deprecated",
            Self::TooNew => "too-new",
            Self::Unpinned => "unpinned",
            Self::InstallScript => "install-script",
            Self::Unknown => "unknown",
        }
    }

    /// Whether one finding of it refuses the whole. A deprecated package is only told.
    pub const fn refuses(self) -> bool {
        !matches!(self, Self::Deprecated | Self::Unknown)
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: FindingCode,
    pub package: String,
    /// What was asked for, without credentials.
    pub range: String,
    /// What would be installed, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The packages that lead to it, from the one that the manifest names to itself.
    pub path: Vec<String>,
    pub severity: Severity,
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The identifier of the advisory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
}

/// How all of it went. What is unknown never passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Passed,
    Failed,
    Unknown,
}

/// What was judged and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DependencyReport {
    pub verdict: Standing,
    /// The day of the advisories that were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisories_as_of: Option<String>,
    pub findings: Vec<Finding>,
    /// Packages that were judged.
    pub packages: usize,
    /// The three answers about advisories, one for each package.
    pub answers: Answers,
}

/// How many packages are vulnerable, clean as of the day of the advisories, and unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answers {
    pub vulnerable: usize,
    pub clean: usize,
    pub unknown: usize,
}

impl DependencyReport {
    /// The verdict that findings add up to.
    pub fn standing(findings: &[Finding]) -> Standing {
        if findings.iter().any(|finding| finding.code.refuses()) {
            Standing::Failed
        } else if findings.iter().any(|finding| finding.code == FindingCode::Unknown) {
            Standing::Unknown
        } else {
            Standing::Passed
        }
    }
}
