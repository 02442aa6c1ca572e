//! The built-in rules, read once from their data files.

use std::sync::{Arc, LazyLock};

use super::candidate::Candidate;
use super::detectors::{self, Detector};
use super::prefilter::Prefilter;
use super::rule::{Rule, RuleFile, RuleInfo};
use crate::error::{Code, Error, Result};

/// The data files, one a family.
pub const FILES: &[(&str, &str)] = &[
    ("ai", include_str!("rules/ai.toml")),
    ("authentication", include_str!("rules/authentication.toml")),
    ("cloud", include_str!("rules/cloud.toml")),
    ("communication", include_str!("rules/communication.toml")),
    ("database", include_str!("rules/database.toml")),
    ("developer", include_str!("rules/developer.toml")),
    ("generic", include_str!("rules/generic.toml")),
    ("payment", include_str!("rules/payment.toml")),
    ("private-key", include_str!("rules/private-key.toml")),
    ("saas", include_str!("rules/saas.toml")),
    ("wallet", include_str!("rules/wallet.toml")),
];

static BUILT_IN: LazyLock<std::result::Result<Arc<Catalogue>, String>> =
    LazyLock::new(|| Catalogue::read(FILES).map(Arc::new).map_err(|error| error.to_string()));

/// Rules, and the searches that lead to them.
#[derive(Debug)]
pub struct Catalogue {
    pub rules: Vec<Rule>,
    prefilter: Prefilter,
    /// For each literal, the rules that may start with it.
    by_literal: Vec<Vec<usize>>,
    /// Rules for runs of token characters.
    runs: Vec<usize>,
}

impl Catalogue {
    /// The rules that come with the engine.
    pub fn built_in() -> Result<Arc<Self>> {
        BUILT_IN
            .as_ref()
            .map(Arc::clone)
            .map_err(|error| Error::new(Code::Internal, format!("the built-in rules cannot be read: {error}")))
    }

    fn read(files: &[(&str, &str)]) -> Result<Self> {
        let mut rules = Vec::new();
        for (name, text) in files {
            let file: RuleFile = toml::from_str(text)
                .map_err(|error| Error::new(Code::Internal, format!("the rules of {name} cannot be read: {error}")))?;
            rules.extend(file.rule.iter().map(Rule::of));
        }
        let literals = shortest_literals(&rules);
        let by_literal = literals
            .iter()
            .map(|literal| {
                (0..rules.len())
                    .filter(|index| rules[*index].prefix.iter().any(|prefix| prefix.starts_with(literal)))
                    .collect()
            })
            .collect();
        let runs = (0..rules.len())
            .filter(|index| {
                let rule = &rules[*index];
                rule.detector.is_some_and(Detector::is_for_runs) || (rule.prefix.is_empty() && !rule.context.is_empty())
            })
            .collect();
        Ok(Self {
            prefilter: Prefilter::new(&literals)?,
            by_literal,
            runs,
            rules,
        })
    }

    /// A rule by its id.
    pub fn rule(&self, id: &str) -> Option<&Arc<RuleInfo>> {
        self.rules.iter().map(|rule| &rule.info).find(|info| info.id == id)
    }

    /// Everything with a fixed format; what a disabled rule finds is marked silent.
    pub fn formats(&self, text: &[u8], enabled: &[bool], out: &mut Vec<Candidate>) {
        self.prefilter.each(text, |at, literal| {
            for index in &self.by_literal[literal] {
                let rule = &self.rules[*index];
                if rule.prefix.iter().any(|prefix| text[at..].starts_with(prefix))
                    && let Some(candidate) = detectors::confirm(rule, text, at)
                {
                    out.push(Candidate {
                        silent: !enabled[*index],
                        ..candidate
                    });
                }
            }
        });
    }

    /// What a run of token characters is.
    pub fn run(&self, text: &[u8], run: &std::ops::Range<usize>, enabled: &[bool], out: &mut Vec<Candidate>) {
        for index in &self.runs {
            if let Some(candidate) = detectors::confirm_run(&self.rules[*index], text, run.clone()) {
                out.push(Candidate {
                    silent: !enabled[*index],
                    ..candidate
                });
            }
        }
    }
}

/// All literals without those that start with another one.
fn shortest_literals(rules: &[Rule]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = rules.iter().flat_map(|rule| rule.prefix.iter().cloned()).collect();
    all.sort();
    all.dedup();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for literal in all {
        // Sorted: whatever starts with the last kept one follows it directly.
        if kept.last().is_none_or(|last| !literal.starts_with(last)) {
            kept.push(literal);
        }
    }
    kept
}
