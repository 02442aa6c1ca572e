//! Who owns a data directory: one process, as long as it holds the lock file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};

/// A data directory that exists and can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDirectory {
    path: PathBuf,
    file: OsString,
}

/// Proof that this process owns the directory; let go when dropped.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

impl DataDirectory {
    /// Makes the directory where it is missing; the database in it is `jobs.db`.
    pub fn open(path: &Path) -> Result<Self> {
        Self::with(path, OsString::from("jobs.db"))
    }

    /// The same for a database of another name: a path with an extension is a file.
    pub fn open_path(path: &Path) -> Result<Self> {
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(file)) if path.extension().is_some() && !path.is_dir() => {
                let parent = if parent.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    parent
                };
                Self::with(parent, file.to_owned())
            }
            _ => Self::open(path),
        }
    }

    fn with(path: &Path, file: OsString) -> Result<Self> {
        make(path).map_err(|error| unwritable(path, error))?;
        let path = path.canonicalize().map_err(|error| unwritable(path, error))?;
        Ok(Self { path, file })
    }

    /// Its canonical path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its database lies.
    pub fn database(&self) -> PathBuf {
        self.path.join(&self.file)
    }

    /// The name of the socket in it, through which other processes are served.
    pub fn socket(&self) -> OsString {
        self.beside(".sock")
    }

    fn beside(&self, suffix: &str) -> OsString {
        let mut name = self.file.clone();
        name.push(suffix);
        name
    }

    /// Takes ownership; `None` where another process has it.
    pub fn hold(&self) -> Result<Option<Held>> {
        let lock = self.path.join(self.beside(".lock"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .map_err(|error| unwritable(&self.path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unwritable(&self.path, error)),
        }
    }
}

#[cfg(unix)]
fn make(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::DataDirUnwritable,
        format!(
            "the data directory {} cannot be written; choose another with `dataDir` or AUTON8N_DATA_DIR",
            path.display()
        ),
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(&temp.path().join("a/b")).unwrap();
        let held = directory.hold().unwrap();
        assert!(held.is_some());
        assert!(directory.hold().unwrap().is_none());
        drop(held);
        assert!(directory.hold().unwrap().is_some());
    }

    #[test]
    fn a_path_with_an_extension_is_a_file() {
        let temp = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open_path(&temp.path().join("d/queue.sqlite")).unwrap();
        assert!(directory.database().ends_with("d/queue.sqlite"));
        assert!(
            DataDirectory::open_path(&temp.path().join("d"))
                .unwrap()
                .database()
                .ends_with("d/jobs.db")
        );
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let error = DataDirectory::open(&file).unwrap_err();
        assert_eq!(error.code(), Code::DataDirUnwritable);
        let error = DataDirectory::open(&file.join("under")).unwrap_err();
        assert_eq!(error.code(), Code::DataDirUnwritable);
    }
}
