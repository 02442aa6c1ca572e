//! Stage *test*: the plugin's own tests, by Bun. They never pass a plugin alone: *boot* judges it.

use super::command::{self, Tool};
use super::examination::Bench;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::Result;
use crate::inspection::tools::{TestReport, parse_junit};

const REPORT: &str = "out/junit.xml";

/// Runs the tests in a box of the plugin's own.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let bun = bench.ready().await?.toolchain.tools().bun.clone();
    let expected = Expected { count: bench.candidate.test_count, multiply: bench.candidate.tests_multiply };
    let mut argv = vec![bun];
    argv.extend(command::args(["test", "--timeout=10000", "--reporter=junit", "--reporter-outfile=out/junit.xml", "./__tests__"]));
    let tool = Tool { argv, ..Tool::default() };
    let token = bench.token;
    let session = bench.stage().await?;
    let ran = command::run(session, Stage::Test, tool, token).await?;
    let check = Check::of(Stage::Test, Where::Sandbox).ran(&ran.argv, &ran.outcome).counting("expected", expected.count);
    if let Some(stopped) = ran.stopped {
        return Ok(vec![check.judged(vec![stopped])]);
    }
    let taken = session.collect(&[REPORT.to_owned()]).await?;
    let report = taken.get(REPORT).and_then(|bytes| parse_junit(&String::from_utf8_lossy(bytes)).ok());
    let Some(report) = report else {
        let printed = super::check::cut(ran.outcome.stderr.text().trim(), 1_500);
        let missing = Diagnostic::of("", "no-report", format!("the test runner ended with exit code {:?} and left no report:\n{printed}", ran.outcome.exit_code));
        return Ok(vec![check.judged(vec![missing])]);
    };
    let check = check
        .counting("tests", report.tests)
        .counting("passed", report.passed)
        .counting("failed", report.failed)
        .counting("skipped", report.skipped);
    let diagnostics = judge(&report, expected, ran.outcome.exit_code, &ran.outcome.stderr.text());
    Ok(vec![check.judged(diagnostics)])
}

/// Tests that the parser counted.
#[derive(Clone, Copy)]
struct Expected {
    count: u64,
    /// `it.each` may run more.
    multiply: bool,
}

/// What the report, the parser's count and the exit code say together.
fn judge(report: &TestReport, expected: Expected, exit_code: Option<i32>, printed: &str) -> Vec<Diagnostic> {
    let mut diagnostics = report.failures.clone();
    if report.tests == 0 {
        diagnostics.push(Diagnostic::of("", "no-tests", "no test ran; a plugin needs at least one"));
    }
    let agree = if expected.multiply { report.tests >= expected.count } else { report.tests == expected.count };
    if !agree {
        diagnostics.push(Diagnostic::of(
            "",
            "test-count",
            format!("{} tests stand in the files, but the runner reported {}", expected.count, report.tests),
        ));
    }
    if report.skipped > 0 {
        diagnostics.push(Diagnostic::of("", "skipped-tests", format!("{} tests were skipped", report.skipped)));
    }
    if diagnostics.is_empty() && exit_code != Some(0) {
        let printed = super::check::cut(printed.trim(), 1_500);
        diagnostics.push(Diagnostic::of("", "test-runner", format!("the test runner ended with exit code {exit_code:?}:\n{printed}")));
    }
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(tests: u64, passed: u64, skipped: u64) -> TestReport {
        TestReport { tests, passed, failed: 0, skipped, failures: Vec::new(), ..TestReport::default() }
    }

    fn codes(report: &TestReport, expected: u64, exit_code: i32) -> Vec<String> {
        judge(report, Expected { count: expected, multiply: false }, Some(exit_code), "").into_iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn only_a_full_count_without_skips_and_exit_code_0_passes() {
        assert!(codes(&report(3, 3, 0), 3, 0).is_empty());
        assert_eq!(codes(&report(2, 2, 0), 3, 0), ["test-count"]);
        assert_eq!(codes(&report(99, 99, 0), 3, 0), ["test-count"]);
        assert_eq!(codes(&report(0, 0, 0), 0, 0), ["no-tests"]);
        assert_eq!(codes(&report(3, 2, 1), 3, 0), ["skipped-tests"]);
        assert_eq!(codes(&report(3, 3, 0), 3, 1), ["test-runner"]);
    }
}
