//! What a package ships besides its sources: its manifest, and the files below `dist/`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::{Check, CheckStatus, Where};
use crate::diagnostic::Diagnostic;
use crate::files::FileSet;

const MANIFEST: &str = "package.json";
const ENTRY: &str = "./dist/index.js";
const FACE: &str = "./dist/index.d.ts";

/// Scripts that run where the package is only installed.
const INSTALL_SCRIPTS: [&str; 11] = [
    "preinstall",
    "install",
    "postinstall",
    "preprepare",
    "prepare",
    "postprepare",
    "prepublish",
    "prepublishOnly",
    "publish",
    "postpublish",
    "dependencies",
];

/// Fields whose packages are installed along with the plugin.
const DEPENDENCY_FIELDS: [&str; 3] = ["dependencies", "optionalDependencies", "peerDependencies"];

/// Files beside the manifest that change what an installation does.
pub const INSTALL_FILES: [&str; 7] = [
    "binding.gyp",
    "npm-shrinkwrap.json",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnpmfile.cjs",
    "bunfig.toml",
];

/// Refuses a manifest that runs something at installation, leads elsewhere than to the checked entry, or brings
/// packages that are not in the toolchain lock. `beside` are those of `INSTALL_FILES` that are there.
pub fn manifest(value: &Value, beside: &[&str], allowed: &BTreeMap<String, String>) -> Check {
    let mut found = Vec::new();
    if !value.is_object() {
        found.push(wrong("manifest/invalid", "package.json must be an object"));
    }
    for name in INSTALL_SCRIPTS {
        if value["scripts"].get(name).is_some() {
            found.push(wrong(
                "manifest/install-script",
                format!("the script {name} runs where nobody checked it; take it out"),
            ));
        }
    }
    entries(value, &mut found);
    for name in ["bin", "gypfile", "bundleDependencies", "bundledDependencies"] {
        if holds(&value[name]) {
            found.push(wrong(
                format!("manifest/{name}"),
                format!("a plugin cannot have `{name}`; take it out"),
            ));
        }
    }
    if holds(&value["directories"]["bin"]) {
        found.push(wrong(
            "manifest/bin",
            "a plugin cannot have `directories.bin`; take it out",
        ));
    }
    for name in beside {
        found.push(Diagnostic::of(
            *name,
            "manifest/install-file",
            format!("{name} changes what an installation does; take it out"),
        ));
    }
    for field in DEPENDENCY_FIELDS {
        dependencies(field, &value[field], allowed, &mut found);
    }
    Check::named("manifest", Where::Host).judged(found)
}

fn entries(value: &Value, found: &mut Vec<Diagnostic>) {
    if value.get("main").is_none() && value.get("exports").is_none() {
        found.push(wrong(
            "manifest/entry",
            format!("`main` is missing; it must be {ENTRY}"),
        ));
    }
    for name in ["main", "module", "browser"] {
        if value.get(name).is_some_and(|target| !leads_to(target, ENTRY)) {
            found.push(wrong(
                "manifest/entry",
                format!("`{name}` must be {ENTRY}, the file that was checked"),
            ));
        }
    }
    if let Some(exports) = value.get("exports") {
        let mut strange = Vec::new();
        targets(exports, "", &mut strange);
        found.extend(strange.into_iter().map(|(key, target)| {
            wrong(
                "manifest/entry",
                format!("`exports` leads by '{key}' to {target}; it must lead to {ENTRY}"),
            )
        }));
    }
}

/// Where `exports` leads, apart from the places that are known.
fn targets(value: &Value, key: &str, strange: &mut Vec<(String, String)>) {
    match value {
        Value::Object(conditions) => {
            for (name, inner) in conditions {
                targets(inner, name, strange);
            }
        }
        Value::Array(choices) => {
            for inner in choices {
                targets(inner, key, strange);
            }
        }
        Value::Null => {}
        other => {
            let known = match key {
                "types" => leads_to(other, FACE),
                "./package.json" => leads_to(other, "./package.json"),
                _ => leads_to(other, ENTRY),
            };
            if !known {
                strange.push((key.to_owned(), other.to_string()));
            }
        }
    }
}

fn leads_to(target: &Value, place: &str) -> bool {
    target
        .as_str()
        .is_some_and(|text| text == place || Some(text) == place.strip_prefix("./"))
}

fn dependencies(field: &str, value: &Value, allowed: &BTreeMap<String, String>, found: &mut Vec<Diagnostic>) {
    match value {
        Value::Null => {}
        Value::Object(packages) => {
            for (name, range) in packages {
                // An address, a path or another package's name would bring something else than the lock has.
                let plain = range.as_str().is_some_and(|text| !text.contains([':', '/']));
                if !plain || !allowed.contains_key(name) {
                    found.push(wrong(
                        "AUTON8N_DEPENDENCY_UNSUPPORTED",
                        format!("{field}: {name}@{range} is not among the packages that may be used"),
                    ));
                }
            }
        }
        _ => found.push(wrong("manifest/invalid", format!("`{field}` must be an object"))),
    }
}

/// Whether a field says more than that there is nothing.
fn holds(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        _ => true,
    }
}

fn wrong(code: impl Into<String>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::of(MANIFEST, code, message)
}

/// Compares what lies below `dist/` with what the build made of the sources.
pub fn dist(found: &FileSet, built: &FileSet) -> Check {
    let check = Check::named("dist", Where::Host).counting("files", found.len() as u64);
    if found.is_empty() {
        return skipped(
            check,
            "there is no dist/, so nothing built was compared and `files` has none",
        );
    }
    if built.is_empty() {
        return skipped(check, "not compared, since nothing was built");
    }
    let missing = built
        .keys()
        .filter(|path| !found.contains_key(*path))
        .map(|path| Diagnostic::of(path, "dist/missing", "the build makes this file, but it is not there"));
    let other = found.iter().filter_map(|(path, bytes)| match built.get(path) {
        Some(made) if made == bytes => None,
        Some(_) => Some(Diagnostic::of(
            path,
            "dist/differs",
            "this is not what the sources build; put the built file there or leave dist/ out",
        )),
        None => Some(Diagnostic::of(
            path,
            "dist/extra",
            "the build does not make this file, so nobody checked it; take it out",
        )),
    });
    check.judged(missing.chain(other).collect())
}

fn skipped(check: Check, why: &str) -> Check {
    let mut check = check.saying(why);
    check.status = CheckStatus::Skipped;
    check
}
