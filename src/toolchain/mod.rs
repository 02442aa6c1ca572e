//! The tools that check a plugin: TypeScript, oxlint, esbuild, Bun, `@elizaos/core` and its types.
//!
//! Fetched once from the registry after a lock file that ships with the package, checked by
//! integrity, unpacked without running any script, and shared by all jobs.

use std::path::PathBuf;

/// A provisioned toolchain on disk. Its folder is `node_modules` of the lock and nothing else.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The folder that holds `node_modules`.
    pub directory: PathBuf,
    /// Hash of the lock file; names the folder and the image.
    pub digest: String,
}
