//! Who may import whom, as a test: the table of `lib.rs`, and the two walls round napi and the host.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const LEAVES: &[&str] = &["error", "event", "clock", "files", "diagnostic", "metrics"];

/// Room, and what it may import beside the leaves and itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("specification", &[]),
    ("store", &[]),
    ("queue", &["store"]),
    ("breaker", &[]),
    ("scanner", &[]),
    ("sandbox", &[]),
    ("tracer", &[]),
    ("toolchain", &[]),
    ("dependencies", &[]),
    ("generation", &["specification"]),
    ("inspection", &["specification"]),
    (
        "pipeline",
        &[
            "specification",
            "queue",
            "breaker",
            "scanner",
            "sandbox",
            "tracer",
            "toolchain",
            "dependencies",
            "generation",
            "inspection",
        ],
    ),
    (
        "engine",
        &[
            "specification",
            "store",
            "queue",
            "breaker",
            "scanner",
            "sandbox",
            "tracer",
            "toolchain",
            "dependencies",
            "generation",
            "inspection",
            "pipeline",
        ],
    ),
    (
        "bindings",
        &[
            "specification",
            "store",
            "queue",
            "breaker",
            "scanner",
            "sandbox",
            "tracer",
            "toolchain",
            "dependencies",
            "generation",
            "inspection",
            "pipeline",
            "engine",
        ],
    ),
];

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    files(&root, ending, &mut found);
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).unwrap();
            (name, text)
        })
        .collect()
}

/// The rooms that a source names by `crate::room` or `crate::{room, …}`.
fn imports(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with('$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(inner) => inner.split('}').next().unwrap_or(""),
            None => rest,
        };
        let separators: &[char] = if rest.starts_with('{') { &[','] } else { &['\0'] };
        for part in list.split(separators) {
            let name: String = part
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            rooms.push(name);
        }
    }
    rooms
}

#[test]
fn every_room_imports_only_what_it_may() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut broken = Vec::new();
    for (name, text) in sources("src", ".rs") {
        let room = name.split('/').next().unwrap().trim_end_matches(".rs");
        if ["lib", "layering"].contains(&room) {
            continue;
        }
        for import in imports(&text) {
            let leaf = LEAVES.contains(&import.as_str());
            let known = leaf || allowed.contains_key(import.as_str());
            let may = leaf || import == room || allowed.get(room).is_some_and(|list| list.contains(&import.as_str()));
            if known && !may {
                broken.push(format!("{name} imports {import}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_the_bindings_name_napi() {
    let broken: Vec<String> = sources("src", ".rs")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("bindings/") && name != "layering.rs")
        .filter(|(_, text)| text.contains("napi::") || text.contains("#[napi") || text.contains("napi_derive"))
        .map(|(name, _)| name)
        .collect();
    assert!(broken.is_empty(), "{broken:?} name napi");
}

#[test]
fn importing_the_package_loads_neither_the_addon_nor_elizaos() {
    let broken: Vec<String> = sources("plugin", ".ts")
        .into_iter()
        .flat_map(|(name, text)| {
            text.lines()
                .filter(|line| line.starts_with("import ") || line.starts_with("export "))
                .filter(|line| line.contains("'@elizaos/core'") || line.contains("'#native'"))
                .filter(|line| !line.starts_with("import type") && !line.starts_with("export type"))
                .map(|line| format!("{name}: {line}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Lines of a source without its tests.
fn length(name: &str, text: &str) -> usize {
    if name.ends_with("tests.rs") || name.ends_with("_test.rs") {
        return 0;
    }
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or("").lines().count()
}

#[test]
fn a_file_has_one_subject_and_stays_short() {
    let long: Vec<String> = [
        ("src", ".rs"),
        ("keeper/src", ".rs"),
        ("plugin", ".ts"),
        ("harness", ".mjs"),
    ]
    .into_iter()
    .flat_map(|(folder, ending)| {
        let files = sources(folder, ending).into_iter();
        files.map(move |(name, text)| (format!("{folder}/{name}"), length(&name, &text)))
    })
    .filter(|(_, lines)| *lines > 300)
    .map(|(name, lines)| format!("{name}: {lines}"))
    .collect();
    assert!(long.is_empty(), "over 300 lines: {long:#?}");
}

#[test]
fn a_braced_import_is_seen() {
    assert_eq!(imports("use crate::{queue, store::Job};"), ["queue", "store"]);
    assert_eq!(imports("use crate::error::Error;"), ["error"]);
}
