//! The lock file: what the tools are, and which of them a box needs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// Told apart in the digest, so that a tree that an older extractor wrote is not taken for a new one.
const LAYOUT: &str = "1";

/// What a box runs on. It is always Linux, whatever the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxPlatform {
    /// As npm names it: `x64` or `arm64`.
    pub cpu: &'static str,
    pub libc: Libc,
}

/// The C library of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Libc {
    Glibc,
    Musl,
}

impl BoxPlatform {
    /// That of a box on this machine: the engine's own on Linux; on macOS and Windows boxes run in
    /// a virtual machine of the same processor, with glibc.
    pub const fn of_this_machine() -> Self {
        let libc = if cfg!(target_env = "musl") {
            Libc::Musl
        } else {
            Libc::Glibc
        };
        Self {
            cpu: if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" },
            libc,
        }
    }

    const fn libc_name(self) -> &'static str {
        match self.libc {
            Libc::Glibc => "glibc",
            Libc::Musl => "musl",
        }
    }
}

/// The whole lock file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    version: u32,
    packages: BTreeMap<String, LockedPackage>,
    #[serde(skip)]
    digest: Vec<u8>,
}

/// One package at one place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockedPackage {
    pub name: String,
    pub version: String,
    /// `sha512-` and base64, of the compressed archive.
    pub integrity: String,
    #[serde(default)]
    pub cpu: Vec<String>,
    #[serde(default)]
    pub libc: Vec<String>,
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default)]
    pub plugin: bool,
}

impl Lock {
    /// Reads and checks a lock file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!(
                "cannot read the toolchain's lock file {}: install the package anew",
                path.display()
            );
            Error::new(Code::ToolchainUnavailable, message).because(error)
        })?;
        let refuse = |why: String| {
            let message = format!(
                "the toolchain's lock file {} {why}: install the package anew",
                path.display()
            );
            Error::new(Code::ToolchainUnavailable, message)
        };
        let mut lock: Self = serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is damaged ({error})")))?;
        if lock.version != 1 {
            return Err(refuse(format!("has version {}, not 1", lock.version)));
        }
        for (place, package) in &lock.packages {
            if !is_place(place) || !is_name(&package.name) || !is_version(&package.version) {
                return Err(refuse(format!("holds the package {place:?}, which cannot be one")));
            }
        }
        lock.digest = Sha256::digest(&bytes).to_vec();
        Ok(lock)
    }

    /// The packages of a box, with their places.
    pub fn select(&self, platform: BoxPlatform, with_node: bool) -> Vec<(&str, &LockedPackage)> {
        let fits = |list: &[String], value: &str| list.is_empty() || list.iter().any(|entry| entry == value);
        self.packages
            .iter()
            .filter(|(_, package)| fits(&package.cpu, platform.cpu) && fits(&package.libc, platform.libc_name()))
            .filter(|(_, package)| with_node || package.group.as_deref() != Some("node"))
            .map(|(place, package)| (place.as_str(), package))
            .collect()
    }

    /// Names the folder of such a selection.
    pub fn digest(&self, platform: BoxPlatform, with_node: bool) -> String {
        let node = if with_node { "node" } else { "" };
        let mut hash = Sha256::new();
        hash.update(&self.digest);
        hash.update([LAYOUT, platform.cpu, platform.libc_name(), node].join("/"));
        hex::encode(hash.finalize())
    }

    /// What a generated plugin may depend on: names and versions.
    pub fn allowed(&self) -> BTreeMap<String, String> {
        let packages = self.packages.values().filter(|package| package.plugin);
        packages
            .map(|package| (package.name.clone(), package.version.clone()))
            .collect()
    }
}

/// `node_modules/a`, `node_modules/@a/b/node_modules/c`: nothing that leaves the tree.
fn is_place(place: &str) -> bool {
    let Some(rest) = place.strip_prefix("node_modules/") else {
        return false;
    };
    rest.split("/node_modules/").all(is_name)
}

fn is_name(name: &str) -> bool {
    let plain = |part: &str| {
        let safe = part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
        safe && !part.is_empty() && !part.starts_with('.') && part.len() <= 214
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(name),
    }
}

fn is_version(version: &str) -> bool {
    !version.is_empty()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Lock {
        Lock::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("toolchain.lock.json")).unwrap()
    }

    const PLATFORMS: [BoxPlatform; 3] = [
        BoxPlatform {
            cpu: "x64",
            libc: Libc::Glibc,
        },
        BoxPlatform {
            cpu: "arm64",
            libc: Libc::Glibc,
        },
        BoxPlatform {
            cpu: "x64",
            libc: Libc::Musl,
        },
    ];

    #[test]
    fn the_shipped_lock_has_every_tool_for_every_platform() {
        let lock = shipped();
        for platform in PLATFORMS {
            let places: Vec<_> = lock
                .select(platform, true)
                .into_iter()
                .map(|(place, _)| place)
                .collect();
            for executable in super::super::Tools::new(platform, true).all() {
                let inside = |place: &&str| executable.starts_with(&format!("/sandbox/{place}/"));
                // Node's own builds are for glibc only.
                let absent = platform.libc == Libc::Musl && executable.contains("node-linux");
                assert!(absent || places.iter().any(inside), "{executable} on {platform:?}");
            }
        }
    }

    #[test]
    fn a_digest_tells_platforms_and_node_apart() {
        let lock = shipped();
        let mut digests: Vec<_> = PLATFORMS
            .iter()
            .flat_map(|platform| [lock.digest(*platform, true), lock.digest(*platform, false)])
            .collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 6);
    }

    #[test]
    fn a_plugin_may_use_core_and_zod_but_no_tool() {
        let allowed = shipped().allowed();
        assert_eq!(allowed.get("@elizaos/core").map(String::as_str), Some("1.7.2"));
        assert!(allowed.contains_key("zod"));
        for tool in ["vitest", "typescript", "oxlint", "vite", "@oven/bun-linux-x64"] {
            assert!(!allowed.contains_key(tool), "{tool}");
        }
    }

    #[test]
    fn a_lock_that_leaves_the_tree_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock.json");
        for place in [
            "../x",
            "node_modules/../x",
            "/etc/x",
            "node_modules/x/../../y",
            "x",
            "node_modules/.bin",
        ] {
            let text = serde_json::json!({ "version": 1, "packages": { place: {
                "name": "x", "version": "1.0.0", "integrity": "sha512-AA==" } } });
            std::fs::write(&path, text.to_string()).unwrap();
            assert_eq!(
                Lock::read(&path).unwrap_err().code(),
                Code::ToolchainUnavailable,
                "{place}"
            );
        }
        for text in ["", "{}", "[]", "{\"version\":2,\"packages\":{}}"] {
            std::fs::write(&path, text).unwrap();
            assert!(Lock::read(&path).is_err(), "{text}");
        }
        assert!(Lock::read(&folder.path().join("absent")).is_err());
    }
}
