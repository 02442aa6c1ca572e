//! The report of a creation that ended for good before all of its checks were made.

use super::creation::Creation;
use super::examination::{belongs_to, place_of};
use super::report::{Check, CreationReport, Verdict};
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error};
use crate::queue::AttemptError;

impl Creation<'_> {
    /// Adds the report where there is none: the stage that it was in failed or stayed open.
    pub(super) fn reported(&self, failed: AttemptError) -> AttemptError {
        let is_last = self.attempt.is_last && !self.attempt.token.is_cancelled();
        let error = match failed {
            AttemptError::Abort(error, None) => error,
            AttemptError::Retry(error) | AttemptError::RetryAfter(error, _) if is_last => error,
            other => return other,
        };
        let (verdict, check) = if is_refusal(error.code()) {
            (Verdict::Failed, self::failed(self.stage, &error))
        } else {
            (
                Verdict::Inconclusive,
                Check::of(self.stage, place_of(self.stage)).inconclusive(&error),
            )
        };
        let done = self
            .state
            .preamble
            .iter()
            .chain(&self.state.checks)
            .filter(|check| !belongs_to(check, self.stage));
        let checks = with_skipped(&done.cloned().chain([check]).collect::<Vec<_>>());
        refused(
            error,
            &self.report(verdict, checks, "refused", "none", &self.state.candidate()),
        )
    }
}

/// In the order of the stages, with every one that was not reached, so that a report never hides one.
pub(super) fn with_skipped(checks: &[Check]) -> Vec<Check> {
    let mut ordered = Vec::with_capacity(checks.len() + Stage::ALL.len());
    for stage in Stage::ALL {
        let before = ordered.len();
        ordered.extend(checks.iter().filter(|check| belongs_to(check, stage)).cloned());
        if ordered.len() == before {
            ordered.push(Check::skipped(stage, place_of(stage), "not reached"));
        }
    }
    ordered
}

/// Final, with its report.
pub(super) fn refused(error: Error, report: &CreationReport) -> AttemptError {
    AttemptError::Abort(error, Some(serde_json::json!({ "report": report })))
}

/// A stage that cannot be passed.
pub(super) fn failed(stage: Stage, error: &Error) -> Check {
    let cause = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    let message = format!("{}{cause}", error.message());
    Check::of(stage, place_of(stage)).judged(vec![Diagnostic::of("", error.code().as_str(), message)])
}

/// Whether what was asked for was refused, and not the means to do it missing.
const fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::SpecificationInvalid
            | Code::DependencyUnsupported
            | Code::SecretFound
            | Code::ModelRefused
            | Code::ModelReplyInvalid
    )
}
