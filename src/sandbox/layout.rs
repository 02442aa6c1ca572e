//! What lies where in a box, for every engine alike.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::elf;
use crate::error::{Code, Error, Result};

/// The parts of a box, on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxInputs {
    /// The folder that holds the toolchain's `node_modules`.
    pub toolchain: PathBuf,
    /// The Node binary that runs in boxes.
    pub node: PathBuf,
    /// The keeper's static binary.
    pub keeper: PathBuf,
    /// The package's `harness` folder.
    pub harness: PathBuf,
}

/// One thing in a box. Trees keep their own structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Folder,
    Text(&'static str),
    File { from: PathBuf, executable: bool },
    Tree(PathBuf),
}

/// Absolute paths in the box and what is there.
pub type Plan = BTreeMap<String, Entry>;

const PASSWD: &str =
    "root:x:0:0::/:/none\nkeeper:x:65533:65533::/tmp:/none\njob:x:65534:65534::/tmp:/none\n";
const GROUP: &str = "root:x:0:\nkeeper:x:65533:\njob:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost box\n::1 localhost\n";
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files\n";
/// Libraries that tools load by name at run time.
const EXTRA: [&str; 9] = [
    "librt.so.1",
    "libdl.so.2",
    "libpthread.so.0",
    "libm.so.6",
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libnss_files.so.2",
];
const ON_MUSL: [&str; 2] = ["libstdc++.so.6", "libgcc_s.so.1"];
const MAX_ENTRIES: usize = 200_000;

/// Lays a box out, after a look at whether all its parts are there.
pub fn plan(inputs: &BoxInputs) -> Result<Plan> {
    let modules = inputs.toolchain.join("node_modules");
    for (what, path, is_folder) in [
        ("the toolchain's node_modules", &modules, true),
        ("the Node binary", &inputs.node, false),
        ("the keeper", &inputs.keeper, false),
        ("the harness", &inputs.harness, true),
    ] {
        let there = fs::metadata(path).is_ok_and(|meta| {
            if is_folder {
                meta.is_dir()
            } else {
                meta.is_file()
            }
        });
        if !there {
            let why = format!(
                "{what} is not at {}; reinstall the package, or run its build in a checkout",
                path.display()
            );
            return Err(Error::new(Code::SandboxUnavailable, why));
        }
    }
    let mut plan = Plan::new();
    for folder in [
        "/dev",
        "/etc",
        "/proc",
        "/sys",
        "/tmp",
        "/sandbox",
        "/sandbox/bin",
        "/sandbox/work",
    ] {
        plan.insert(folder.to_owned(), Entry::Folder);
    }
    for (path, text) in [
        ("/etc/passwd", PASSWD),
        ("/etc/group", GROUP),
        ("/etc/hosts", HOSTS),
        ("/etc/nsswitch.conf", NSSWITCH),
        ("/etc/resolv.conf", "nameserver 127.0.0.1\n"),
    ] {
        plan.insert(path.to_owned(), Entry::Text(text));
    }
    let node = fs::canonicalize(&inputs.node).map_err(|error| unreadable(&inputs.node, error))?;
    for (path, from) in libraries(&node)? {
        add_file(&mut plan, &path, from);
    }
    add_file(&mut plan, "/sandbox/bin/node", node);
    add_file(&mut plan, "/sandbox/bin/keeper", inputs.keeper.clone());
    plan.insert("/sandbox/node_modules".to_owned(), Entry::Tree(modules));
    plan.insert(
        "/sandbox/harness".to_owned(),
        Entry::Tree(inputs.harness.clone()),
    );
    Ok(plan)
}

fn add_file(plan: &mut Plan, path: &str, from: PathBuf) {
    let mut at = String::new();
    let folders = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        at = format!("{at}/{part}");
        plan.entry(at.clone()).or_insert(Entry::Folder);
    }
    plan.insert(
        path.to_owned(),
        Entry::File {
            from,
            executable: true,
        },
    );
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::FileUnreadable,
        format!("cannot read {}", path.display()),
    )
    .because(error)
}

/// The loader and all libraries that `program` needs, at the paths where the loader looks for them.
fn libraries(program: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let read = |path: &Path| elf::needs(path).map_err(|error| unreadable(path, error));
    let first = read(program)?.ok_or_else(|| {
        let why = format!(
            "{} is not a program for 64-bit Linux, so it cannot run in a sandbox here",
            program.display()
        );
        Error::new(Code::SandboxUnavailable, why)
    })?;
    let mut found = BTreeMap::new();
    let Some(loader) = first.interpreter.clone() else {
        return Ok(found);
    };
    let folders = search_folders(&loader);
    let extra: &[&str] = if loader.contains("musl") {
        &ON_MUSL
    } else {
        &EXTRA
    };
    found.insert(loader.clone(), PathBuf::from(&loader));
    let mut seen = BTreeSet::new();
    let mut open: VecDeque<(String, Vec<String>, bool)> = first
        .libraries
        .iter()
        .map(|name| (name.clone(), first.search.clone(), true))
        .collect();
    open.extend(
        extra
            .iter()
            .map(|name| ((*name).to_owned(), Vec::new(), false)),
    );
    while let Some((name, search, required)) = open.pop_front() {
        if !seen.insert(name.clone()) || loader.ends_with(&format!("/{name}")) {
            continue;
        }
        let place = search
            .iter()
            .chain(&folders)
            .map(|folder| Path::new(folder).join(&name))
            .find(|path| path.is_file());
        let Some(place) = place else {
            // musl is loader and C library in one; an extra may not exist in a newer C library.
            if required && !loader.contains("musl") {
                let why = format!(
                    "the library {name}, which {} needs, is in none of {folders:?}",
                    program.display()
                );
                return Err(Error::new(Code::SandboxUnavailable, why));
            }
            continue;
        };
        if let Some(needs) = read(&place)? {
            open.extend(
                needs
                    .libraries
                    .into_iter()
                    .map(|name| (name, needs.search.clone(), required)),
            );
        }
        found.insert(place.to_string_lossy().into_owned(), place);
    }
    Ok(found)
}

fn search_folders(loader: &str) -> Vec<String> {
    let triplet = if loader.contains("aarch64") {
        "aarch64-linux-gnu"
    } else {
        "x86_64-linux-gnu"
    };
    let own = loader
        .rsplit_once('/')
        .map_or("/lib", |(folder, _)| folder)
        .to_owned();
    let known = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned);
    let mut folders = vec![format!("/lib/{triplet}"), format!("/usr/lib/{triplet}")];
    folders.push(own);
    folders.extend(known);
    folders
}

/// A file or link below a tree.
#[derive(Debug)]
pub enum Leaf {
    Folder,
    File {
        executable: bool,
        size: u64,
        modified: i64,
    },
    Link(PathBuf),
}

/// All below `root` in a fixed order, by relative path. Links that leave it are left out, as are
/// devices and sockets.
pub fn walk(root: &Path) -> Result<Vec<(String, Leaf)>> {
    let mut all = Vec::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        let real = root.join(&folder);
        for entry in fs::read_dir(&real).map_err(|error| unreadable(&real, error))? {
            let entry = entry.map_err(|error| unreadable(&real, error))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let meta = fs::symlink_metadata(entry.path())
                .map_err(|error| unreadable(&entry.path(), error))?;
            if meta.is_dir() {
                open.push(path.clone());
                all.push((path, Leaf::Folder));
            } else if meta.is_file() {
                let executable = meta.permissions().mode() & 0o111 != 0;
                all.push((
                    path,
                    Leaf::File {
                        executable,
                        size: meta.len(),
                        modified: meta.mtime(),
                    },
                ));
            } else if meta.is_symlink() {
                let target = fs::read_link(entry.path())
                    .map_err(|error| unreadable(&entry.path(), error))?;
                if target.is_relative() && !leaves(&folder, &target) {
                    all.push((path, Leaf::Link(target)));
                }
            }
            if all.len() > MAX_ENTRIES {
                return Err(Error::new(
                    Code::SandboxUnavailable,
                    format!("{} holds too many files", root.display()),
                ));
            }
        }
    }
    all.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(all)
}

/// Whether a link in `folder` to `target` leads out of the tree.
fn leaves(folder: &str, target: &Path) -> bool {
    let mut depth = folder.split('/').filter(|part| !part.is_empty()).count() as i64;
    for part in target.components() {
        depth += match part {
            std::path::Component::ParentDir => -1,
            std::path::Component::Normal(_) => 1,
            _ => 0,
        };
        if depth < 0 {
            return true;
        }
    }
    false
}

/// A hash that changes with anything in the box. Large trees count by name, size and time, our own
/// small parts by content.
pub fn recipe(plan: &Plan) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(b"box 1\n");
    for (path, entry) in plan {
        hash.update(path.as_bytes());
        match entry {
            Entry::Folder => hash.update(b" folder\n"),
            Entry::Text(text) => hash.update(text.as_bytes()),
            Entry::File { from, .. } => hash_file(&mut hash, from)?,
            Entry::Tree(root) => {
                for (below, leaf) in walk(root)? {
                    match leaf {
                        Leaf::File { size, .. } if path == "/sandbox/harness" && size < 1 << 20 => {
                            hash.update(below.as_bytes());
                            hash_file(&mut hash, &root.join(&below))?;
                        }
                        leaf => hash.update(format!("{below} {leaf:?}\n").as_bytes()),
                    }
                }
            }
        }
    }
    Ok(hex::encode(hash.finalize())[..24].to_owned())
}

fn hash_file(hash: &mut Sha256, path: &Path) -> Result<()> {
    let fault = |error| unreadable(path, error);
    let meta = fs::metadata(path).map_err(fault)?;
    if meta.len() < 4 << 20 {
        hash.update(fs::read(path).map_err(fault)?);
    } else {
        hash.update(format!("{} {} {}", path.display(), meta.len(), meta.mtime()).as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_a_tree_are_known() {
        assert!(!leaves(".bin", Path::new("../typescript/bin/tsc")));
        assert!(leaves(".bin", Path::new("../../etc/passwd")));
        assert!(leaves("", Path::new("../x")));
        assert!(leaves("a", Path::new("b/../../../x")));
    }

    #[test]
    fn a_part_that_is_missing_is_named() {
        let nowhere = PathBuf::from("/nowhere");
        let inputs = BoxInputs {
            toolchain: nowhere.clone(),
            node: nowhere.clone(),
            keeper: nowhere.clone(),
            harness: nowhere,
        };
        let error = plan(&inputs).unwrap_err();
        assert_eq!(error.code(), Code::SandboxUnavailable);
        assert!(error.message().contains("node_modules"));
    }
}
