//! The plugin that is being checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::files::FileSet;
use crate::specification::Specification;

/// A plugin on its way: what was written, what is ours, and what was built from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    /// `None` only where an existing project is verified without one.
    pub specification: Option<Specification>,
    /// `src/` and `__tests__/`: by the template, the model, or found.
    pub sources: FileSet,
    /// `package.json`, `tsconfig.json`, README, licence: ours and locked.
    pub scaffold: FileSet,
    /// `dist/`.
    pub built: FileSet,
    /// Tests that the parser counted, by file.
    pub tests: BTreeMap<String, u64>,
    /// Files of which more may run than were counted, because of `it.each`.
    pub multiplied: BTreeSet<String>,
}

impl Candidate {
    /// All files as they are delivered.
    pub fn all(&self) -> FileSet {
        let mut files = self.scaffold.clone();
        files.extend(self.sources.clone());
        files.extend(self.built.clone());
        files
    }

    /// What compilers, linters and test runners see.
    pub fn project(&self) -> FileSet {
        let mut files = self.scaffold.clone();
        files.extend(self.sources.clone());
        files
    }
}

/// Text files as JSON, for the job's checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredFiles(BTreeMap<String, String>);

impl From<&FileSet> for StoredFiles {
    fn from(files: &FileSet) -> Self {
        Self(
            files
                .iter()
                .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
                .collect(),
        )
    }
}

impl From<StoredFiles> for FileSet {
    fn from(stored: StoredFiles) -> Self {
        stored
            .0
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes()))
            .collect()
    }
}
