//! The test runner's `JUnit` report, Bun's and vitest's.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{MAX_MESSAGE, clip, keep};
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error, Result};

/// Test cases read of one report.
const MAX_TESTS: u64 = 10_000;

/// What the tests did, counted case by case: the report's own sums are not believed.
///
/// A file that fails while it loads is missing from Bun's report: compare with the parser's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    pub tests: u64,
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    /// Files of which at least one test was reported, with the number of them.
    pub files: std::collections::BTreeMap<String, u64>,
    pub failures: Vec<Diagnostic>,
}

#[derive(Default)]
struct Case {
    name: String,
    class: String,
    file: String,
    line: u32,
    failure: Option<String>,
    skipped: bool,
}

/// Reads a report; an error where it is none, is cut off or is larger than a plugin's may be.
pub fn parse_junit(xml: &str) -> Result<TestReport> {
    let mut reader = Reader::from_str(xml);
    let mut report = TestReport::default();
    let mut case: Option<Case> = None;
    let mut suites: Vec<String> = Vec::new();
    let mut closed = false;
    loop {
        match reader
            .read_event()
            .map_err(|error| unreadable("is no XML").because(error))?
        {
            Event::Start(tag) => match tag.name().as_ref() {
                "testsuites" => {}
                "testsuite" => suites.push(attribute(&tag, "name")),
                "testcase" if case.is_none() => case = Some(start(&tag, &suites)),
                _ => note(&mut case, &tag),
            },
            Event::Empty(tag) => match tag.name().as_ref() {
                "testsuites" => closed = true,
                "testcase" if case.is_none() => finish(&mut report, start(&tag, &suites)),
                _ => note(&mut case, &tag),
            },
            Event::End(tag) => match tag.name().as_ref() {
                "testcase" => {
                    if let Some(case) = case.take() {
                        finish(&mut report, case);
                    }
                }
                "testsuite" => drop(suites.pop()),
                "testsuites" => closed = true,
                _ => {}
            },
            // Entities of one's own could grow without end.
            Event::DocType(_) => return Err(unreadable("declares a document type")),
            Event::Eof => break,
            _ => {}
        }
        if report.tests > MAX_TESTS {
            return Err(unreadable("holds more than 10000 tests"));
        }
        if suites.len() > 100 {
            return Err(unreadable("is nested too deeply"));
        }
    }
    if closed {
        Ok(report)
    } else {
        Err(unreadable("is cut off"))
    }
}

fn start(tag: &BytesStart, suites: &[String]) -> Case {
    let file = attribute(tag, "file");
    let outermost = suites.first().cloned().unwrap_or_default();
    Case {
        name: attribute(tag, "name"),
        class: attribute(tag, "classname"),
        // vitest names the file only in the suite.
        file: if file.is_empty() { outermost } else { file },
        line: attribute(tag, "line").parse().unwrap_or(0),
        ..Case::default()
    }
}

fn note(case: &mut Option<Case>, tag: &BytesStart) {
    let Some(case) = case else { return };
    match tag.name().as_ref() {
        "failure" | "error" => {
            let (kind, message) = (attribute(tag, "type"), attribute(tag, "message"));
            case.failure = Some(if kind.is_empty() {
                message
            } else {
                format!("{kind}: {message}")
            });
        }
        "skipped" => case.skipped = true,
        _ => {}
    }
}

fn finish(report: &mut TestReport, case: Case) {
    report.tests += 1;
    *report.files.entry(super::relative(&case.file)).or_default() += 1;
    if let Some(failure) = case.failure {
        report.failed += 1;
        let name = if case.class.is_empty() || case.class == case.file {
            case.name
        } else {
            format!("{} > {}", case.class, case.name)
        };
        let message = format!("{name}: {failure}");
        keep(&mut report.failures, &case.file, (case.line, 0), "test", &message);
    } else if case.skipped {
        report.skipped += 1;
    } else {
        report.passed += 1;
    }
}

fn attribute(tag: &BytesStart, name: &str) -> String {
    let found = tag.try_get_attribute(name).ok().flatten();
    let Some(found) = found else {
        return String::new();
    };
    let text = quick_xml::escape::unescape(&found.value).unwrap_or(std::borrow::Cow::Borrowed(&found.value));
    clip(&text, MAX_MESSAGE)
}

fn unreadable(why: &str) -> Error {
    Error::new(
        Code::Inconclusive,
        format!("the test runner's report {why}: the tests cannot be judged"),
    )
}

#[cfg(test)]
pub(super) const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="99" assertions="8" failures="0" skipped="2" time="0.2">
  <testsuite name="__tests__/bad.test.ts" file="__tests__/bad.test.ts" tests="7" hostname="vm">
    <testsuite name="a &quot;quoted&quot;" file="__tests__/bad.test.ts" line="2" tests="7">
      <testcase name="fails" classname="a &quot;quoted&quot; &lt;b&gt;" file="__tests__/bad.test.ts" line="3">
        <failure type="AssertionError" message="expected&#10;-  2&#10;+  1">more</failure>
      </testcase>
      <testcase name="skipped" classname="a" time="0" file="__tests__/bad.test.ts" line="5"><skipped /></testcase>
      <testcase name="times out" classname="a" file="__tests__/bad.test.ts" line="7">
        <failure type="TimeoutError" message="test timed out" />
      </testcase>
      <testcase name="each 1" classname="a" time="0.000122" file="__tests__/bad.test.ts" line="8" assertions="1" />
    </testsuite>
  </testsuite>
</testsuites>
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_counted_and_the_reports_own_sums_are_not_believed() {
        let report = parse_junit(SAMPLE).unwrap();
        assert_eq!(
            (report.tests, report.passed, report.failed, report.skipped),
            (4, 1, 2, 1)
        );
        assert_eq!(report.files.get("__tests__/bad.test.ts"), Some(&4));
        assert_eq!(
            report.failures[0].to_string(),
            "__tests__/bad.test.ts:3:0 test: a \"quoted\" <b> > fails: AssertionError: expected\n-  2\n+  1"
        );
    }

    #[test]
    fn vitests_report_is_read_too() {
        let report = parse_junit(
            "<testsuites><testsuite name=\"__tests__/a.test.ts\"><testcase classname=\"__tests__/a.test.ts\" \
             name=\"w &gt; x\" time=\"1\">\n</testcase></testsuite></testsuites>",
        )
        .unwrap();
        assert_eq!((report.passed, report.files.get("__tests__/a.test.ts")), (1, Some(&1)));
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        let deep = "<testsuite>".repeat(10_000);
        let many = format!("<testsuites>{}</testsuites>", "<testcase/>".repeat(20_000));
        for text in [
            "",
            "garbage",
            "<testsuites>",
            "<a></b>",
            &SAMPLE[..700],
            &deep,
            &many,
            "<!DOCTYPE x [<!ENTITY a \"b\">]><testsuites/>",
        ] {
            assert!(parse_junit(text).is_err(), "{}", &text[..text.len().min(50)]);
        }
        assert_eq!(parse_junit("<testsuites/>").unwrap().tests, 0);
    }
}
