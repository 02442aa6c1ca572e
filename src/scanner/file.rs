//! Scans one file that is open, whatever its size, and says which files are no text.

use std::fs::File;
use std::path::Path;

use super::engine::Scanner;
use super::finding::{ScanResult, Skipped};
use super::stream::{Buffer, WHOLE, Windows};

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
    /// Scans files whose bytes are in memory, as files of a folder are: binary ones are left out and listed.
    pub fn scan_blobs<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> ScanResult {
        let mut result = ScanResult::default();
        for (name, bytes) in files {
            result.absorb(if is_binary(name, bytes) {
                skipped(name, "binary")
            } else {
                self.scan_bytes(bytes, Some(name))
            });
        }
        result.sort();
        result
    }

    /// Scans an open file, or says why it was not; `name` is what findings call it.
    pub(super) fn scan_file(
        &self,
        file: std::io::Result<File>,
        name: &str,
        limit: u64,
        buffer: &mut Buffer,
    ) -> ScanResult {
        let scanned = file.and_then(|mut file| self.read_and_scan(&mut file, name, limit, buffer));
        scanned.unwrap_or_else(|error| skipped(name, &error.to_string()))
    }

    fn read_and_scan(
        &self,
        file: &mut File,
        name: &str,
        limit: u64,
        buffer: &mut Buffer,
    ) -> std::io::Result<ScanResult> {
        let whole = usize::try_from(limit).map_or(WHOLE, |limit| limit.min(WHOLE));
        // One byte more tells whether the file ends there.
        let ended = buffer.read(file, whole + 1)?;
        if !ended && whole as u64 == limit {
            return Ok(skipped(name, "too large"));
        }
        if is_binary(name, buffer.text()) {
            return Ok(skipped(name, "binary"));
        }
        if ended {
            return Ok(self.scan_bytes(buffer.text(), Some(name)));
        }
        if file.metadata()?.len() > limit {
            return Ok(skipped(name, "too large"));
        }
        // A file may grow while it is read.
        let result = self.scan_stream(file, name, buffer, limit, Windows::default())?;
        Ok(result.unwrap_or_else(|| skipped(name, "too large")))
    }
}

/// Opens a file that was seen to be one. Should a pipe stand there by now, nobody waits for its other end, and a
/// link is not followed.
pub fn open(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits() as i32);
    }
    options.open(path)
}

/// A file that was not read.
pub fn skipped(file: &str, reason: &str) -> ScanResult {
    ScanResult {
        skipped: vec![Skipped {
            file: file.to_owned(),
            reason: reason.to_owned(),
        }],
        ..ScanResult::default()
    }
}

/// Whether a file is no text.
fn is_binary(name: &str, bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(TASTE)]).is_some() && !is_text(name, bytes)
}

/// Whether a file with NUL bytes is text all the same.
fn is_text(name: &str, bytes: &[u8]) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let extension = last.rsplit('.').next().unwrap_or("");
    bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || TEXT.contains(&extension)
        || last.starts_with(".env")
}
