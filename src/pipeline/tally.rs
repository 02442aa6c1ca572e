//! Whether a test runner's report can be believed: a test that must fail, and a count over a channel of the keeper's.
//!
//! The plugin's code runs in the runner's process, so a report may be its own work. Three things it cannot give by
//! ending early, printing or patching: the runner stops at the first failure, and the last test is one of ours that
//! must fail; each test that ended is told over a channel by words that only a preloaded module knows; and the two
//! counts are those of the parser.

use crate::diagnostic::Diagnostic;
use crate::files::FileSet;
use crate::inspection::Inspection;
use crate::inspection::tools::TestReport;

/// Loaded by the runner before any test.
pub const COUNTER_NAME: &str = "counter.check.mjs";
const COUNTER: &str = include_str!("../../templates/counter.check.mjs");

/// What is drawn anew for each run.
pub struct Tally {
    /// What every word on the channel begins with.
    key: String,
    /// The file of the test that must fail.
    pub file: String,
    name: String,
}

impl Tally {
    /// `draw` answers a text that nobody can guess, another one each time.
    pub fn new(draw: impl Fn() -> String) -> Self {
        Self {
            key: draw(),
            file: format!("check/{}.test.ts", draw()),
            name: draw(),
        }
    }

    /// For the box: the counter, and the test that must fail.
    pub fn files(&self) -> FileSet {
        let Self { name, .. } = self;
        let must_fail = format!(
            "import {{ expect, it }} from 'vitest'\n\nit('{name}', () => {{\n  expect(['{name}'].join()).toBe('another')\n}})\n"
        );
        FileSet::from([
            (COUNTER_NAME.to_owned(), COUNTER.as_bytes().to_vec()),
            (self.file.clone(), must_fail.into_bytes()),
        ])
    }

    /// What the channel's keeper passes to the counter.
    pub fn question(&self) -> Vec<u8> {
        format!("{}\n", self.key).into_bytes()
    }

    /// Tests that ended, by what came over the channel; `None` where somebody else spoke on it.
    pub fn count(&self, told: &str) -> Option<u64> {
        let word = format!("{} ended", self.key);
        told.lines()
            .try_fold(0, |count, line| (line == word).then_some(count + 1))
    }

    /// Takes the test that must fail out of a report; `false` where it did not run, or did not fail.
    pub fn take_out(&self, report: &mut TestReport) -> bool {
        if report.files.remove(&self.file) != Some(1) {
            return false;
        }
        let before = report.failures.len();
        report
            .failures
            .retain(|failure| !(failure.file == self.file && failure.message.contains(&self.name)));
        report.tests -= 1;
        let failed = report.failures.len() + 1 == before && report.failed > 0;
        if failed {
            report.failed -= 1;
        }
        failed
    }

    /// What is wrong with a report that the test has been taken out of, and with the count of the channel.
    pub fn doubts(&self, report: &TestReport, must_fail_failed: bool, told: &str) -> Vec<Diagnostic> {
        let mut doubts = Vec::new();
        if !must_fail_failed {
            let message = "a test that must fail was mixed in and did not fail: do the tests change the runner or \
                `expect`, or end the process?";
            doubts.push(Diagnostic::of("", "test-must-fail", message));
        }
        let counted = self.count(told);
        let expected = report.tests + 1;
        if counted != Some(expected) {
            let seen = counted.map_or_else(
                || "words that are not the runner's".to_owned(),
                |count| count.to_string(),
            );
            let message = format!(
                "the report tells of {expected} tests with the one that must fail, but the keeper counted {seen}: do \
                 the tests write the report themselves?"
            );
            doubts.push(Diagnostic::of("", "test-tally", message));
        }
        doubts
    }
}

/// The files that the runner is given, in this order: those with tests, then the one that must fail.
pub fn order(expected: &Inspection, last: Option<&str>) -> Vec<String> {
    let counted = expected.tests.iter().filter(|(_, count)| **count > 0);
    counted
        .map(|(file, _)| file.as_str())
        .chain(last)
        .map(|file| format!("./{file}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        let drawn = std::cell::Cell::new(0);
        Tally::new(|| {
            drawn.set(drawn.get() + 1);
            format!("drawn{}", drawn.get())
        })
    }

    fn report(tally: &Tally, fails: bool) -> TestReport {
        let failure = Diagnostic::of(&tally.file, "test", format!("{}: no", tally.name));
        TestReport {
            tests: 3,
            passed: if fails { 2 } else { 3 },
            failed: u64::from(fails),
            files: [("__tests__/a.test.ts".to_owned(), 2), (tally.file.clone(), 1)].into(),
            failures: fails.then_some(failure).into_iter().collect(),
            ..TestReport::default()
        }
    }

    #[test]
    fn a_report_is_believed_with_its_failure_and_the_keepers_count() {
        let tally = tally();
        let mut believed = report(&tally, true);
        assert!(tally.take_out(&mut believed));
        assert_eq!((believed.tests, believed.failed, believed.failures.len()), (2, 0, 0));
        let told = "drawn1 ended\n".repeat(3);
        assert_eq!(tally.doubts(&believed, true, &told), []);
        for told in [
            "drawn1 ended\n".repeat(2),
            String::new(),
            format!("{told}drawn2 ended\n"),
            format!("{told}drawn1 ended\n"),
        ] {
            assert_eq!(tally.doubts(&believed, true, &told)[0].code, "test-tally", "{told}");
        }
    }

    #[test]
    fn a_test_that_must_fail_and_does_not_is_seen() {
        let tally = tally();
        let mut patched = report(&tally, false);
        assert!(!tally.take_out(&mut patched));
        assert_eq!(
            tally.doubts(&patched, false, &"drawn1 ended\n".repeat(3))[0].code,
            "test-must-fail"
        );
        let mut without = report(&tally, false);
        without.files.remove(&tally.file);
        assert!(!tally.take_out(&mut without));
    }

    #[test]
    fn the_test_that_must_fail_comes_last() {
        let expected = Inspection {
            tests: [
                ("__tests__/z.test.ts".to_owned(), 1),
                ("__tests__/help.ts".to_owned(), 0),
            ]
            .into(),
            ..Inspection::default()
        };
        assert_eq!(
            order(&expected, Some("check/x.test.ts")),
            ["./__tests__/z.test.ts", "./check/x.test.ts"]
        );
    }
}
