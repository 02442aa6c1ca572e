//! What lies where in a box, for every engine alike.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::libraries::libraries;
use super::tree::{self, Leaf, unreadable};
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

const PASSWD: &str = "root:x:0:0::/:/none\nkeeper:x:65533:65533::/tmp:/none\njob:x:65534:65534::/tmp:/none\n";
const GROUP: &str = "root:x:0:\nkeeper:x:65533:\njob:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost box\n::1 localhost\n";
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files\n";

/// Lays a box out, after a look at whether all its parts are there.
pub fn plan(inputs: &BoxInputs) -> Result<Plan> {
    let modules = inputs.toolchain.join("node_modules");
    for (what, path, is_folder) in [
        ("the toolchain's node_modules", &modules, true),
        ("the Node binary", &inputs.node, false),
        ("the keeper", &inputs.keeper, false),
        ("the harness", &inputs.harness, true),
    ] {
        let there = fs::metadata(path).is_ok_and(|meta| if is_folder { meta.is_dir() } else { meta.is_file() });
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
    plan.insert("/sandbox/harness".to_owned(), Entry::Tree(inputs.harness.clone()));
    Ok(plan)
}

fn add_file(plan: &mut Plan, path: &str, from: PathBuf) {
    let mut at = String::new();
    let folders = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        at = format!("{at}/{part}");
        plan.entry(at.clone()).or_insert(Entry::Folder);
    }
    plan.insert(path.to_owned(), Entry::File { from, executable: true });
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
                for (below, leaf) in tree::walk(root)? {
                    match leaf {
                        Leaf::File { size, .. } if path == "/sandbox/harness" && size < 1 << 20 => {
                            hash.update(below.as_bytes());
                            hash_file(&mut hash, &root.join(&below))?;
                        }
                        Leaf::File {
                            executable,
                            size,
                            modified,
                        } => {
                            hash.update(
                                format!(
                                    "{below} {executable} {size} {modified}
"
                                )
                                .as_bytes(),
                            );
                        }
                        Leaf::Folder => hash.update(
                            format!(
                                "{below}/
"
                            )
                            .as_bytes(),
                        ),
                        Leaf::Link(target) => hash.update(
                            format!(
                                "{below} -> {}
",
                                target.display()
                            )
                            .as_bytes(),
                        ),
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
        hash.update(format!("{} {} {}", path.display(), meta.len(), tree::modified(&meta)).as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
