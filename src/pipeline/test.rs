//! Stage *test*: the plugin's own tests, by Bun. They never pass a plugin alone: *boot* judges it.

use super::bench::Bench;
use super::command::{self, Tool};
use super::install::BUNFIG_NAME;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::Result;

use crate::inspection::Inspection;
use crate::inspection::tools::{TestReport, parse_junit};

const REPORT: &str = "out/junit.xml";

/// Runs the tests in a box of the plugin's own.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let bun = bench.ready().await?.toolchain.tools().bun.clone();
    let expected = Inspection {
        tests: bench.candidate.tests.clone(),
        multiplied: bench.candidate.multiplied.clone(),
        ..Inspection::default()
    };
    let counted = expected.tests.values().sum();
    // Bun obeys a configuration beside the tests, so it is given ours.
    let mut argv = vec![bun, format!("--config={BUNFIG_NAME}")];
    argv.extend(command::args([
        "test",
        "--no-install",
        "--no-env-file",
        "--timeout=10000",
        "--reporter=junit",
        "--reporter-outfile=out/junit.xml",
        "./__tests__",
    ]));
    let tool = Tool {
        argv,
        ..Tool::default()
    };
    let runner = bench.runner();
    let session = bench.stage().await?;
    let ran = command::run(session, Stage::Test, tool, &runner).await?;
    let check = Check::of(Stage::Test, Where::Sandbox)
        .ran(&ran.argv, &ran.outcome)
        .counting("expected", counted);
    if let Some(stopped) = ran.stopped {
        return Ok(vec![check.judged(vec![stopped])]);
    }
    let taken = session.collect(&[REPORT.to_owned()]).await?;
    let report = taken
        .get(REPORT)
        .and_then(|bytes| parse_junit(&runner.redact(&String::from_utf8_lossy(bytes))).ok());
    let Some(report) = report else {
        let printed = super::check::cut(ran.outcome.stderr.text().trim(), 1_500);
        let missing = Diagnostic::of(
            "",
            "no-report",
            format!(
                "the test runner ended with exit code {:?} and left no report:\n{printed}",
                ran.outcome.exit_code
            ),
        );
        return Ok(vec![check.judged(vec![missing])]);
    };
    let check = check
        .counting("tests", report.tests)
        .counting("passed", report.passed)
        .counting("failed", report.failed)
        .counting("skipped", report.skipped);
    let diagnostics = judge(&report, &expected, ran.outcome.exit_code, &ran.outcome.stderr.text());
    Ok(vec![check.judged(diagnostics)])
}

/// What the report, the parser's count and the exit code say together.
fn judge(report: &TestReport, expected: &Inspection, exit_code: Option<i32>, printed: &str) -> Vec<Diagnostic> {
    let mut diagnostics = report.failures.clone();
    if report.tests == 0 {
        diagnostics.push(Diagnostic::of(
            "",
            "no-tests",
            "no test ran; a plugin needs at least one",
        ));
    }
    diagnostics.extend(expected.reconcile(report));
    if diagnostics.is_empty() && exit_code != Some(0) {
        let printed = super::check::cut(printed.trim(), 1_500);
        let message = format!("the test runner ended with exit code {exit_code:?}:\n{printed}");
        diagnostics.push(Diagnostic::of("", "test-runner", message));
    }
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "__tests__/a.test.ts";

    fn codes(reported: u64, skipped: u64, expected: u64, exit_code: i32) -> Vec<String> {
        let files = if reported == 0 {
            [].into()
        } else {
            [(FILE.to_owned(), reported)].into()
        };
        let report = TestReport {
            tests: reported,
            passed: reported - skipped,
            skipped,
            files,
            ..TestReport::default()
        };
        let expected = Inspection {
            tests: [(FILE.to_owned(), expected)].into(),
            ..Inspection::default()
        };
        judge(&report, &expected, Some(exit_code), "")
            .into_iter()
            .map(|diagnostic| diagnostic.code)
            .collect()
    }

    #[test]
    fn only_a_full_count_without_skips_and_exit_code_0_passes() {
        assert!(codes(3, 0, 3, 0).is_empty());
        assert_eq!(codes(2, 0, 3, 0), ["test-count"]);
        assert_eq!(codes(99, 0, 3, 0), ["test-count"]);
        assert_eq!(codes(0, 0, 3, 0), ["no-tests", "test-count"]);
        assert_eq!(codes(3, 1, 3, 0), ["test-skipped"]);
        assert_eq!(codes(3, 0, 3, 1), ["test-runner"]);
    }
}
