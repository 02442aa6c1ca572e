//! Stage *inspect*: secrets, paths and the syntax tree, before anything is compiled.

use std::collections::BTreeSet;

use super::bench::Bench;
use super::report::{Check, Where};
use super::scan::REFUSED;
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::files::FileSet;
use crate::inspection::{self, Policy};
use crate::scanner::Scanner;

/// Parses every file on the host; nothing of it is executed.
pub fn run(bench: &mut Bench<'_>) -> Vec<Check> {
    let mut secrets = Check::named("inspect: secrets", Where::Host);
    secrets = if let Some(scanner) = &bench.examiner.scanner {
        let (found, files) = secrets_in(scanner, bench);
        if !found.is_empty() {
            redact(scanner, &mut bench.candidate.sources);
        }
        secrets.counting("files", files).judged(found)
    } else {
        secrets.status = super::report::CheckStatus::Skipped;
        secrets.saying("not run, since the scanner is switched off")
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
    let mut check = Check::of(Stage::Inspect, Where::Host)
        .counting("files", bench.candidate.sources.len() as u64)
        .counting("tests", inspection.test_count)
        .counting("hosts", inspection.capabilities.hosts.len() as u64)
        .judged(diagnostics);
    if let Some(hosts) = told(&inspection.capabilities.hosts) {
        check = check.saying(&hosts);
    }
    vec![check, secrets]
}

/// Most hosts that a report names.
const MAX_HOSTS: usize = 20;

/// Where the code may send what it knows, for whoever reads the report.
fn told(hosts: &BTreeSet<String>) -> Option<String> {
    let plain = |host: &String| -> String {
        host.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || ".-_:[]".contains(c) {
                    c
                } else {
                    '?'
                }
            })
            .take(100)
            .collect()
    };
    let named: Vec<String> = hosts.iter().take(MAX_HOSTS).map(plain).collect();
    let more = match hosts.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| format!("the code names the hosts {}{more}", named.join(", ")))
}

/// What is refused for a secret is neither stored nor shown to a model with it.
fn redact(scanner: &Scanner, files: &mut FileSet) {
    for bytes in files.values_mut() {
        if let Ok(text) = std::str::from_utf8(bytes)
            && let std::borrow::Cow::Owned(clean) = scanner.redact_text(text)
        {
            *bytes = clean.into_bytes();
        }
    }
}

fn secrets_in(scanner: &Scanner, bench: &Bench<'_>) -> (Vec<Diagnostic>, u64) {
    let files = bench.candidate.project();
    let result = scanner.scan_files(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
    bench.examiner.telemetry.metrics.scanned("candidate", &result);
    let found = result
        .secrets
        .into_iter()
        .filter(|finding| finding.severity >= REFUSED)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::template;
    use crate::specification::parse_json;

    #[test]
    fn what_the_template_makes_is_refused_for_nothing() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let examples = std::fs::read_dir(root.join("examples")).unwrap();
        let nasty = root.join("src/generation/template/nasty.json");
        let mut seen = 0;
        for path in examples.map(|entry| entry.unwrap().path()).chain([nasty]) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let specification = parse_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let found = inspection::inspect(&template::generate(&specification), &Policy::of(&specification));
            assert_eq!(found.diagnostics, [], "{}", path.display());
            seen += 1;
        }
        assert!(seen >= 4);
    }

    #[test]
    fn a_report_names_few_hosts_in_plain_letters() {
        assert_eq!(told(&BTreeSet::new()), None);
        let two = ["b.example".to_owned(), "a.example:8\u{7}\n<x>".to_owned()].into();
        assert_eq!(
            told(&two).unwrap(),
            "the code names the hosts a.example:8???x?, b.example"
        );
        let many = (0..1000).map(|index| format!("{index}.example")).collect();
        let told = told(&many).unwrap();
        assert!(told.ends_with(" and 980 more") && told.len() < 400, "{told}");
    }
}
