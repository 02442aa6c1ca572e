//! Scans a tree of files on several threads.

use std::fs::File;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder, WalkState};
use parking_lot::Mutex;
use serde::Deserialize;

use super::engine::Scanner;
use super::finding::{ScanResult, Skipped};
use super::stream::{Buffer, WHOLE, Windows};
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
/// Bytes at the start of a file that tell whether it is text.
const TASTE: usize = 8 * 1024;

/// Files that are read as text whatever bytes they start with, so that a NUL cannot hide a secret.
const TEXT: &[&str] = &[
    "js",
    "mjs",
    "cjs",
    "jsx",
    "ts",
    "mts",
    "cts",
    "tsx",
    "json",
    "jsonc",
    "yaml",
    "yml",
    "toml",
    "ini",
    "conf",
    "cfg",
    "env",
    "properties",
    "xml",
    "html",
    "md",
    "txt",
    "csv",
    "sh",
    "py",
    "go",
    "rs",
    "java",
    "rb",
    "php",
    "sql",
    "tf",
    "pem",
    "key",
    "log",
    "npmrc",
    "netrc",
];

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
            return Ok(self.scan_one(&root, &name, limit, &mut Buffer::default()));
        }
        if !kind.is_dir() {
            return Err(Error::new(
                Code::FileUnreadable,
                format!("{} is neither a file nor a directory", path.display()),
            ));
        }
        std::fs::read_dir(&root).map_err(unreadable)?;
        self.walk(&root, options, limit)
    }

    fn walk(&self, root: &Path, options: &DirectoryOptions, limit: u64) -> Result<ScanResult> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let mut builder = WalkBuilder::new(root);
        builder
            .standard_filters(false)
            .git_ignore(options.gitignore)
            .git_exclude(options.gitignore)
            .parents(options.gitignore)
            .require_git(false)
            .follow_links(false)
            .threads(threads)
            .filter_entry(|entry| entry.file_name() != ".git");
        let mut exclude = ignore::overrides::OverrideBuilder::new(root);
        for glob in &options.exclude {
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
        builder.overrides(
            exclude
                .build()
                .map_err(|error| Error::new(Code::OptionInvalid, "the option exclude cannot be used").because(error))?,
        );
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
        Ok(result)
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
                Some(self.scan_one(entry.path(), &name, limit, buffer))
            }
            Ok(_) => None,
            Err(error) => Some(skipped("", &error.to_string())),
        }
    }

    fn scan_one(&self, path: &Path, name: &str, limit: u64, buffer: &mut Buffer) -> ScanResult {
        match self.read_and_scan(path, name, limit, buffer) {
            Ok(result) => result,
            Err(error) => skipped(name, &error.to_string()),
        }
    }

    fn read_and_scan(&self, path: &Path, name: &str, limit: u64, buffer: &mut Buffer) -> std::io::Result<ScanResult> {
        let mut file = File::open(path)?;
        let whole = usize::try_from(limit).map_or(WHOLE, |limit| limit.min(WHOLE));
        // One byte more tells whether the file ends there.
        let ended = buffer.read(&mut file, whole + 1)?;
        if !ended && whole as u64 == limit {
            return Ok(skipped(name, "too large"));
        }
        if is_binary(path, buffer.text()) {
            return Ok(skipped(name, "binary"));
        }
        if ended {
            return Ok(self.scan_bytes(buffer.text(), Some(name)));
        }
        if file.metadata()?.len() > limit {
            return Ok(skipped(name, "too large"));
        }
        // A file may grow while it is read.
        let result = self.scan_stream(&mut file, name, buffer, limit, Windows::default())?;
        Ok(result.unwrap_or_else(|| skipped(name, "too large")))
    }
}

fn is_binary(path: &Path, bytes: &[u8]) -> bool {
    let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let extension = name.rsplit('.').next().unwrap_or("");
    !wide
        && !TEXT.contains(&extension)
        && !name.starts_with(".env")
        && memchr::memchr(0, &bytes[..bytes.len().min(TASTE)]).is_some()
}

fn relative(root: &Path, path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root).unwrap_or(path).to_path_buf();
    path.to_string_lossy().replace('\\', "/")
}

fn skipped(file: &str, reason: &str) -> ScanResult {
    ScanResult {
        skipped: vec![Skipped {
            file: file.to_owned(),
            reason: reason.to_owned(),
        }],
        ..ScanResult::default()
    }
}
