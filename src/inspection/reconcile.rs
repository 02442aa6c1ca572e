//! Compares what a test runner reported with what the parser counted.

use super::report::Inspection;
use super::tools::TestReport;
use crate::diagnostic::Diagnostic;

impl Inspection {
    /// What is wrong with a report, beyond the failures that it tells itself: a file that is missing
    /// or strange, a number of tests that is not the counted one, a skipped test. Empty where the
    /// report can be believed.
    pub fn reconcile(&self, report: &TestReport) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        for (file, counted) in &self.tests {
            let reported = report.files.get(file).copied().unwrap_or(0);
            let enough = if self.multiplied.contains(file) {
                reported >= *counted
            } else {
                reported == *counted
            };
            if !enough {
                let message = format!(
                    "{counted} tests are written here but {reported} were reported: does the file fail while it \
                     loads, or end the process?"
                );
                wrong.push(Diagnostic::of(file, "test-count", message));
            }
        }
        for file in report.files.keys() {
            if !self.tests.contains_key(file) {
                let message = "tests were reported of a file that holds none";
                wrong.push(Diagnostic::of(file, "test-count", message));
            }
        }
        if report.skipped > 0 {
            let message = format!("{} tests did not run", report.skipped);
            wrong.push(Diagnostic::of("", "test-skipped", message));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection(multiplied: bool) -> Inspection {
        Inspection {
            tests: [("a".to_owned(), 2)].into(),
            multiplied: multiplied.then(|| "a".to_owned()).into_iter().collect(),
            ..Inspection::default()
        }
    }

    fn report(files: &[(&str, u64)]) -> TestReport {
        let files = files.iter().map(|(file, count)| ((*file).to_owned(), *count));
        TestReport {
            files: files.collect(),
            ..TestReport::default()
        }
    }

    #[test]
    fn only_a_report_of_exactly_what_is_written_is_believed() {
        assert_eq!(inspection(false).reconcile(&report(&[("a", 2)])), []);
        assert_eq!(inspection(true).reconcile(&report(&[("a", 5)])), []);
        for (multiplied, files) in [
            (false, &[("a", 1)][..]),
            (false, &[("a", 3)]),
            (false, &[]),
            (true, &[("a", 1)]),
            (false, &[("a", 2), ("b", 1)]),
        ] {
            let wrong = inspection(multiplied).reconcile(&report(files));
            assert_eq!(wrong.len(), 1, "{files:?}");
            assert_eq!(wrong[0].code, "test-count");
        }
        let skipped = TestReport {
            skipped: 1,
            ..report(&[("a", 2)])
        };
        assert_eq!(inspection(false).reconcile(&skipped)[0].code, "test-skipped");
    }
}
