//! Where the tools stand inside of a box.

use super::lock::{BoxPlatform, Libc};

/// Where a box sees the toolchain's `node_modules`.
const IN_BOX: &str = "/sandbox/node_modules";

/// Absolute paths inside of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// TypeScript's compiler, a native program.
    pub tsc: String,
    /// oxlint, a script for Node.
    pub oxlint: String,
    /// esbuild, a native program.
    pub esbuild: String,
    /// Bun, a native program.
    pub bun: String,
    /// vitest, a script for Node.
    pub vitest: String,
    /// Node, a native program; only in a toolchain that was provisioned with it.
    pub node: Option<String>,
}

impl Tools {
    pub(super) fn new(platform: BoxPlatform, with_node: bool) -> Self {
        let cpu = platform.cpu;
        let bun = match (cpu, platform.libc) {
            ("arm64", _) => "aarch64",
            (_, Libc::Musl) => "x64-musl",
            _ => "x64",
        };
        Self {
            tsc: format!("{IN_BOX}/@typescript/typescript-linux-{cpu}/lib/tsc"),
            oxlint: format!("{IN_BOX}/oxlint/bin/oxlint"),
            esbuild: format!("{IN_BOX}/@esbuild/linux-{cpu}/bin/esbuild"),
            bun: format!("{IN_BOX}/@oven/bun-linux-{bun}/bin/bun"),
            vitest: format!("{IN_BOX}/vitest/vitest.mjs"),
            node: with_node.then(|| format!("{IN_BOX}/node-linux-{cpu}/bin/node")),
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<&str> {
        let mut all = self.native();
        all.extend([self.oxlint.as_str(), self.vitest.as_str()]);
        all
    }

    /// Those that are programs by themselves: the only files that need an executable bit.
    fn native(&self) -> Vec<&str> {
        let fixed = [&self.tsc, &self.esbuild, &self.bun];
        fixed.into_iter().chain(&self.node).map(String::as_str).collect()
    }

    /// Relative to the toolchain's folder.
    pub(super) fn native_on_disk(&self) -> Vec<&str> {
        self.native().into_iter().map(on_disk).collect()
    }

    /// Relative to the toolchain's folder.
    pub(super) fn on_disk(&self) -> Vec<&str> {
        self.all().into_iter().map(on_disk).collect()
    }
}

fn on_disk(tool: &str) -> &str {
    tool.strip_prefix("/sandbox/").unwrap_or(tool)
}
