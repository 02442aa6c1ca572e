//! The libraries that a program of the host needs in a box.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::elf;
use super::tree::unreadable;
use crate::error::{Code, Error, Result};

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

/// The loader and all libraries that `program` needs, at the paths where the loader looks for them.
pub fn libraries(program: &Path) -> Result<BTreeMap<String, PathBuf>> {
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
    let extra: &[&str] = if loader.contains("musl") { &ON_MUSL } else { &EXTRA };
    found.insert(loader.clone(), PathBuf::from(&loader));
    let mut seen = BTreeSet::new();
    let mut open: VecDeque<(String, Vec<String>, bool)> = first
        .libraries
        .iter()
        .map(|name| (name.clone(), first.search.clone(), true))
        .collect();
    open.extend(extra.iter().map(|name| ((*name).to_owned(), Vec::new(), false)));
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
    let own = loader.rsplit_once('/').map_or("/lib", |(folder, _)| folder).to_owned();
    let known = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned);
    let mut folders = vec![format!("/lib/{triplet}"), format!("/usr/lib/{triplet}")];
    folders.push(own);
    folders.extend(known);
    folders
}
