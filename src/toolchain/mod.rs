//! The tools that check a plugin: TypeScript, oxlint, esbuild, Bun, `@elizaos/core` and its types.
//!
//! Fetched once from the registry after a lock file that ships with the package, checked by
//! integrity, unpacked without running any script, and shared by all jobs.

mod archive;
mod ask;
mod cache;
mod client;
mod lock;
mod node;
mod npm_config;
mod options;
mod provision;
mod tools;
mod url;

#[cfg(test)]
mod hostile_registry;

pub use ask::RegistryClient;
pub use cache::cache_directory;
pub use lock::{BoxPlatform, Libc};
pub use node::{LockedTool, allowed_dependencies, locked_packages};
pub use options::ToolchainOptions;
pub use provision::Toolchain;
pub use tools::Tools;
