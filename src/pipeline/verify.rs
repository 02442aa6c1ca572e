//! The pipeline's own checks on a plugin project that exists already.

use std::fs;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::candidate::Candidate;
use super::examination::{Observer, STAGES};
use super::report::{Check, CheckStatus, CreationReport, Verdict};
use super::{Pipeline, package, verdict};
use crate::error::{Code, Error, Result};
use crate::files::{FileSet, check_path};
use crate::specification::Specification;
use crate::tracer::{Kind, SpanContext};

const MAX_FILES: usize = 500;
const MAX_BYTES: u64 = 5 << 20;

/// Only these are looked at: configuration is ours, and `dist/` is built anew.
const SOURCES: [&str; 2] = ["src", "__tests__"];

struct Silent;

impl Observer for Silent {
    fn started(&self, _stage: super::Stage) {}

    fn finished(&self, _candidate: &Candidate, _checks: &[Check]) {}
}

/// Examines a project; without a specification its contract stays open.
pub async fn run(
    pipeline: &Pipeline,
    directory: &Path,
    specification: Option<Specification>,
    token: &CancellationToken,
) -> Result<CreationReport> {
    let started_at = pipeline.examiner.clock.now_ms();
    let mut span = pipeline.examiner.tracer.start("verify plugin", Kind::Internal, None);
    let parent = span.context().cloned();
    let mut candidate = read(directory, specification)?;
    let examined = pipeline
        .examiner
        .examine(&mut candidate, Vec::new(), &Silent, parent.as_ref(), token)
        .await;
    if let Some(fault) = examined.fault
        && !examined.checks.iter().any(|check| check.status == CheckStatus::Failed)
    {
        span.fail(&fault);
        return Err(fault);
    }
    span.end();
    let found = verdict::of(&examined.checks, &STAGES);
    Ok(pipeline.redacted(CreationReport {
        verdict: if found == Verdict::Passed && candidate.specification.is_none() {
            Verdict::Inconclusive
        } else {
            found
        },
        isolation: examined.isolation,
        checks: examined.checks,
        iterations: 0,
        tokens: None,
        files: package::digests(&candidate.all()),
        specification_sha256: candidate
            .specification
            .as_ref()
            .map(super::specification_digest)
            .unwrap_or_default(),
        trace_id: parent.as_ref().map(SpanContext::trace_id),
        engine: examined.engine,
        started_at,
        finished_at: pipeline.examiner.clock.now_ms(),
    }))
}

/// Reads sources and manifest; links and special files are not followed.
fn read(directory: &Path, specification: Option<Specification>) -> Result<Candidate> {
    let manifest = directory.join("package.json");
    let text = read_file(&manifest)?;
    if serde_json::from_slice::<serde_json::Value>(&text).is_err() {
        return Err(Error::new(
            Code::FileUnreadable,
            format!("{} is not JSON", manifest.display()),
        ));
    }
    let mut candidate = Candidate {
        specification,
        ..Candidate::default()
    };
    candidate.scaffold.insert("package.json".to_owned(), text);
    let mut budget = MAX_BYTES;
    for folder in SOURCES {
        walk(directory, folder, &mut candidate.sources, &mut budget)?;
    }
    if candidate.sources.is_empty() {
        return Err(Error::new(
            Code::FileUnreadable,
            format!(
                "{} has no src/ folder; name the folder of a plugin",
                directory.display()
            ),
        ));
    }
    Ok(candidate)
}

fn walk(root: &Path, relative: &str, files: &mut FileSet, budget: &mut u64) -> Result<()> {
    let folder = root.join(relative);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(&folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&folder, error))?;
        let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), error))?;
        let path = format!("{relative}/{}", entry.file_name().to_string_lossy());
        check_path(&path)?;
        if kind.is_dir() {
            walk(root, &path, files, budget)?;
        } else if kind.is_file() {
            let bytes = read_file(&entry.path())?;
            *budget = budget.checked_sub(bytes.len() as u64).ok_or_else(|| too_much(root))?;
            files.insert(path, bytes);
            if files.len() > MAX_FILES {
                return Err(too_much(root));
            }
        } else {
            return Err(Error::new(
                Code::PathRefused,
                format!("{path} is a link or a special file; replace it by a plain one"),
            ));
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(|error| unreadable(path, error))?.len();
    if size > MAX_BYTES {
        return Err(too_much(path));
    }
    fs::read(path).map_err(|error| unreadable(path, error))
}

fn too_much(path: &Path) -> Error {
    Error::new(
        Code::FileUnreadable,
        format!(
            "{} is larger than a plugin may be ({MAX_FILES} files, {} MiB)",
            path.display(),
            MAX_BYTES >> 20
        ),
    )
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::FileUnreadable,
        format!("{} cannot be read; name the folder of a plugin", path.display()),
    )
    .because(error)
}
