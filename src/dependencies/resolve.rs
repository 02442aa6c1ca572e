//! Puts together the tree that npm would install, from a manifest and what registries say.
//!
//! It asks nobody: `missing` names what has to be learnt, `advance` goes on with what was.

use std::collections::{BTreeSet, HashSet};

use nodejs_semver::Version;

use super::facts::Facts;
use super::finding::{FindingCode, Severity};
use super::manifest::{Kind, Manifest, Wanted};
use super::shown::plain;
use super::source::Source;
use super::tree::{Node, Tree};

/// Packages of a tree that are looked for; the largest frameworks have a fifth of it.
const MAX_NODES: usize = 10_000;

/// A tree on its way.
#[derive(Debug)]
pub struct Resolver {
    tree: Tree,
    open: Vec<(Wanted, Option<usize>)>,
    seen: HashSet<(String, String)>,
    too_large: bool,
}

impl Resolver {
    /// Begins with what the manifest names.
    pub fn new(manifest: &Manifest) -> Self {
        let tree = Tree {
            root: manifest.name.clone(),
            whole: true,
            ..Tree::default()
        };
        let wanted = manifest.wanted.iter().chain(&manifest.replaced);
        Self {
            tree,
            open: wanted.map(|one| (one.clone(), None)).collect(),
            seen: HashSet::new(),
            too_large: false,
        }
    }

    /// The packages that have to be learnt before it can go on.
    pub fn missing(&self, facts: &Facts) -> Vec<String> {
        let names: BTreeSet<String> = self
            .open
            .iter()
            .filter_map(|(wanted, _)| open_name(wanted, facts))
            .collect();
        names.into_iter().collect()
    }

    /// Goes on as far as the facts reach: one level of the tree.
    pub fn advance(&mut self, facts: &Facts) {
        for (wanted, parent) in std::mem::take(&mut self.open) {
            if parent.is_some() && self.tree.nodes.len() >= MAX_NODES {
                self.too_large = true;
                self.open.clear();
                return;
            }
            self.place(wanted, parent, facts);
        }
    }

    /// Whether there is nothing left to look at.
    pub fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    fn place(&mut self, wanted: Wanted, parent: Option<usize>, facts: &Facts) {
        let source = Source::of(&wanted.range);
        let registered = source.registered(&wanted.name);
        let real_name = registered
            .map(|(name, _)| name.to_owned())
            .filter(|name| *name != wanted.name);
        let known = registered.and_then(|(name, _)| facts.known.get(name));
        let version = registered
            .and_then(|(_, inner)| known.and_then(|known| known.pick(inner)))
            .or_else(|| exact(&source));
        let name = real_name.clone().unwrap_or_else(|| wanted.name.clone());
        let asked = version.clone().unwrap_or_else(|| wanted.range.clone());
        let is_new = self.seen.insert((name.clone(), asked));
        if parent.is_some() && !is_new {
            return;
        }
        // What cannot be had of these is left out by npm too.
        if wanted.optional && parent.is_some() && facts.asked && known.is_none() {
            return;
        }
        let index = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            name: wanted.name,
            real_name,
            range: wanted.range,
            version: version.clone(),
            parent,
            kind: wanted.kind,
            locked: None,
        });
        if let Some(known) = known
            && version
                .as_deref()
                .is_none_or(|version| known.release(version).is_none())
            && !known.is_empty()
        {
            let reason = format!("the registry has no version of {} for this range", plain(&name));
            let finding = self.tree.finding(index, FindingCode::Unknown, Severity::Medium, reason);
            self.tree
                .findings
                .push(finding.mended_by("ask for a version that exists"));
        }
        let release = known.and_then(|known| known.release(version.as_deref()?));
        if let Some(release) = release.filter(|_| is_new) {
            for child in &release.wanted {
                if !(child.optional && child.kind == Kind::Peer) {
                    self.open.push((child.clone(), Some(index)));
                }
            }
        }
    }

    /// The tree, and what was not looked at.
    pub fn finish(mut self, facts: &Facts) -> Tree {
        if self.too_large {
            let reason = format!("the tree has more than {MAX_NODES} packages; the rest was not looked at");
            let finding = self.tree.about_all(reason, "pass the lock file");
            self.tree.findings.push(finding);
        }
        if !facts.asked && !self.tree.nodes.is_empty() {
            self.tree.whole = false;
        }
        self.tree
    }
}

/// The registry's name of what is asked for, where nothing is known of it yet.
fn open_name(wanted: &Wanted, facts: &Facts) -> Option<String> {
    let source = Source::of(&wanted.range);
    let (name, _) = source.registered(&wanted.name)?;
    (!facts.known.contains_key(name) && !facts.failures.contains_key(name)).then(|| name.to_owned())
}

/// The one version that a range of a manifest permits, where it permits no other.
pub fn exact_version(range: &str) -> Option<String> {
    exact(&Source::of(range))
}

/// The one version of a range that has no other.
fn exact(source: &Source) -> Option<String> {
    match source {
        Source::Range(range) => {
            let text = range.to_string();
            let version = Version::parse(text.trim_start_matches('=')).ok()?;
            range.satisfies(&version).then(|| version.to_string())
        }
        Source::Alias { source, .. } => exact(source),
        _ => None,
    }
}
