//! What others ask of a toolchain and its lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::provision::Toolchain;
use crate::error::Result;

/// Names and versions that a plugin may depend on, without provisioning anything.
pub fn allowed_dependencies(lock: &Path) -> Result<BTreeMap<String, String>> {
    Ok(Lock::read(lock)?.allowed())
}

impl Toolchain {
    /// Node on this machine's disk, where the toolchain was provisioned with it.
    pub fn node(&self) -> Option<PathBuf> {
        let in_box = self.tools().node.as_deref()?;
        Some(self.directory.join(in_box.strip_prefix("/sandbox/").unwrap_or(in_box)))
    }
}
