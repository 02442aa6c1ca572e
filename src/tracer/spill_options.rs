//! Where spans are kept until they are exported.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};

/// Where spans are kept until they are exported.
#[derive(Clone, Debug)]
pub struct SpillOptions {
    pub directory: PathBuf,
    /// Bytes of all files together; spans beyond it are exported and not kept.
    pub max_bytes: u64,
}

impl SpillOptions {
    /// 16 MiB in that directory.
    pub const fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            max_bytes: 16 << 20,
        }
    }

    /// Checks the range.
    pub fn check(&self) -> Result<()> {
        if (4_096..=1 << 40).contains(&self.max_bytes) && !self.directory.as_os_str().is_empty() {
            return Ok(());
        }
        Err(Error::new(
            Code::OptionInvalid,
            "Tracer option spill: directory must not be empty, maxBytes must be at least 4096",
        ))
    }
}
