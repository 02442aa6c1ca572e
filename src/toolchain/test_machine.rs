//! A machine for tests: a registry, a lock file and a cache of its own.

use super::super::super::hostile_registry::{Answer, Archive, Registry, integrity, tgz};
use super::super::super::{BoxPlatform, Libc};
use super::super::*;

/// A machine with a registry, a lock file of small packages and an empty cache.
pub struct Machine {
    pub folder: tempfile::TempDir,
    pub registry: Registry,
    pub options: ToolchainOptions,
}

/// The packages that hold tools, which every toolchain must have.
const TOOLS: [(&str, &str); 5] = [
    ("@typescript/typescript-linux-x64", "package/lib/tsc"),
    ("oxlint", "package/bin/oxlint"),
    ("@esbuild/linux-x64", "package/bin/esbuild"),
    ("@oven/bun-linux-x64", "package/bin/bun"),
    ("vitest", "package/vitest.mjs"),
];

pub fn package(file: &str) -> Vec<u8> {
    tgz(&[
        Archive::File("package/package.json", b"{}"),
        Archive::File(file, b"a tool"),
    ])
}

fn archive_path(name: &str) -> String {
    format!("{name}/-/{}-1.0.0.tgz", name.rsplit('/').next().unwrap())
}

impl Machine {
    /// `victim` is the package with which the registry misbehaves; the lock promises `promised`.
    pub fn with(promised: &[u8], answers: &[Answer]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start();
        let mut packages = serde_json::Map::new();
        let mut add = |name: &str, bytes: &[u8]| {
            let entry = serde_json::json!({ "name": name, "version": "1.0.0", "integrity": integrity(bytes) });
            packages.insert(format!("node_modules/{name}"), entry);
        };
        for (name, file) in TOOLS {
            add(name, &package(file));
            registry.answer(&archive_path(name), &[Answer::Body(package(file))]);
        }
        add("victim", promised);
        registry.answer(&archive_path("victim"), answers);
        let lock = folder.path().join("lock.json");
        std::fs::write(
            &lock,
            serde_json::json!({ "version": 1, "packages": packages }).to_string(),
        )
        .unwrap();
        let mut options = ToolchainOptions::new(lock, folder.path().join("cache"));
        options.platform = BoxPlatform {
            cpu: "x64",
            libc: Libc::Glibc,
        };
        options.env = BTreeMap::from([("npm_config_registry".to_owned(), registry.url())]);
        options.project = None;
        Self {
            folder,
            registry,
            options,
        }
    }

    pub fn sound() -> Self {
        let bytes = package("package/index.js");
        Self::with(&bytes, &[Answer::Body(bytes.clone())])
    }

    pub fn provision(&self) -> Result<Toolchain> {
        provision(&self.options, &|_, _| {}, &CancellationToken::new())
    }

    /// What stands in the cache beside the lock.
    pub fn kept(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.options.cache_dir.join("toolchain")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != ".lock").collect()
    }
}
