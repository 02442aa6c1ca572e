//! What a job has behind it, so that another process can go on from its last finished stage.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::candidate::{Candidate, StoredFiles};
use super::progress::Progress;
use super::report::{Check, Tokens};
use crate::diagnostic::Diagnostic;
use crate::specification::Specification;

/// The state of a creation between two stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Checkpoint {
    pub specification: Option<Specification>,
    /// From 1; 0 before the first.
    pub iteration: u32,
    pub sources: StoredFiles,
    pub scaffold: StoredFiles,
    pub built: StoredFiles,
    pub tests: BTreeMap<String, u64>,
    pub multiplied: BTreeSet<String>,
    /// Finished checks of the whole job (validate, scan).
    pub preamble: Vec<Check>,
    /// Finished checks of this iteration.
    pub checks: Vec<Check>,
    /// What the last iteration left to be mended.
    pub diagnostics: Vec<Diagnostic>,
    /// What to tell the model about a last reply that could not be used.
    pub reply_problem: Option<String>,
    pub tokens: Tokens,
    pub progress: Progress,
    pub started_at: i64,
}

impl Checkpoint {
    /// Reads what an earlier attempt left; an unknown form starts anew.
    pub fn from_value(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    /// As it is stored.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// Whether this iteration already has files.
    pub fn has_files(&self) -> bool {
        self.sources != StoredFiles::default()
    }

    /// Takes over what a stage changed.
    pub fn remember(&mut self, candidate: &Candidate, checks: &[Check]) {
        self.sources = StoredFiles::from(&candidate.sources);
        self.scaffold = StoredFiles::from(&candidate.scaffold);
        self.built = StoredFiles::from(&candidate.built);
        self.tests = candidate.tests.clone();
        self.multiplied.clone_from(&candidate.multiplied);
        self.checks = checks.to_vec();
    }

    /// The plugin as it stood.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            specification: self.specification.clone(),
            sources: self.sources.clone().into(),
            scaffold: self.scaffold.clone().into(),
            built: self.built.clone().into(),
            tests: self.tests.clone(),
            multiplied: self.multiplied.clone(),
        }
    }
}
