//! Stage *inspect*: secrets, paths and the syntax tree, before anything is compiled.

use super::examination::Bench;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::Result;
use crate::inspection::{self, Policy};
use crate::scanner::{Scanner, Severity};

/// Parses every file on the host; nothing of it is executed.
pub fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let mut secrets = Check::named("inspect: secrets", Where::Host);
    secrets = match &bench.examiner.scanner {
        Some(scanner) => {
            let (found, files) = secrets_in(scanner, bench);
            secrets.counting("files", files).judged(found)
        }
        None => {
            secrets.status = super::report::CheckStatus::Skipped;
            secrets.saying("not run, since the scanner is switched off")
        }
    };
    let policy = bench
        .candidate
        .specification
        .as_ref()
        .map_or_else(Policy::default, Policy::of);
    let inspection = inspection::inspect(&bench.candidate.sources, &policy);
    bench.candidate.tests = inspection.tests;
    bench.candidate.multiplied = inspection.multiplied;
    let mut diagnostics = inspection.diagnostics;
    diagnostics.extend(secrets.diagnostics.iter().cloned());
    secrets.diagnostics.clear();
    let check = Check::of(Stage::Inspect, Where::Host)
        .counting("files", bench.candidate.sources.len() as u64)
        .counting("tests", inspection.test_count)
        .counting("hosts", inspection.capabilities.hosts.len() as u64)
        .judged(diagnostics);
    Ok(vec![check, secrets])
}

fn secrets_in(scanner: &Scanner, bench: &Bench<'_>) -> (Vec<Diagnostic>, u64) {
    let files = bench.candidate.project();
    let result = scanner.scan_files(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
    let found = result
        .secrets
        .into_iter()
        .filter(|finding| finding.severity >= Severity::High)
        .map(|finding| {
            Diagnostic::of(
                finding.file.unwrap_or_default(),
                format!("secret/{}", finding.rule),
                format!(
                    "{} ({}) must not stand in code; read it from a declared setting",
                    finding.kind, finding.redacted
                ),
            )
            .at(finding.line, finding.column)
        })
        .collect();
    (found, u64::from(result.files_scanned))
}
