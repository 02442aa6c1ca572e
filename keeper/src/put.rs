//! Files of the engine, written below the working directory as the keeper's user.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::wire::Fields;

/// The working directory.
pub const WORK: &str = "/sandbox/work";
/// The job's own folder in it.
pub const OUT: &str = "out";

const BEGIN: u8 = 1;

/// Writes files as they come, and keeps the first error until the engine asks.
#[derive(Default)]
pub struct Putter {
    open: Option<File>,
    error: Option<String>,
}

impl Putter {
    /// Takes one piece of a file.
    pub fn take(&mut self, body: &[u8]) {
        if self.error.is_none()
            && let Err(message) = self.write(body)
        {
            self.error = Some(message);
        }
    }

    fn write(&mut self, body: &[u8]) -> Result<(), String> {
        let mut fields = Fields::new(body);
        let begin = fields.u8()? & BEGIN != 0;
        let path = fields.text()?;
        let data = fields.rest();
        if begin {
            self.open = Some(create(&path)?);
        }
        let file = self.open.as_mut().ok_or("a file goes on that was not begun")?;
        file.write_all(data)
            .map_err(|error| format!("cannot write {path}: {error}"))
    }

    /// How it went since the last time that it was asked.
    pub fn finish(&mut self) -> Result<(), String> {
        self.open = None;
        self.error.take().map_or(Ok(()), Err)
    }
}

/// Makes the file anew. No link is on the way: nobody but the keeper writes outside of `out`.
fn create(path: &str) -> Result<File, String> {
    if !is_plain(path) || path == OUT || path.starts_with("out/") {
        return Err(format!(
            "{path:?} is not a path that files are put at; out/ is the job's own"
        ));
    }
    let target = Path::new(WORK).join(path);
    if let Some(parent) = target.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .map_err(|error| format!("cannot make the folder of {path}: {error}"))?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&target)
        .map_err(|error| format!("cannot write {path}: {error}"))?;
    file.set_permissions(Permissions::from_mode(0o644))
        .map_err(|error| format!("cannot open up {path}: {error}"))?;
    Ok(file)
}

/// A relative path that goes only down.
pub fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 1024
        && !path.contains('\0')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_paths_that_go_down_are_plain() {
        assert!(is_plain("src/index.ts"));
        for path in ["", "/x", "../x", "a/../x", "a//b", "a/./b", "a\0", "a/"] {
            assert!(!is_plain(path), "{path:?}");
        }
    }
}
