//! Inspects all files of a plugin that a model may write.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use oxc_allocator::Allocator;
use oxc_parser::{Parser, ParserReturn};
use oxc_span::{LabeledSpan, SourceType, Span};

use crate::diagnostic::Diagnostic;
use crate::files::{FileSet, check_path};

use super::comments;
use super::declared::undeclared;
use super::imports::{Target, is_test, judge};
use super::lines::Lines;
use super::policy::Policy;
use super::report::{Import, Inspection};
use super::walk::Walk;

/// Reserved, not used: the largest file as one long chain of operators takes less than a third of it, unoptimised.
const STACK: usize = 256 << 20;
/// Far more than any honest plugin takes; a parser that stands still is left behind.
const DEADLINE: Duration = Duration::from_secs(20);
/// More help nobody.
const MAX_DIAGNOSTICS: usize = 200;
const MAX_FILES: usize = 200;
/// `A<A<A<…` costs the parser the square of its length.
const MAX_ANGLES: usize = 1500;

/// Parses and judges `files`: all that a model wrote. It never panics, whatever they hold.
///
/// Blocks while it works, a few milliseconds for a plugin of usual size.
pub fn inspect(files: &FileSet, policy: &Policy) -> Inspection {
    let (sender, receiver) = channel();
    let shared = Arc::new((files.clone(), policy.clone()));
    // Deep nesting needs a deep stack, and whatever goes wrong there must not take the engine along.
    let started = std::thread::Builder::new()
        .name("auton8n-inspect".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody listens any more where the deadline has passed.
            let _ = sender.send(inspect_here(&shared.0, &shared.1));
        });
    let lost = |why: &str| Inspection {
        diagnostics: vec![Diagnostic::of(
            "",
            "too-complex",
            format!("the code cannot be parsed: {why}"),
        )],
        ..Inspection::default()
    };
    if started.is_err() {
        return lost("no thread could be started for it");
    }
    match receiver.recv_timeout(DEADLINE) {
        Ok(inspection) => inspection,
        Err(RecvTimeoutError::Timeout) => lost("it takes too long"),
        Err(RecvTimeoutError::Disconnected) => lost("the parser stopped"),
    }
}

fn inspect_here(files: &FileSet, policy: &Policy) -> Inspection {
    let mut inspection = Inspection::default();
    if files.len() > MAX_FILES {
        let message = format!("there are {} files; a plugin may have {MAX_FILES}", files.len());
        inspection
            .diagnostics
            .push(Diagnostic::of("", "too-many-files", message));
        return inspection;
    }
    let own = |path: &&String| policy.own_files.contains(*path);
    for path in files.keys().filter(|path| !own(path)) {
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            inspect_file(path, files, policy, &mut inspection);
        }));
        if parsed.is_err() {
            inspection
                .diagnostics
                .push(Diagnostic::of(path, "too-complex", "the parser gave up on this file"));
        }
    }
    inspection.test_count = inspection.tests.values().sum();
    if inspection.test_count == 0 {
        let message = "there is no test: write at least one in __tests__/";
        inspection.diagnostics.push(Diagnostic::of("", "no-tests", message));
    }
    inspection.diagnostics.truncate(MAX_DIAGNOSTICS);
    inspection
}

/// Whether a model may write this file.
fn is_writable(path: &str) -> bool {
    let Some(stem) = path.strip_suffix(".ts") else {
        return false;
    };
    let kind = stem.rsplit_once('.').map(|(_, kind)| kind);
    let source = path.starts_with("src/") && !matches!(kind, Some("test" | "d"));
    let test = is_test(path) && kind != Some("d");
    check_path(path).is_ok() && (source || test) && !in_packages(path)
}

/// Type checkers, linters and test runners leave such folders out.
fn in_packages(path: &str) -> bool {
    path.split('/').any(|part| part.eq_ignore_ascii_case("node_modules"))
}

/// The text of a file that may be parsed, or a code and a message.
fn admit<'f>(path: &str, bytes: &'f [u8], policy: &Policy) -> Result<&'f str, (&'static str, String)> {
    if !is_writable(path) {
        let message = "only src/**/*.ts and __tests__/**/*.ts may be written; all else is given";
        return Err(("file-refused", message.to_owned()));
    }
    if bytes.len() > policy.max_file {
        let message = format!("a file may have {} bytes", policy.max_file);
        return Err(("too-large", message));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ("not-utf8", "it is not UTF-8".to_owned()))?;
    if nesting(bytes) > policy.max_nesting {
        let message = format!("brackets may be nested {} deep", policy.max_nesting);
        return Err(("too-deep", message));
    }
    if memchr::memchr_iter(b'<', bytes).count() > MAX_ANGLES {
        let message = format!("a file may have {MAX_ANGLES} times `<`");
        return Err(("too-deep", message));
    }
    Ok(text)
}

fn inspect_file(path: &str, files: &FileSet, policy: &Policy, inspection: &mut Inspection) {
    let bytes = files.get(path).map(Vec::as_slice).unwrap_or_default();
    let text = match admit(path, bytes, policy) {
        Ok(text) => text,
        Err((code, message)) => {
            let shown: String = path.chars().take(200).collect();
            let diagnostic = Diagnostic::of(shown, code, message);
            return inspection.diagnostics.push(diagnostic);
        }
    };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::ts().with_module(true)).parse();
    let mut refused = Refused::new();
    if parsed.panicked || parsed.diagnostics.has_errors() {
        for error in parsed.diagnostics.errors().take(20) {
            let at = error.labels.first().map_or(0, LabeledSpan::offset);
            refused.push((Span::new(at, at), "syntax", error.message.to_string()));
        }
        if refused.is_empty() {
            let message = "it is no TypeScript".to_owned();
            refused.push((Span::new(0, 0), "syntax", message));
        }
    } else {
        refused = judge_program(path, text, &parsed, files, policy, inspection);
    }
    refused.sort_by_key(|(span, ..)| span.start);
    let lines = Lines::of(text);
    for (span, code, message) in refused {
        let (line, column) = lines.place(span.start);
        let diagnostic = Diagnostic::of(path, code, message).at(line, column);
        inspection.diagnostics.push(diagnostic);
    }
}

type Refused = Vec<(Span, &'static str, String)>;

fn judge_program(
    path: &str,
    text: &str,
    parsed: &ParserReturn,
    files: &FileSet,
    policy: &Policy,
    inspection: &mut Inspection,
) -> Refused {
    let mut walk = Walk {
        in_test: is_test(path),
        unconditional: true,
        ..Walk::default()
    };
    oxc_ast_visit::Visit::visit_program(&mut walk, &parsed.program);
    for (specifier, requests) in &parsed.module_record.requested_modules {
        let specifier = specifier.as_str().to_owned();
        walk.imports.extend(
            requests
                .iter()
                .map(|one| (specifier.clone(), one.statement_span, one.is_type, false)),
        );
    }
    walk.imports.sort_by_key(|import| import.1.start);
    let mut refused = std::mem::take(&mut walk.refused);
    for comment in &parsed.program.comments {
        let span = comment.content_span();
        let content = text.get(span.start as usize..span.end as usize);
        if let Some((code, message)) = comments::judge(content.unwrap_or_default()) {
            refused.push((comment.span, code, message));
        }
    }
    judge_imports(path, &mut walk, &mut refused, files, policy, inspection);
    judge_tests(path, &walk, &mut refused, inspection);
    for name in walk.capabilities.environment.difference(&policy.environment) {
        let shown: String = name.chars().take(100).collect();
        let message = format!("the environment variable {shown} is not declared in the specification");
        refused.push((Span::new(0, 0), "undeclared-environment", message));
    }
    refused.extend(undeclared(&walk.hosts, &walk.settings, policy));
    let mine = &mut inspection.capabilities;
    mine.hosts.extend(walk.hosts.into_iter().map(|(host, _)| host));
    mine.environment.append(&mut walk.capabilities.environment);
    mine.settings.append(&mut walk.capabilities.settings);
    mine.network |= walk.capabilities.network;
    refused
}

fn judge_imports(
    path: &str,
    walk: &mut Walk,
    refused: &mut Refused,
    files: &FileSet,
    policy: &Policy,
    inspection: &mut Inspection,
) {
    for (specifier, span, type_only, dynamic) in std::mem::take(&mut walk.imports) {
        match judge(&specifier, path, type_only, files, policy) {
            Err((code, message)) => refused.push((span, code, message)),
            Ok(Target::File(_)) => {}
            Ok(Target::BuiltIn { name, connects }) => {
                if !type_only {
                    inspection.capabilities.node_modules.insert(name.to_owned());
                }
                walk.capabilities.network |= connects && !walk.in_test;
            }
            Ok(Target::Package(name)) => {
                inspection.capabilities.packages.insert(name.to_owned());
            }
        }
        inspection.imports.push(Import {
            file: path.to_owned(),
            specifier,
            type_only,
            dynamic,
        });
    }
}

fn judge_tests(path: &str, walk: &Walk, refused: &mut Refused, inspection: &mut Inspection) {
    // A helper of tests holds none; only files that a runner takes must.
    if !path.ends_with(".test.ts") {
        return;
    }
    let from_vitest = |import: &Import| import.file == path && import.specifier == "vitest" && !import.type_only;
    if !inspection.imports.iter().any(from_vitest) {
        let message = "a test imports `it` or `test`, and `expect`, from 'vitest'".to_owned();
        refused.push((Span::new(0, 0), "test-import", message));
    } else if walk.tests == 0 && refused.is_empty() {
        refused.push((Span::new(0, 0), "no-tests", "this file holds no test".to_owned()));
    }
    if walk.multiplied {
        inspection.multiplied.insert(path.to_owned());
    }
    inspection.tests.insert(path.to_owned(), walk.tests);
}

/// How deep brackets stand in brackets, those in texts and comments counted too.
fn nesting(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in bytes {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
