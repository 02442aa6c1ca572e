//! Stage *test*: the plugin's own tests, by Bun. They never pass a plugin alone: *boot* judges it.

use super::bench::Bench;
use super::command::{self, Ran, Tool};
use super::install::BUNFIG_NAME;
use super::report::{Check, Where};
use super::stage::Stage;
use super::tally::{self, Tally};
use crate::diagnostic::Diagnostic;
use crate::error::Result;
use crate::files::FileSet;
use crate::inspection::Inspection;
use crate::inspection::tools::{TestReport, parse_junit};

const REPORT: &str = "out/junit.xml";

/// Runs the tests in a box of the plugin's own.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let expected = Inspection {
        tests: bench.candidate.tests.clone(),
        multiplied: bench.candidate.multiplied.clone(),
        ..Inspection::default()
    };
    let tally = Tally::new(|| uuid::Uuid::new_v4().simple().to_string());
    bench.stage().await?.put(&tally.files()).await?;
    let first = attempt(bench, &tally, &expected, true).await?;
    let check = Check::of(Stage::Test, Where::Sandbox)
        .ran(&first.ran.argv, &first.ran.outcome)
        .counting("expected", expected.tests.values().sum());
    if let Some(stopped) = first.ran.stopped {
        return Ok(vec![check.judged(vec![stopped])]);
    }
    let Some(mut report) = first.report else {
        return Ok(vec![check.judged(vec![no_report(&first.ran)])]);
    };
    let failed = tally.take_out(&mut report);
    let doubts = tally.doubts(&report, failed, &first.told);
    if doubts.is_empty() && judge(&report, &expected, Some(0), "").is_empty() && first.ran.outcome.exit_code == Some(1)
    {
        let mut check = counted(check, &report).counting("mustFail", 1).judged(Vec::new());
        check.exit_code = Some(0);
        return Ok(vec![check.saying(
            "a test that must fail was mixed in, and failed; without it the runner ends with 0",
        )]);
    }
    // The first failure ended that run. All of them are found by one that goes on.
    let whole = attempt(bench, &tally, &expected, false).await?;
    let check = check.ran(&whole.ran.argv, &whole.ran.outcome);
    if let Some(stopped) = whole.ran.stopped {
        return Ok(vec![check.judged(vec![stopped])]);
    }
    let Some(report) = whole.report else {
        return Ok(vec![check.judged(vec![no_report(&whole.ran)])]);
    };
    let (exit_code, printed) = (whole.ran.outcome.exit_code, whole.ran.outcome.stderr.text());
    let mut diagnostics = judge(&report, &expected, exit_code, &printed);
    if diagnostics.is_empty() {
        diagnostics = doubts;
    }
    if diagnostics.is_empty() {
        let message = "the tests passed once and failed once; they must not depend on chance or order";
        diagnostics.push(Diagnostic::of("", "test-unsteady", message));
    }
    Ok(vec![counted(check, &report).judged(diagnostics)])
}

/// One run of the test runner.
struct Attempt {
    ran: Ran,
    /// What came over the keeper's channel.
    told: String,
    report: Option<TestReport>,
}

/// With the test that must fail the runner stops at the first failure, so that one must be the last.
async fn attempt(bench: &mut Bench<'_>, tally: &Tally, expected: &Inspection, must_fail: bool) -> Result<Attempt> {
    let bun = bench.ready().await?.toolchain.tools().bun.clone();
    // Bun obeys a configuration beside the tests, so it is given ours.
    let mut argv = vec![bun, format!("--config={BUNFIG_NAME}")];
    argv.extend(command::args([
        "test",
        "--no-install",
        "--no-env-file",
        "--timeout=10000",
        "--reporter=junit",
        "--reporter-outfile=out/junit.xml",
    ]));
    argv.push(format!("--preload=./{}", tally::COUNTER_NAME));
    if must_fail {
        argv.push("--bail=1".to_owned());
    }
    let files = tally::order(expected, must_fail.then_some(tally.file.as_str()));
    argv.extend(if files.is_empty() {
        vec!["./__tests__".to_owned()]
    } else {
        files
    });
    let tool = Tool {
        argv,
        judge: Some(command::args(["/sandbox/bin/keeper", "relay"])),
        stdin: tally.question(),
        ..Tool::default()
    };
    let runner = bench.runner();
    let session = bench.stage().await?;
    let ran = command::run(session, Stage::Test, tool, &runner).await?;
    let told = ran
        .outcome
        .judge
        .as_ref()
        .map(|judge| judge.stdout.text())
        .unwrap_or_default();
    let taken = if ran.stopped.is_none() {
        session.collect(&[REPORT.to_owned()]).await?
    } else {
        FileSet::new()
    };
    let report = taken
        .get(REPORT)
        .and_then(|bytes| parse_junit(&runner.redact(&String::from_utf8_lossy(bytes))).ok());
    Ok(Attempt { ran, told, report })
}

fn no_report(ran: &Ran) -> Diagnostic {
    let printed = super::check::cut(ran.outcome.stderr.text().trim(), 1_500);
    let code = ran.outcome.exit_code;
    let message = format!("the test runner ended with exit code {code:?} and left no report:\n{printed}");
    Diagnostic::of("", "no-report", message)
}

fn counted(check: Check, report: &TestReport) -> Check {
    check
        .counting("tests", report.tests)
        .counting("passed", report.passed)
        .counting("failed", report.failed)
        .counting("skipped", report.skipped)
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
