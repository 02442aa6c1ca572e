//! Stage *scan*: no secret of the user reaches a model, a file or a log.

use super::metrics::Metrics;
use super::report::{Check, CheckStatus, Where};
use super::stage::Stage;
use crate::error::{Code, Error, Result};
use crate::scanner::{Scanner, Severity};

/// From this severity on a secret is refused: in what a user says, in what leaves for a model, in code. What is
/// less (an expired token, a wrong checksum, a guess) is taken out before anything is stored.
pub const REFUSED: Severity = Severity::Medium;

/// Scans what the user said. A secret is told by its kind and place, never repeated.
pub fn run(scanner: Option<&Scanner>, text: &str, metrics: &Metrics) -> Result<Check> {
    let mut check = Check::of(Stage::Scan, Where::Host);
    let Some(scanner) = scanner else {
        check.status = CheckStatus::Skipped;
        return Ok(check.saying("not run, since the scanner is switched off"));
    };
    let result = scanner.scan_text(text, None);
    metrics.scanned("request", &result);
    let Some(first) = result.secrets.iter().find(|finding| finding.severity >= REFUSED) else {
        return Ok(check.counting("bytes", text.len() as u64).judged(Vec::new()));
    };
    Err(Error::new(
        Code::SecretFound,
        format!(
            "what was asked for holds a secret ({}, {} in all). Take it out, and name an environment variable instead of its value",
            first.rule,
            result.secrets.len()
        ),
    ))
}
