//! The tree of a `package-lock.json`, versions 2 and 3.

use std::collections::{HashMap, VecDeque};

use nodejs_semver::{Range, Version};
use serde_json::{Map, Value};

use super::finding::{FindingCode, Severity};
use super::manifest::{Kind, Manifest, wrong};
use super::shown::plain;
use super::source::Source;
use super::tree::{Locked, Node, Tree};
use crate::error::{Code, Error, Result};

/// Bytes of a lock file; 100,000 packages have half of it.
const MAX_LOCK: usize = 128 << 20;
/// Folders `node_modules` in one path.
const MAX_DEPTH: usize = 64;

const REMAKE: &str = "run `npm install --package-lock-only` and look at what changes";

/// One entry of the lock.
struct Entry<'a> {
    name: &'a str,
    value: &'a Map<String, Value>,
    /// Its place in the tree, once something leads to it.
    node: Option<usize>,
}

/// Reads a lock file and follows what the manifest asks for through it.
pub fn read_lock(text: &str, manifest: &Manifest) -> Result<Tree> {
    if text.len() > MAX_LOCK {
        let message = format!(
            "package-lock.json has {} bytes; at most {MAX_LOCK} are read",
            text.len()
        );
        return Err(Error::new(Code::OptionInvalid, message));
    }
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Error::new(Code::OptionInvalid, "package-lock.json is not JSON").because(error))?;
    let version = value.get("lockfileVersion").and_then(Value::as_u64);
    if !matches!(version, Some(2 | 3)) {
        let message = "package-lock.json must have `lockfileVersion` 2 or 3; npm 7 and newer write it: run `npm install --package-lock-only`";
        return Err(Error::new(Code::OptionInvalid, message));
    }
    let packages = match value.get("packages") {
        Some(Value::Object(packages)) => packages,
        other => {
            return Err(wrong(
                "package-lock.json: `packages`",
                "an object",
                other.unwrap_or(&Value::Null),
            ));
        }
    };
    let mut walk = Walk::new(packages, manifest)?;
    walk.follow(manifest);
    walk.rest();
    Ok(walk.tree)
}

struct Walk<'a> {
    entries: HashMap<&'a str, Entry<'a>>,
    /// In the order of the file.
    places: Vec<&'a str>,
    tree: Tree,
    open: VecDeque<&'a str>,
}

impl<'a> Walk<'a> {
    fn new(packages: &'a Map<String, Value>, manifest: &Manifest) -> Result<Self> {
        let mut entries = HashMap::with_capacity(packages.len());
        let mut places = Vec::with_capacity(packages.len());
        for (place, value) in packages {
            let Value::Object(value) = value else {
                return Err(wrong(
                    &format!("package-lock.json: packages[\"{}\"]", plain(place)),
                    "an object",
                    value,
                ));
            };
            if place.matches("node_modules/").count() > MAX_DEPTH {
                let message = format!("package-lock.json nests packages deeper than {MAX_DEPTH}; npm does not");
                return Err(Error::new(Code::OptionInvalid, message));
            }
            let name = place
                .rfind("node_modules/")
                .map_or(place.as_str(), |at| &place[at + 13..]);
            entries.insert(
                place.as_str(),
                Entry {
                    name,
                    value,
                    node: None,
                },
            );
            places.push(place.as_str());
        }
        let tree = Tree {
            root: manifest.name.clone(),
            whole: true,
            ..Tree::default()
        };
        Ok(Self {
            entries,
            places,
            tree,
            open: VecDeque::new(),
        })
    }

    fn follow(&mut self, manifest: &Manifest) {
        for wanted in &manifest.wanted {
            let place = format!("node_modules/{}", wanted.name);
            match self.entries.get_key_value(place.as_str()).map(|(place, _)| *place) {
                Some(place) => {
                    let index = self.put(place, &wanted.range, None, wanted.kind);
                    self.compare(index, &wanted.range);
                }
                None if wanted.optional => {}
                None => self.not_locked(&wanted.name, &wanted.range, wanted.kind),
            }
        }
        while let Some(place) = self.open.pop_front() {
            self.children(place);
        }
    }

    /// What a package asks for, found as Node would: beside it, then further out.
    fn children(&mut self, place: &'a str) {
        let Some(entry) = self.entries.get(place) else { return };
        let (value, parent) = (entry.value, entry.node);
        // A link has its own packages at the folder that it leads to.
        let home = match value.get("resolved").and_then(Value::as_str) {
            Some(target) if is_link(value) => target,
            _ => place,
        };
        let source = self.entries.get(home).map_or(value, |entry| entry.value);
        for field in ["dependencies", "optionalDependencies", "peerDependencies"] {
            let Some(Value::Object(wanted)) = source.get(field) else {
                continue;
            };
            for (name, range) in wanted {
                let found = self.resolve(home, name);
                if let Some(found) =
                    found.filter(|found| self.entries.get(found).is_some_and(|entry| entry.node.is_none()))
                {
                    self.put(found, range.as_str().unwrap_or_default(), parent, Kind::Normal);
                }
            }
        }
    }

    fn resolve(&self, from: &str, name: &str) -> Option<&'a str> {
        let mut base = from;
        loop {
            let place = if base.is_empty() {
                format!("node_modules/{name}")
            } else {
                format!("{base}/node_modules/{name}")
            };
            if let Some((found, _)) = self.entries.get_key_value(place.as_str()) {
                return Some(found);
            }
            if base.is_empty() {
                return None;
            }
            base = base
                .rfind("node_modules/")
                .map_or("", |at| base[..at].trim_end_matches('/'));
        }
    }

    /// Puts an entry into the tree. One that stands there already is met again by its other name only.
    fn put(&mut self, place: &'a str, range: &str, parent: Option<usize>, kind: Kind) -> usize {
        let index = self.tree.nodes.len();
        let Some(entry) = self.entries.get_mut(place) else {
            return index;
        };
        if let Some(known) = entry.node {
            return known;
        }
        entry.node = Some(index);
        let text = |field: &str| entry.value.get(field).and_then(Value::as_str).map(str::to_owned);
        let flag = |field: &str| entry.value.get(field) == Some(&Value::Bool(true));
        self.tree.nodes.push(Node {
            name: entry.name.to_owned(),
            real_name: text("name").filter(|name| name != entry.name),
            range: range.to_owned(),
            version: text("version").filter(|version| Version::parse(version).is_ok()),
            parent,
            kind,
            locked: Some(Locked {
                resolved: text("resolved"),
                integrity: text("integrity"),
                install_script: flag("hasInstallScript"),
                deprecated: match entry.value.get("deprecated") {
                    Some(Value::String(why)) => Some(why.clone()),
                    Some(Value::Bool(true)) => Some(String::new()),
                    _ => None,
                },
                link: is_link(entry.value),
                bundled: flag("inBundle"),
            }),
        });
        self.open.push_back(place);
        index
    }

    /// A lock that does not fit its manifest is not what will be installed.
    fn compare(&mut self, index: usize, range: &str) {
        let Some(version) = self
            .tree
            .nodes
            .get(index)
            .and_then(|node| Version::parse(node.version.as_ref()?).ok())
        else {
            return;
        };
        let source = Source::of(range);
        let fits = |range: &Range| range.satisfies(&version);
        if let Some((_, Source::Range(range))) = source.registered("")
            && !fits(range)
        {
            let reason = format!("the lock file has {version}, which the manifest does not ask for");
            let finding = self.tree.finding(index, FindingCode::Unknown, Severity::Medium, reason);
            self.tree.findings.push(finding.mended_by(REMAKE));
        }
    }

    fn not_locked(&mut self, name: &str, range: &str, kind: Kind) {
        let index = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            name: name.to_owned(),
            range: range.to_owned(),
            kind,
            ..Node::default()
        });
        let reason = "the lock file does not have it, so nobody knows what will be installed".to_owned();
        let finding = self.tree.finding(index, FindingCode::Unknown, Severity::Medium, reason);
        self.tree.findings.push(finding.mended_by(REMAKE));
    }

    /// Entries to which nothing leads are installed by some clients, so they are judged like the others.
    fn rest(&mut self) {
        for place in std::mem::take(&mut self.places) {
            let is_new = self.entries.get(place).is_some_and(|entry| entry.node.is_none());
            // Folders of the project are no packages; what they ask for stands below `node_modules` anyway.
            if is_new && place.contains("node_modules/") {
                self.put(place, "", None, Kind::Normal);
            }
        }
    }
}

fn is_link(value: &Map<String, Value>) -> bool {
    value.get("link") == Some(&Value::Bool(true))
}
