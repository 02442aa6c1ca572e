//! Where the toolchain is kept, who may write there, and how a whole one is told from a torn one.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};

/// How often another process's lock is tried again.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// Written last; its presence says that all was unpacked.
const MARKER: &str = ".complete.json";

/// Where the toolchain is kept: `AUTON8N_TOOLCHAIN_DIR`, else the user's cache folder, else `data_dir`.
///
/// `os` is as `std::env::consts::OS` names it. A relative or empty variable counts as unset.
pub fn cache_directory(env: &BTreeMap<String, String>, os: &str, data_dir: &Path) -> PathBuf {
    let folder = |name: &str| env.get(name).map(PathBuf::from).filter(|path| path.has_root());
    if let Some(chosen) = env.get("AUTON8N_TOOLCHAIN_DIR").filter(|path| !path.is_empty()) {
        return PathBuf::from(chosen);
    }
    let user_cache = match os {
        "windows" => folder("LOCALAPPDATA"),
        "macos" => folder("HOME").map(|home| home.join("Library/Caches")),
        _ => folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache"))),
    };
    user_cache.map_or_else(|| data_dir.to_path_buf(), |cache| cache.join("auton8n"))
}

/// What was unpacked: places of packages, and sizes of the tools.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub packages: Vec<String>,
    pub tools: BTreeMap<String, u64>,
}

impl Marker {
    /// Describes a tree that was just unpacked.
    pub fn of(tree: &Path, places: Vec<String>, tools: &[&str]) -> Result<Self> {
        let mut sizes = BTreeMap::new();
        for tool in tools {
            let size = std::fs::metadata(tree.join(tool)).map_err(|error| {
                let message = format!("the toolchain has no {tool}, which its lock file promises: report it");
                Error::new(Code::ToolchainUnavailable, message).because(error)
            })?;
            sizes.insert((*tool).to_owned(), size.len());
        }
        Ok(Self {
            packages: places,
            tools: sizes,
        })
    }

    pub fn write(&self, tree: &Path) -> std::io::Result<()> {
        std::fs::write(tree.join(MARKER), serde_json::to_vec(self)?)
    }

    /// Whether `tree` is whole: unpacked to its end, and nothing of it lost since.
    pub fn holds(tree: &Path) -> bool {
        let Ok(bytes) = std::fs::read(tree.join(MARKER)) else {
            return false;
        };
        let Ok(marker) = serde_json::from_slice::<Self>(&bytes) else {
            return false;
        };
        let size = |tool: &String| std::fs::metadata(tree.join(tool)).map(|data| data.len()).ok();
        marker
            .packages
            .iter()
            .all(|place| tree.join(place).join("package.json").is_file())
            && marker.tools.iter().all(|(tool, bytes)| size(tool) == Some(*bytes))
    }
}

/// The right to write into the cache; ends when dropped, and with the process.
#[derive(Debug)]
pub(super) struct CacheLock {
    _file: File,
}

impl CacheLock {
    /// Waits until no other process writes.
    pub fn take(cache: &Path, token: &CancellationToken) -> Result<Self> {
        let unwritable = |error: std::io::Error| {
            let message = format!(
                "the toolchain's folder {} cannot be written: set AUTON8N_TOOLCHAIN_DIR to one that can",
                cache.display()
            );
            Error::new(Code::ToolchainUnavailable, message).because(error)
        };
        std::fs::create_dir_all(cache).map_err(unwritable)?;
        let file = File::create(cache.join(".lock")).map_err(unwritable)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if token.is_cancelled() => return Err(cancelled()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL),
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
            }
        }
    }
}

pub(super) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "fetching the toolchain was cancelled")
}

/// Removes what a process left that died while it wrote. Only for the holder of the lock.
pub(super) fn sweep(cache: &Path) {
    let Ok(entries) = std::fs::read_dir(cache) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(".tmp-") {
            // What cannot be removed now is tried again next time.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(os: &str, env: &[(&str, &str)]) -> PathBuf {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        cache_directory(&env, os, Path::new("/data"))
    }

    #[test]
    fn the_cache_is_where_each_system_keeps_caches() {
        assert_eq!(directory("linux", &[("HOME", "/h")]), Path::new("/h/.cache/auton8n"));
        assert_eq!(
            directory("linux", &[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]),
            Path::new("/c/auton8n")
        );
        assert_eq!(
            directory("linux", &[("HOME", "/h"), ("XDG_CACHE_HOME", "c")]),
            Path::new("/h/.cache/auton8n")
        );
        assert_eq!(
            directory("macos", &[("HOME", "/h")]),
            Path::new("/h/Library/Caches/auton8n")
        );
        assert_eq!(directory("windows", &[("LOCALAPPDATA", "/l")]), Path::new("/l/auton8n"));
        assert_eq!(directory("linux", &[]), Path::new("/data"));
        assert_eq!(directory("linux", &[("HOME", "")]), Path::new("/data"));
        assert_eq!(
            directory("linux", &[("HOME", "/h"), ("AUTON8N_TOOLCHAIN_DIR", "/t")]),
            Path::new("/t")
        );
    }

    #[test]
    fn only_one_writes_and_a_waiting_one_can_be_cancelled() {
        let cache = tempfile::tempdir().unwrap();
        let first = CacheLock::take(cache.path(), &CancellationToken::new()).unwrap();
        let token = CancellationToken::new();
        token.cancel();
        assert_eq!(
            CacheLock::take(cache.path(), &token).unwrap_err().code(),
            Code::Cancelled
        );
        drop(first);
        assert!(CacheLock::take(cache.path(), &token).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_written_names_the_setting() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = CacheLock::take(&file.join("cache"), &CancellationToken::new()).unwrap_err();
        assert_eq!(error.code(), Code::ToolchainUnavailable);
        assert!(error.message().contains("AUTON8N_TOOLCHAIN_DIR"), "{error}");
    }

    #[test]
    fn a_torn_tree_is_told_from_a_whole_one() {
        let tree = tempfile::tempdir().unwrap();
        assert!(!Marker::holds(tree.path()));
        let package = tree.path().join("node_modules/a");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(package.join("package.json"), "{}").unwrap();
        std::fs::write(package.join("tool"), "12345").unwrap();
        let places = vec!["node_modules/a".to_owned()];
        Marker::of(tree.path(), places, &["node_modules/a/tool"])
            .unwrap()
            .write(tree.path())
            .unwrap();
        assert!(Marker::holds(tree.path()));
        std::fs::write(package.join("tool"), "1").unwrap();
        assert!(!Marker::holds(tree.path()), "a cut tool");
        std::fs::write(package.join("tool"), "12345").unwrap();
        std::fs::remove_file(package.join("package.json")).unwrap();
        assert!(!Marker::holds(tree.path()), "a lost package");
        std::fs::write(tree.path().join(MARKER), "{").unwrap();
        assert!(!Marker::holds(tree.path()), "a damaged marker");
    }
}
