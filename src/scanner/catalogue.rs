//! The built-in rules, read once from their data files.

use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use super::boundary::stands_at;
use super::candidate::Candidate;
use super::chain::Chain;
use super::context::Context;
use super::detectors::{self, Asked, Detector, Seen, Sums};
use super::head;
use super::joints::Joints;
use super::lead::Lead;
use super::pieces::Joining;
use super::prefilter::{Literal, Prefilter};
use super::reach::Reach;
use super::rule::{Rule, RuleFile, RuleInfo};
use super::sweep::Openings;
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

/// Shorter runs of token characters are not looked at: every token without a prefix is as long.
pub const SHORTEST_RUN: u32 = 32;

/// Tokens without a prefix are not longer.
pub const LONGEST_CONTEXTUAL: usize = 256;

/// Rules, and the searches that lead to them.
#[derive(Debug)]
pub struct Catalogue {
    pub rules: Vec<Rule>,
    prefilter: Prefilter,
    /// For each literal, what it leads to.
    leads: Vec<Lead>,
    /// Rules for runs of token characters, and for each length those that allow it.
    runs: Vec<usize>,
    by_length: OnceLock<Vec<Vec<usize>>>,
    context: Context,
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
        let leads: Vec<Lead> = literals.iter().map(|literal| Lead::of(literal, &rules)).collect();
        let runs = (0..rules.len())
            .filter(|index| {
                let rule = &rules[*index];
                rule.detector.is_some_and(Detector::is_for_runs) || (rule.prefix.is_empty() && !rule.context.is_empty())
            })
            .collect();
        Ok(Self {
            prefilter: Prefilter::new(&placed(literals, &leads, &rules))?,
            leads,
            runs,
            by_length: OnceLock::new(),
            context: Context::new(&rules),
            rules,
        })
    }

    /// A rule by its id.
    pub fn rule(&self, id: &str) -> Option<&Arc<RuleInfo>> {
        self.rules.iter().map(|rule| &rule.info).find(|info| info.id == id)
    }

    /// What words start with that lead to a format.
    pub fn openings(&self) -> &Openings {
        self.prefilter.openings()
    }

    /// The formats whose literal may stand inside of a word.
    pub fn floating(&self, text: &[u8], enabled: &[bool], memo: &mut Memo, out: &mut Vec<Candidate>) {
        self.prefilter.floating(text, |at, literal| {
            self.confirm(text, (at, literal), enabled, memo, out);
        });
    }

    /// The formats to which the word that starts at `at` leads.
    #[inline]
    pub fn word(&self, text: &[u8], at: usize, enabled: &[bool], memo: &mut Memo, out: &mut Vec<Candidate>) {
        self.prefilter.word(text, at, |at, literal| {
            self.confirm(text, (at, literal), enabled, memo, out);
        });
    }

    /// The formats whose literal has a mark, which stands at `at`.
    pub fn marked(&self, text: &[u8], at: usize, enabled: &[bool], memo: &mut Memo, out: &mut Vec<Candidate>) {
        self.prefilter.marked(text, at, |at, literal| {
            self.confirm(text, (at, literal), enabled, memo, out);
        });
    }

    /// The formats whose literal stands in the middle of a long run of token characters.
    pub fn inside(&self, text: &[u8], run: &Range<usize>, enabled: &[bool], memo: &mut Memo, out: &mut Vec<Candidate>) {
        self.prefilter.inside(text, run, |at, literal| {
            self.confirm(text, (at, literal), enabled, memo, out);
        });
    }

    fn confirm(
        &self,
        text: &[u8],
        (at, literal): (usize, usize),
        enabled: &[bool],
        memo: &mut Memo,
        out: &mut Vec<Candidate>,
    ) {
        let lead = &self.leads[literal];
        if !lead.may_stand(text, at, &self.rules, &mut memo.joints) {
            return;
        }
        for (index, whole) in &lead.rules {
            let rule = &self.rules[*index];
            if (*whole || rule.prefix.iter().any(|prefix| stands_at(text, at, prefix)))
                && rule.head().fits(text, at, lead.length, &mut memo.joints)
                && let Some(candidate) = detectors::confirm(rule, text, at, memo.seen(*index))
            {
                out.push(Candidate {
                    silent: !enabled[*index],
                    ..candidate
                });
            }
        }
    }

    /// The rules for runs that may be so long.
    fn runs_of(&self, length: usize) -> &[usize] {
        let allows =
            |rule: &Rule, length: usize| rule.detector.is_some() || rule.tail().is_none_or(|tail| tail.allows(length));
        let by_length = self.by_length.get_or_init(|| {
            let fit = |length| {
                self.runs
                    .iter()
                    .copied()
                    .filter(move |index| allows(&self.rules[*index], length))
            };
            (0..=LONGEST_CONTEXTUAL).map(|length| fit(length).collect()).collect()
        });
        by_length.get(length).unwrap_or(&self.runs)
    }

    /// What a run of token characters is.
    pub fn run(&self, text: &[u8], run: &Range<usize>, enabled: &[bool], out: &mut Vec<Candidate>) {
        // The digits of an escape such as `%3D` are no part of what follows.
        let two = text.get(run.start..run.start + 2);
        let escaped = text[..run.start].ends_with(b"%") && two.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        let run = run.start + if escaped { 2 } else { 0 }..run.end;
        let token = &text[run.clone()];
        // Words and paths: what has no digit was not drawn at random.
        if !token.iter().any(u8::is_ascii_digit) {
            return;
        }
        let kinds = head::kinds(token);
        let mut before = None;
        for index in self.runs_of(token.len()) {
            let rule = &self.rules[*index];
            let mut named = || {
                let before = *before.get_or_insert_with(|| self.context.before(text, run.start));
                self.context.may_name(*index, before)
            };
            if rule.head().allows(kinds)
                && (rule.context.is_empty() || named())
                && rule.head().fits_plain(token)
                && let Some(candidate) = detectors::confirm_run(rule, text, run.clone())
            {
                out.push(Candidate {
                    silent: !enabled[*index],
                    ..candidate
                });
            }
        }
    }
}

/// What one pass over a text remembers, also for each rule that it has asked.
#[derive(Debug)]
pub struct Memo {
    /// For each rule up to the last one that was asked, its place in `asked` and one more, or zero.
    places: Vec<u16>,
    asked: Vec<Asked>,
    plain: Reach,
    chain: Chain,
    joints: Joints,
    sums: Sums,
}

impl Memo {
    pub fn new(how: Joining) -> Self {
        Self {
            places: Vec::new(),
            asked: Vec::new(),
            plain: Reach::default(),
            chain: Chain::default(),
            joints: Joints::new(how),
            sums: Sums::default(),
        }
    }

    fn seen(&mut self, rule: usize) -> Seen<'_> {
        if rule >= self.places.len() {
            self.places.resize(rule + 1, 0);
        }
        if self.places[rule] == 0 {
            self.asked.push(Asked::default());
            self.places[rule] = u16::try_from(self.asked.len()).unwrap_or(u16::MAX);
        }
        Seen {
            asked: &mut self.asked[usize::from(self.places[rule]) - 1],
            plain: &mut self.plain,
            chain: &mut self.chain,
            joints: &mut self.joints,
            sums: &mut self.sums,
        }
    }
}

/// Literals with what their rules say about their place.
fn placed(literals: Vec<Vec<u8>>, leads: &[Lead], rules: &[Rule]) -> Vec<Literal> {
    literals
        .into_iter()
        .zip(leads)
        .map(|(bytes, lead)| {
            let all = |fits: fn(&Rule) -> bool| lead.rules.iter().all(|(index, _)| fits(&rules[*index]));
            let header = all(|rule| matches!(rule.detector, Some(Detector::Basic | Detector::Bearer)));
            Literal {
                bytes,
                starts_word: all(|rule| rule.before.is_none() && matches!(rule.detector, None | Some(Detector::Jwt))),
                after: if header { b"Bb" } else { b"" },
                in_run: all(Rule::is_in_run),
            }
        })
        .collect()
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
