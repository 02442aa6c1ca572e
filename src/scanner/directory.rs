//! Scans a tree of files on several threads.

use std::path::Path;

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use parking_lot::Mutex;
use serde::Deserialize;

use super::engine::Scanner;
use super::file::{open, skipped};
use super::finding::ScanResult;
use super::stream::Buffer;
#[cfg(target_os = "linux")]
use super::tree::{self, Tree};
use crate::error::{Code, Error, Result};

/// How a tree is walked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DirectoryOptions {
    /// Leave out what `.gitignore` files leave out. Default: no.
    pub gitignore: bool,
    /// Globs, as in a `.gitignore`, of what is left out.
    pub exclude: Vec<String>,
    /// Bytes; overrides the scanner's own.
    pub max_file_size: Option<u64>,
}

const THREADS: usize = 8;

impl Scanner {
    /// Scans a directory, or one file. Blocks: run it where that may be. Links are not followed, `.git`
    /// is left out, binary and too large files are listed in `skipped`.
    pub fn scan_directory(&self, path: &Path, options: &DirectoryOptions) -> Result<ScanResult> {
        let unreadable = |error: std::io::Error| {
            Error::new(
                Code::FileUnreadable,
                format!(
                    "{} cannot be read; check that it is there and may be read",
                    path.display()
                ),
            )
            .because(error)
        };
        let root = std::fs::canonicalize(path).map_err(unreadable)?;
        let limit = options.max_file_size.unwrap_or(self.options.max_file_size);
        if limit == 0 {
            return Err(Error::new(
                Code::OptionInvalid,
                "the option maxFileSize must be at least 1 byte",
            ));
        }
        let kind = std::fs::metadata(&root).map_err(unreadable)?;
        if kind.is_file() {
            let name = root
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            return Ok(self.scan_file(open(&root), &name, limit, &mut Buffer::default()));
        }
        if !kind.is_dir() {
            return Err(Error::new(
                Code::FileUnreadable,
                format!("{} is neither a file nor a directory", path.display()),
            ));
        }
        let exclude = exclude(&root, &options.exclude)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        #[cfg(target_os = "linux")]
        if !options.gitignore {
            let tree = Tree::open(&root, &exclude).map_err(unreadable)?;
            return Ok(self.read_tree(&tree, threads, limit));
        }
        std::fs::read_dir(&root).map_err(unreadable)?;
        Ok(self.walk(&root, exclude, options.gitignore, threads, limit))
    }

    #[cfg(target_os = "linux")]
    fn read_tree(&self, tree: &Tree, threads: usize, limit: u64) -> ScanResult {
        let read = || {
            let mut files = Files {
                scanner: self,
                limit,
                buffer: Buffer::default(),
                result: ScanResult::default(),
            };
            tree.read(&mut files);
            files.result
        };
        let mut result = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(read)).collect();
            let mut result = read();
            for other in others {
                match other.join() {
                    Ok(other) => result.absorb(other),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            result
        });
        result.sort();
        result
    }

    /// Walks with the rules of `.gitignore`, and on every system.
    fn walk(&self, root: &Path, exclude: Override, gitignore: bool, threads: usize, limit: u64) -> ScanResult {
        let mut builder = WalkBuilder::new(root);
        builder
            .standard_filters(false)
            .git_ignore(gitignore)
            .git_exclude(gitignore)
            .parents(gitignore)
            .require_git(false)
            .follow_links(false)
            .threads(threads)
            .overrides(exclude)
            .filter_entry(|entry| entry.file_name() != ".git");
        let all = Mutex::new(ScanResult::default());
        builder.build_parallel().run(|| {
            let mut buffer = Buffer::default();
            let all = &all;
            Box::new(move |entry| {
                let one = self.visit(root, entry, limit, &mut buffer);
                if let Some(one) = one {
                    all.lock().absorb(one);
                }
                WalkState::Continue
            })
        });
        let mut result = all.into_inner();
        result.sort();
        result
    }

    fn visit(
        &self,
        root: &Path,
        entry: std::result::Result<DirEntry, ignore::Error>,
        limit: u64,
        buffer: &mut Buffer,
    ) -> Option<ScanResult> {
        match entry {
            // Pipes, sockets and devices would block; links lead elsewhere.
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                let name = relative(root, entry.path());
                Some(self.scan_file(open(entry.path()), &name, limit, buffer))
            }
            Ok(_) => None,
            Err(error) => {
                let (name, reason) = told(root, &error);
                Some(skipped(&name, &reason))
            }
        }
    }
}

/// The files of a tree that one thread scans.
#[cfg(target_os = "linux")]
struct Files<'a> {
    scanner: &'a Scanner,
    limit: u64,
    buffer: Buffer,
    result: ScanResult,
}

#[cfg(target_os = "linux")]
impl tree::Visit for Files<'_> {
    fn file(&mut self, file: std::io::Result<std::fs::File>, path: &str) {
        self.result
            .absorb(self.scanner.scan_file(file, path, self.limit, &mut self.buffer));
    }

    fn fault(&mut self, path: &str, error: std::io::Error) {
        self.result.absorb(skipped(path, &error.to_string()));
    }
}

fn exclude(root: &Path, globs: &[String]) -> Result<Override> {
    let mut exclude = OverrideBuilder::new(root);
    for glob in globs {
        exclude
            .add(&format!("!{}", glob.trim_start_matches('!')))
            .map_err(|error| {
                Error::new(
                    Code::OptionInvalid,
                    format!("{glob:?} in the option exclude is no glob"),
                )
                .because(error)
            })?;
    }
    exclude
        .build()
        .map_err(|error| Error::new(Code::OptionInvalid, "the option exclude cannot be used").because(error))
}

/// The name of what cannot be read, and the reason alone.
fn told(root: &Path, error: &ignore::Error) -> (String, String) {
    match error {
        ignore::Error::WithPath { path, err } => (relative(root, path), told(root, err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => told(root, err),
        ignore::Error::Io(error) => (String::new(), error.to_string()),
        other => (String::new(), other.to_string()),
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
    if cfg!(windows) {
        name.replace('\\', "/")
    } else {
        name.into_owned()
    }
}
