//! What a manifest asks for.

use serde_json::{Map, Value};

use super::shown::plain;
use crate::error::{Code, Error, Result};

/// Bytes of a `package.json`.
pub const MAX_MANIFEST: usize = 16 << 20;
/// Packages that one manifest may name.
const MAX_WANTED: usize = 200_000;

/// How a package is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Normal,
    Dev,
    Optional,
    Peer,
}

/// The fields of a manifest that name packages.
const FIELDS: [(&str, Kind); 4] = [
    ("dependencies", Kind::Normal),
    ("optionalDependencies", Kind::Optional),
    ("devDependencies", Kind::Dev),
    ("peerDependencies", Kind::Peer),
];

/// A package that a manifest asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub range: String,
    pub kind: Kind,
    /// Left out where it cannot be had.
    pub optional: bool,
}

/// What a manifest asks for.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub wanted: Vec<Wanted>,
    /// What is put in the place of others' wishes: `overrides` and `resolutions`.
    pub replaced: Vec<Wanted>,
    /// Names of the scripts that run where the package is only installed.
    pub install_scripts: Vec<String>,
}

/// Scripts that run where a package is only installed.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// Whether a manifest runs something where it is only installed.
pub(super) fn runs_at_install(scripts: &Value) -> bool {
    INSTALL_SCRIPTS
        .iter()
        .any(|name| scripts.get(name).is_some_and(Value::is_string))
}

/// Reads a manifest; `omit` are the kinds that are left out.
pub fn read_manifest(text: &str, omit: &[Kind]) -> Result<Manifest> {
    if text.len() > MAX_MANIFEST {
        let message = format!("package.json has {} bytes; at most {MAX_MANIFEST} are read", text.len());
        return Err(Error::new(Code::OptionInvalid, message));
    }
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Error::new(Code::OptionInvalid, "package.json is not JSON").because(error))?;
    let Value::Object(root) = &value else {
        return Err(wrong("package.json", "an object", &value));
    };
    let text = |name: &str| root.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut manifest = Manifest {
        name: text("name"),
        version: text("version"),
        ..Manifest::default()
    };
    let meta = root.get("peerDependenciesMeta");
    for (field, kind) in FIELDS {
        if omit.contains(&kind) {
            continue;
        }
        for (name, range) in packages(root, field)? {
            let optional = kind == Kind::Optional
                || kind == Kind::Peer
                    && meta.and_then(|meta| meta.get(name)?.get("optional")) == Some(&Value::Bool(true));
            manifest.wanted.push(Wanted {
                name: name.clone(),
                range: range.to_owned(),
                kind,
                optional,
            });
        }
    }
    for field in ["overrides", "resolutions"] {
        if let Some(value) = root.get(field).filter(|value| !value.is_null()) {
            replaced(field, value, &mut manifest.replaced, 0)?;
        }
    }
    if manifest.wanted.len() + manifest.replaced.len() > MAX_WANTED {
        let message = format!("package.json names more than {MAX_WANTED} packages; that many are not judged");
        return Err(Error::new(Code::OptionInvalid, message));
    }
    if let Some(scripts) = root.get("scripts") {
        let named = INSTALL_SCRIPTS
            .iter()
            .filter(|name| scripts.get(name).is_some_and(Value::is_string));
        manifest.install_scripts = named.map(|name| (*name).to_owned()).collect();
    }
    Ok(manifest)
}

/// Names and ranges of a field that must be an object of texts.
pub(super) fn packages<'a>(root: &'a Map<String, Value>, field: &str) -> Result<Vec<(&'a String, &'a str)>> {
    match root.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(entries)) => entries
            .iter()
            .map(|(name, range)| match range {
                Value::String(text) => Ok((name, text.as_str())),
                other => Err(wrong(
                    &format!("{field}[\"{}\"]", plain(name)),
                    "a range, as a string",
                    other,
                )),
            })
            .collect(),
        Some(other) => Err(wrong(field, "an object of package names and ranges", other)),
    }
}

/// Overrides nest: `{ "a": { ".": "1", "b": "2" } }`, and `resolutions` name paths: `a/**/b`.
fn replaced(field: &str, value: &Value, found: &mut Vec<Wanted>, depth: usize) -> Result<()> {
    let Value::Object(entries) = value else {
        return Err(wrong(field, "an object", value));
    };
    if depth > 20 {
        let message = format!("`{field}` of package.json is nested too deeply; 20 levels are read");
        return Err(Error::new(Code::OptionInvalid, message));
    }
    for (key, value) in entries {
        match value {
            Value::String(range) if range.starts_with('$') || key == "." => {}
            Value::String(range) => found.push(Wanted {
                name: last_name(key),
                range: range.clone(),
                kind: Kind::Normal,
                optional: false,
            }),
            Value::Object(_) => replaced(field, value, found, depth + 1)?,
            other => {
                return Err(wrong(
                    &format!("{field}[\"{}\"]", plain(key)),
                    "a range or an object",
                    other,
                ));
            }
        }
    }
    Ok(())
}

/// The package at the end of a selector such as `a@^1`, `a/b` or `**/@scope/c`.
fn last_name(selector: &str) -> String {
    let parts: Vec<&str> = selector.split('/').collect();
    let last = parts.last().copied().unwrap_or(selector);
    let scope = parts
        .len()
        .checked_sub(2)
        .and_then(|at| parts.get(at))
        .filter(|part| part.starts_with('@'));
    let base = last.split('@').next().filter(|base| !base.is_empty()).unwrap_or(last);
    scope.map_or_else(|| base.to_owned(), |scope| format!("{scope}/{base}"))
}

/// What an error says of a value that should have been another.
pub(super) fn wrong(place: &str, expected: &str, found: &Value) -> Error {
    let kind = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let place = if place == "package.json" || place.starts_with("package-lock.json") {
        place.to_owned()
    } else {
        format!("`{place}` of package.json")
    };
    Error::new(Code::OptionInvalid, format!("{place} must be {expected}, not {kind}"))
}
