//! Where the file lies. It may be removed or replaced while it is open; what is written to it then is in no file that
//! the next opening finds.

use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};

/// A file by its path and by what it is.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    #[cfg(unix)]
    file: Option<(u64, u64)>,
}

impl Place {
    /// The file that lies there.
    pub fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            #[cfg(unix)]
            file: identity(path),
        }
    }

    /// An error where another file lies there now, or none.
    pub fn check(&self) -> Result<()> {
        #[cfg(unix)]
        let left = identity(&self.path) != self.file;
        // There an open file cannot be removed.
        #[cfg(not(unix))]
        let left = false;
        if left {
            return Err(Error::new(
                Code::DataDirUnwritable,
                format!(
                    "{} was removed or replaced while it was open, so that nothing can be stored; close what uses it, \
                     and open it again",
                    self.path.display()
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
