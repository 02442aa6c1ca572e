//! How the toolchain comes onto the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::lock::BoxPlatform;

/// How the toolchain comes onto the disk.
#[derive(Clone, Debug)]
pub struct ToolchainOptions {
    /// Holds toolchains of all versions, shared by all jobs and processes of a user.
    pub cache_dir: PathBuf,
    /// Asked instead of the registries of the npm configuration.
    pub registry: Option<String>,
    /// `toolchain.lock.json` of the package.
    pub lock: PathBuf,
    /// Also Node itself, for an engine that does not run in Node.
    pub with_node: bool,
    pub platform: BoxPlatform,
    /// The process's environment: npm's settings and proxies.
    pub env: BTreeMap<String, String>,
    /// The folder whose `.npmrc` counts.
    pub project: Option<PathBuf>,
}

impl ToolchainOptions {
    /// For a box on this machine, with this process's environment and working directory.
    pub fn new(lock: PathBuf, cache_dir: PathBuf) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            cache_dir,
            registry: None,
            lock,
            with_node: false,
            platform: BoxPlatform::of_this_machine(),
            env: std::env::vars_os().filter_map(text).collect(),
            project: std::env::current_dir().ok(),
        }
    }
}
