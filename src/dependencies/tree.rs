//! The packages that would be installed, and what leads to each.

use super::finding::{Finding, FindingCode, Severity};
use super::manifest::Kind;
use super::shown::{plain, without_credentials};

/// One package at one place.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its name in the tree.
    pub name: String,
    /// What the registry calls it, where that is another name.
    pub real_name: Option<String>,
    /// What was asked for by whoever needs it first.
    pub range: String,
    /// What would be installed, where it is known.
    pub version: Option<String>,
    /// Whoever needs it first; `None`: the manifest.
    pub parent: Option<usize>,
    pub kind: Kind,
    /// What a lock file says of it; `None` without one.
    pub locked: Option<Locked>,
}

/// What a lock file says of a package.
#[derive(Clone, Debug, Default)]
pub struct Locked {
    pub resolved: Option<String>,
    pub integrity: Option<String>,
    pub install_script: bool,
    pub deprecated: Option<String>,
    /// A link to a folder.
    pub link: bool,
    /// Its files are in the archive of the package that needs it.
    pub bundled: bool,
}

/// Everything that would be installed, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The name of the manifest.
    pub root: String,
    pub nodes: Vec<Node>,
    /// What came to light while it was put together.
    pub findings: Vec<Finding>,
    /// Whether all of it is here, or only what the manifest names.
    pub whole: bool,
}

impl Tree {
    /// The names that lead to a node, itself at the end.
    pub fn path(&self, index: usize) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = Some(index);
        // A parent always stands before its children, so this ends.
        while let Some(node) = at.and_then(|index| self.nodes.get(index)) {
            names.push(plain(&node.name));
            at = node.parent;
        }
        names.reverse();
        names
    }

    /// A finding about a node.
    pub fn finding(&self, index: usize, code: FindingCode, severity: Severity, reason: String) -> Finding {
        let node = &self.nodes[index];
        Finding {
            code,
            package: plain(&node.name),
            range: without_credentials(&node.range),
            version: node.version.as_deref().map(plain),
            path: self.path(index),
            severity,
            reason,
            fix: None,
            advisory: None,
        }
    }

    /// A finding about the whole.
    pub fn about_all(&self, reason: String, fix: &str) -> Finding {
        Finding {
            code: FindingCode::Unknown,
            package: plain(&self.root),
            range: String::new(),
            version: None,
            path: Vec::new(),
            severity: Severity::Low,
            reason,
            fix: Some(fix.to_owned()),
            advisory: None,
        }
    }
}

impl Finding {
    /// Adds what to do.
    #[must_use]
    pub fn mended_by(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}
