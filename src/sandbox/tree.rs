//! A folder of the host that goes into a box as it is.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};

const MAX_ENTRIES: usize = 200_000;

/// A file or link below a tree.
#[derive(Debug)]
pub enum Leaf {
    Folder,
    File { executable: bool, size: u64, modified: i64 },
    Link(PathBuf),
}

/// All below `root` in a fixed order, by relative path. Links that leave it are left out, as are
/// devices and sockets.
pub fn walk(root: &Path) -> Result<Vec<(String, Leaf)>> {
    let mut all = Vec::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        let real = root.join(&folder);
        for entry in fs::read_dir(&real).map_err(|error| unreadable(&real, error))? {
            let entry = entry.map_err(|error| unreadable(&real, error))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let meta = fs::symlink_metadata(entry.path()).map_err(|error| unreadable(&entry.path(), error))?;
            if meta.is_dir() {
                open.push(path.clone());
                all.push((path, Leaf::Folder));
            } else if meta.is_file() {
                let executable = is_executable(&meta);
                all.push((
                    path,
                    Leaf::File {
                        executable,
                        size: meta.len(),
                        modified: modified(&meta),
                    },
                ));
            } else if meta.is_symlink() {
                let target = fs::read_link(entry.path()).map_err(|error| unreadable(&entry.path(), error))?;
                if target.is_relative() && !leaves(&folder, &target) {
                    all.push((path, Leaf::Link(target)));
                }
            }
            if all.len() > MAX_ENTRIES {
                return Err(Error::new(
                    Code::SandboxUnavailable,
                    format!("{} holds too many files", root.display()),
                ));
            }
        }
    }
    all.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(all)
}

/// Whether a link in `folder` to `target` leads out of the tree.
fn leaves(folder: &str, target: &Path) -> bool {
    let mut depth = folder.split('/').filter(|part| !part.is_empty()).count() as i64;
    for part in target.components() {
        depth += match part {
            std::path::Component::ParentDir => -1,
            std::path::Component::Normal(_) => 1,
            _ => 0,
        };
        if depth < 0 {
            return true;
        }
    }
    false
}

#[cfg(unix)]
fn is_executable(meta: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0
}

/// Windows has no such mark, so everything may be executed, as its engines have it too.
#[cfg(not(unix))]
fn is_executable(_meta: &Metadata) -> bool {
    true
}

/// Seconds since 1970; 0 where the file system does not tell.
pub fn modified(meta: &Metadata) -> i64 {
    let since = meta
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs() as i64)
}

/// A path that could not be read.
pub fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, format!("cannot read {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_a_tree_are_known() {
        assert!(!leaves(".bin", Path::new("../typescript/bin/tsc")));
        assert!(leaves(".bin", Path::new("../../etc/passwd")));
        assert!(leaves("", Path::new("../x")));
        assert!(leaves("a", Path::new("b/../../../x")));
    }
}
