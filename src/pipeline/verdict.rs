//! What the checks say together.

use super::report::{Check, CheckStatus, Verdict};
use super::stage::Stage;

/// Passed only where every one of `stages` has a check that passed, and none failed or stayed open.
/// A check within a stage may be skipped (it says what is not verified), a stage may not.
pub fn of(checks: &[Check], stages: &[Stage]) -> Verdict {
    if checks.iter().any(|check| check.status == CheckStatus::Failed) {
        return Verdict::Failed;
    }
    let open = checks.iter().any(|check| check.status == CheckStatus::Inconclusive);
    let scanned = !checks
        .iter()
        .any(|check| check.name == "inspect: secrets" && check.status == CheckStatus::Skipped);
    let whole = stages.iter().all(|stage| {
        checks
            .iter()
            .any(|check| check.name == stage.as_str() && check.status == CheckStatus::Passed)
    });
    if whole && scanned && !open {
        Verdict::Passed
    } else {
        Verdict::Inconclusive
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::pipeline::report::{CreationReport, Where};

    pub fn report() -> CreationReport {
        CreationReport {
            verdict: Verdict::Passed,
            isolation: "full".into(),
            checks: Vec::new(),
            iterations: 1,
            tokens: None,
            files: Vec::new(),
            specification_sha256: String::new(),
            trace_id: None,
            engine: "none".into(),
            started_at: 0,
            finished_at: 0,
        }
    }

    fn check(name: &str, status: CheckStatus) -> Check {
        let mut check = Check::named(name, Where::Host);
        check.status = status;
        check
    }

    #[test]
    fn a_stage_that_did_not_run_is_never_a_pass() {
        use CheckStatus::{Failed, Inconclusive, Passed, Skipped};
        let stages = [Stage::Lint, Stage::Boot];
        let verdict = |checks: &[Check]| of(checks, &stages);
        assert_eq!(
            verdict(&[check("lint", Passed), check("boot", Passed)]),
            Verdict::Passed
        );
        assert_eq!(
            verdict(&[check("lint", Passed), check("boot", Passed), check("boot: x", Skipped)]),
            Verdict::Passed
        );
        assert_eq!(verdict(&[check("lint", Passed)]), Verdict::Inconclusive);
        assert_eq!(
            verdict(&[check("lint", Passed), check("boot", Skipped)]),
            Verdict::Inconclusive
        );
        assert_eq!(
            verdict(&[check("lint", Passed), check("boot", Inconclusive)]),
            Verdict::Inconclusive
        );
        assert_eq!(
            verdict(&[check("lint", Failed), check("boot", Inconclusive)]),
            Verdict::Failed
        );
        assert_eq!(
            verdict(&[
                check("lint", Passed),
                check("boot", Passed),
                check("inspect: secrets", Skipped)
            ]),
            Verdict::Inconclusive
        );
        assert_eq!(verdict(&[]), Verdict::Inconclusive);
    }
}
