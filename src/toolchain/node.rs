//! What others ask of a toolchain and its lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lock::{BoxPlatform, Lock};
use super::provision::Toolchain;
use crate::error::Result;

/// Names and versions that a plugin may depend on, without provisioning anything.
pub fn allowed_dependencies(lock: &Path) -> Result<BTreeMap<String, String>> {
    Ok(Lock::read(lock)?.allowed())
}

/// A package of the lock, as a list of what went in names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTool {
    pub name: String,
    pub version: String,
    pub integrity: String,
    /// Whether a plugin may depend on it; else it is a tool.
    pub plugin: bool,
}

/// The packages of a box on this machine.
pub fn locked_packages(lock: &Path) -> Result<Vec<LockedTool>> {
    let lock = Lock::read(lock)?;
    let selected = lock.select(BoxPlatform::of_this_machine(), false);
    Ok(selected
        .into_iter()
        .map(|(_, package)| LockedTool {
            name: package.name.clone(),
            version: package.version.clone(),
            integrity: package.integrity.clone(),
            plugin: package.plugin,
        })
        .collect())
}

impl Toolchain {
    /// Node on this machine's disk, where the toolchain was provisioned with it.
    pub fn node(&self) -> Option<PathBuf> {
        let in_box = self.tools().node.as_deref()?;
        Some(self.directory.join(in_box.strip_prefix("/sandbox/").unwrap_or(in_box)))
    }
}
