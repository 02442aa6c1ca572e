//! What a scan answers.

use serde::{Deserialize, Serialize};

use super::severity::Severity;

/// One secret at one place. Lines and columns count from 1; a column counts UTF-16 units, as editors
/// do; the end is the place after the last character.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The kind of secret, in words.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the rule.
    pub rule: String,
    /// How bad a leak of it is.
    pub severity: Severity,
    /// The secret with its middle taken out.
    pub redacted: String,
    /// Where it starts.
    pub line: u32,
    /// Where it starts.
    pub column: u32,
    /// Where it ends.
    pub end_line: u32,
    /// The column after its last character.
    pub end_column: u32,
    /// The file it stands in, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The same for the same secret in the same file, whatever line it stands on.
    pub fingerprint: String,
    /// The same for the same secret of the same kind in whatever file, so that a renamed file's findings are known.
    #[serde(default)]
    pub identity: String,
    /// From 0 to 1: how sure the scanner is.
    pub confidence: f64,
    /// The secret itself, only when asked for.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
}

/// A file that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Relative to the directory that was scanned.
    pub file: String,
    /// `binary`, `too large` or what the system said.
    pub reason: String,
}

/// Everything that a scan found and what it read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanResult {
    /// Whether there is any finding.
    pub found: bool,
    /// The findings, by file and place.
    pub secrets: Vec<Finding>,
    /// Texts, files or variables that were read.
    pub files_scanned: u32,
    /// Their bytes.
    pub bytes_scanned: u64,
    /// Files that were not read: never silently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
}

impl ScanResult {
    /// Adds what another scan found.
    pub fn absorb(&mut self, other: Self) {
        self.found |= other.found;
        self.secrets.extend(other.secrets);
        self.files_scanned += other.files_scanned;
        self.bytes_scanned += other.bytes_scanned;
        self.skipped.extend(other.skipped);
    }

    /// The same order whatever the threads did.
    pub(super) fn sort(&mut self) {
        self.secrets
            .sort_by(|a, b| (&a.file, a.line, a.column, &a.rule).cmp(&(&b.file, b.line, b.column, &b.rule)));
        self.skipped.sort_by(|a, b| a.file.cmp(&b.file));
    }
}
