//! The pipeline's own checks on a plugin project that exists already.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::candidate::Candidate;
use super::examination::{Observer, STAGES};
use super::report::{Check, CheckStatus, CreationReport, Verdict};
use super::{Pipeline, package, shipped, verdict};
use crate::error::{Code, Error, Result};
use crate::files::{FileSet, check_path};
use crate::specification::Specification;
use crate::tracer::{Kind, SpanContext};

const MAX_FILES: usize = 500;
const MAX_BYTES: u64 = 5 << 20;

/// Only these are examined: configuration is ours, and `dist/` is built anew and compared.
const SOURCES: [&str; 2] = ["src", "__tests__"];

/// A project as it lies on the disk.
struct Project {
    candidate: Candidate,
    manifest: Value,
    dist: FileSet,
    /// Files that change what an installation does.
    beside: Vec<&'static str>,
}

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
    let started_at = pipeline.examiner.telemetry.clock.now_ms();
    let mut span = pipeline
        .examiner
        .telemetry
        .tracer
        .start("verify plugin", Kind::Internal, None);
    let parent = span.context().cloned();
    let Project {
        mut candidate,
        manifest,
        dist,
        beside,
    } = read(directory, specification)?;
    // Taken before a check may change anything: these are the files of the disk.
    let mut on_disk = candidate.all();
    on_disk.extend(dist.clone());
    let files = package::digests(&on_disk);
    let manifest = shipped::manifest(&manifest, &beside, &pipeline.allowed_dependencies()?);
    let mut examined = pipeline
        .examiner
        .examine(&mut candidate, Vec::new(), &Silent, parent.as_ref(), token)
        .await;
    examined.checks.insert(0, manifest);
    examined.checks.push(shipped::dist(&dist, &candidate.built));
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
        files,
        specification_sha256: candidate
            .specification
            .as_ref()
            .map(super::specification_digest)
            .unwrap_or_default(),
        trace_id: parent.as_ref().map(SpanContext::trace_id),
        engine: examined.engine,
        started_at,
        finished_at: pipeline.examiner.telemetry.clock.now_ms(),
    }))
}

/// Reads sources and manifest; links and special files are not followed.
fn read(directory: &Path, specification: Option<Specification>) -> Result<Project> {
    let manifest = directory.join("package.json");
    let text = read_file(&manifest)?;
    let value: Value = serde_json::from_slice(&text)
        .map_err(|_| Error::new(Code::FileUnreadable, format!("{} is not JSON", manifest.display())))?;
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
    let mut dist = FileSet::new();
    walk(directory, "dist", &mut dist, &mut budget)?;
    let beside = shipped::INSTALL_FILES
        .into_iter()
        .filter(|name| fs::symlink_metadata(directory.join(name)).is_ok())
        .collect();
    Ok(Project {
        candidate,
        manifest: value,
        dist,
        beside,
    })
}

fn walk(root: &Path, relative: &str, files: &mut FileSet, budget: &mut u64) -> Result<()> {
    let folder = root.join(relative);
    if fs::symlink_metadata(&folder).is_ok_and(|found| found.is_symlink()) {
        return Err(linked(relative));
    }
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
            return Err(linked(&path));
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    let found = fs::symlink_metadata(path).map_err(|error| unreadable(path, error))?;
    if !found.is_file() {
        return Err(linked(&path.display().to_string()));
    }
    if found.len() > MAX_BYTES {
        return Err(too_much(path));
    }
    fs::read(path).map_err(|error| unreadable(path, error))
}

fn linked(path: &str) -> Error {
    Error::new(
        Code::PathRefused,
        format!("{path} is a link or a special file; replace it by a plain one"),
    )
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
