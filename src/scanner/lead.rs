//! What a literal leads to: the rules that may start with it, and what most near-matches lack.

use std::sync::OnceLock;

use super::head::{Head, Set, holds, join};
use super::joints::Joints;
use super::rule::Rule;

/// The rules that may start with a literal.
#[derive(Debug)]
pub struct Lead {
    /// With whether the literal is all that a rule starts with.
    pub rules: Vec<(usize, bool)>,
    pub length: usize,
    /// What stands directly before the literal for all of the rules, where they say it.
    before: Option<Set>,
    /// What stands behind it for any of them: most near-matches end here.
    follows: OnceLock<Head>,
}

impl Lead {
    /// Places behind the literal that are looked at for all rules at once.
    const FIRST: usize = 6;

    pub fn of(literal: &[u8], rules: &[Rule]) -> Self {
        let starts = |rule: &Rule| rule.prefix.iter().any(|prefix| prefix.starts_with(literal));
        let all = (0..rules.len()).filter(|index| starts(&rules[*index]));
        let rules_of = all.map(|index| (index, rules[index].prefix.iter().any(|prefix| prefix == literal)));
        let rules_of: Vec<(usize, bool)> = rules_of.collect();
        let before = rules_of.iter().map(|(index, _)| rules[*index].bytes_before());
        Self {
            before: before.collect::<Option<Vec<Set>>>().map(|sets| {
                sets.iter().fold(Set::default(), |mut all, set| {
                    join(&mut all, set);
                    all
                })
            }),
            rules: rules_of,
            length: literal.len(),
            follows: OnceLock::new(),
        }
    }

    /// Whether any of the rules may hold for the literal at `at`, by the bytes around it.
    pub fn may_stand(&self, text: &[u8], at: usize, rules: &[Rule], joints: &mut Joints) -> bool {
        let before = |set: &Set| at > 0 && holds(set, text[at - 1]);
        let heads = || self.rules.iter().map(|(index, _)| rules[*index].head());
        let follows = || {
            self.follows
                .get_or_init(|| Head::any(heads(), self.length, Self::FIRST))
        };
        self.before.as_ref().is_none_or(before) && follows().fits(text, at + self.length, 0, joints)
    }
}
