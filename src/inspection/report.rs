//! What the inspection found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;

/// The whole result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// What is refused; empty where all is well.
    pub diagnostics: Vec<Diagnostic>,
    pub imports: Vec<Import>,
    /// Calls of `it` and `test` by file.
    pub tests: BTreeMap<String, u64>,
    /// The sum of them.
    pub test_count: u64,
    /// Files of which more tests may run than were counted, because of `.each` or `.for`; a file
    /// that is not here runs exactly as many.
    pub multiplied: BTreeSet<String>,
    pub capabilities: Capabilities,
}

/// One import of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub file: String,
    pub specifier: String,
    /// Gone when the program runs.
    pub type_only: bool,
    /// `import()`.
    pub dynamic: bool,
}

/// What the code can reach, as far as it says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Hosts in the text of URLs, tests left out.
    pub hosts: BTreeSet<String>,
    /// Variables read from `process.env`.
    pub environment: BTreeSet<String>,
    /// Names read by `getSetting`.
    pub settings: BTreeSet<String>,
    /// Built-in modules of Node, without `node:`.
    pub node_modules: BTreeSet<String>,
    pub packages: BTreeSet<String>,
    /// It names `fetch`, `WebSocket` or a built-in module that connects.
    pub network: bool,
}
