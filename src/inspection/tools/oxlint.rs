//! `oxlint --format json`.

use serde::Deserialize;

use super::keep;
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error, Result};

/// What the linter looked at and found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LintCounts {
    pub files: u64,
    pub rules: u64,
    pub errors: u64,
    pub warnings: u64,
}

#[derive(Deserialize)]
struct Report {
    diagnostics: Vec<Finding>,
    number_of_files: u64,
    number_of_rules: u64,
}

#[derive(Deserialize)]
struct Finding {
    message: String,
    /// Absent where the file cannot be parsed.
    code: Option<String>,
    severity: String,
    help: Option<String>,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    line: u32,
    column: u32,
}

/// The findings of the linter, and its counts; an error where it printed no report.
pub fn parse_oxlint(text: &str) -> Result<(Vec<Diagnostic>, LintCounts)> {
    // Notes for people may stand before the report.
    let start = text
        .find("{ \"diagnostics\"")
        .or_else(|| text.find('{'))
        .unwrap_or(text.len());
    let report = serde_json::Deserializer::from_str(&text[start..])
        .into_iter::<Report>()
        .next();
    let report = match report {
        Some(Ok(report)) => report,
        Some(Err(error)) => return Err(unreadable().because(error)),
        None => return Err(unreadable()),
    };
    let mut diagnostics = Vec::new();
    let mut counts = LintCounts {
        files: report.number_of_files,
        rules: report.number_of_rules,
        ..LintCounts::default()
    };
    for finding in &report.diagnostics {
        match finding.severity.as_str() {
            "warning" | "advice" => counts.warnings += 1,
            _ => counts.errors += 1,
        }
        let place = finding
            .labels
            .first()
            .map_or((0, 0), |label| (label.span.line, label.span.column));
        let help = finding
            .help
            .as_deref()
            .map(|help| format!(" {help}"))
            .unwrap_or_default();
        let code = finding.code.as_deref().map_or("syntax", rule);
        keep(
            &mut diagnostics,
            &finding.filename,
            place,
            code,
            &format!("{}{help}", finding.message),
        );
    }
    Ok((diagnostics, counts))
}

/// `no-eval` of `eslint(no-eval)`; others keep the plugin's name, as `typescript/no-explicit-any`.
fn rule(code: &str) -> &str {
    code.strip_prefix("eslint(")
        .and_then(|code| code.strip_suffix(')'))
        .unwrap_or(code)
}

fn unreadable() -> Error {
    Error::new(
        Code::Inconclusive,
        "the linter printed no report that can be read: run the check again",
    )
}

#[cfg(test)]
pub(super) const SAMPLE: &str = r#"No files found to lint.
{ "diagnostics": [{"message": "eval can be harmful.","code": "eslint(no-eval)","severity": "error","url": "x",
"help": "Avoid it.","filename": "src/bad.ts","labels": [{"span": {"offset": 220,"length": 4,"line": 8,"column": 36}}]},
{"message": "Expected `)`","severity": "error","filename": "src/syntax.ts","labels": []},
{"message": "m","code": "vitest(warn-todo)","severity": "warning","filename": "src/x.ts","labels": []}],
  "number_of_files": 8, "number_of_rules": 160, "threads_count": 2, "start_time": 0.007
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_and_counts_are_read() {
        let (found, counts) = parse_oxlint(SAMPLE).unwrap();
        assert_eq!(
            counts,
            LintCounts {
                files: 8,
                rules: 160,
                errors: 2,
                warnings: 1
            }
        );
        assert_eq!(
            found[0].to_string(),
            "src/bad.ts:8:36 no-eval: eval can be harmful. Avoid it."
        );
        assert_eq!(found[1].code, "syntax");
        assert_eq!(found[2].code, "vitest(warn-todo)");
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        let deep = format!("{{\"diagnostics\":{}", "[".repeat(100_000));
        for text in ["", "panic", "{}", "{\"diagnostics\":1}", "{ \"diagnostics\": [", &deep] {
            assert_eq!(parse_oxlint(text).unwrap_err().code(), Code::Inconclusive);
        }
    }
}
