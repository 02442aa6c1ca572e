//! The scanner itself: what it looks for, and what it answers.

use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::RwLock;

use super::allowlist::Allowlist;
use super::assignment;
use super::candidate::{Candidate, resolve, union};
use super::catalogue::Catalogue;
use super::custom::{CustomRule, compile_all, refuse_known, with_file};
use super::decoding::to_utf8;
use super::finding::ScanResult;
use super::generic::Generic;
use super::options::{Allowed, CustomRuleData, ScannerOptions};
use super::place::Place;
use super::position::Cursor;
use super::redaction::{on_characters, redact, rest};
use super::rule::RuleInfo;
use super::search::Search;
use super::severity::Severity;
use crate::clock::{SharedClock, SystemClock};
use crate::error::{Code, Error, Result};

/// How often a text that had secrets is looked at again; each round takes something out.
const MOST_ROUNDS: usize = 8;

/// Finds and takes out secrets. One serves any number of threads.
pub struct Scanner {
    pub(super) options: ScannerOptions,
    pub(super) catalogue: Arc<Catalogue>,
    /// For each built-in rule, whether it is used.
    pub(super) enabled: Vec<bool>,
    pub(super) generic: Generic,
    pub(super) mnemonic: Option<Arc<RuleInfo>>,
    pub(super) keypair: Option<Arc<RuleInfo>>,
    pub(super) allowlist: Allowlist,
    pub(super) clock: SharedClock,
    custom: RwLock<Vec<Arc<CustomRule>>>,
}

/// What a user sees of a rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PatternInfo {
    /// The rule's id.
    pub rule: String,
    /// The kind of secret, in words.
    pub name: String,
    pub pattern: String,
    pub severity: Severity,
    pub description: String,
}

impl Scanner {
    /// A scanner with the built-in rules and what the options add, change and silence.
    pub fn new(options: ScannerOptions) -> Result<Self> {
        Self::with_clock(options, SystemClock::shared())
    }

    /// The same with a clock of one's own, which says what has expired.
    pub fn with_clock(options: ScannerOptions, clock: SharedClock) -> Result<Self> {
        let options = with_file(options)?;
        options.check()?;
        let catalogue = Catalogue::built_in()?;
        let custom = compile_all(&options.rules)?;
        for rule in &custom {
            refuse_known(&catalogue, rule)?;
        }
        let built_in = || catalogue.rules.iter().map(|rule| &rule.info);
        for id in &options.disable {
            refuse_unknown("disable", id, built_in())?;
        }
        for id in options.allowlist.iter().filter_map(Allowed::rule) {
            refuse_unknown("allowlist", id, built_in().chain(custom.iter().map(|rule| &rule.info)))?;
        }
        let enabled: Vec<bool> = catalogue
            .rules
            .iter()
            .map(|rule| !options.disable.iter().any(|id| is_named(id, &rule.info.id)))
            .collect();
        let used = |id: &str| {
            let index = catalogue.rules.iter().position(|rule| rule.info.id == id)?;
            enabled[index].then(|| Arc::clone(&catalogue.rules[index].info))
        };
        let limits = options.entropy.limits();
        let shown = limits.unwrap_or_default();
        let generic = Generic {
            password: used("generic-password"),
            secret: used("generic-secret").filter(|_| limits.is_some()),
            entropy: used("high-entropy-string").filter(|_| limits.is_some()),
            floor: shown.threshold,
            shortest: shown.min_length,
        };
        let mnemonic = used("mnemonic");
        let keypair = used("solana-keypair");
        let allowlist = Allowlist::new(&options.allowlist)?;
        let custom = RwLock::new(custom);
        Ok(Self {
            options,
            catalogue,
            enabled,
            generic,
            mnemonic,
            keypair,
            allowlist,
            clock,
            custom,
        })
    }

    /// Scans one text; it is always scanned whole, whatever its size.
    pub fn scan_text(&self, text: &str, file: Option<&str>) -> ScanResult {
        self.scan_bytes(text.as_bytes(), file)
    }

    /// Scans files that are in memory; none is skipped, so that a hostile one cannot hide.
    pub fn scan_files<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> ScanResult {
        let mut result = ScanResult::default();
        for (file, bytes) in files {
            result.absorb(self.scan_bytes(bytes, Some(file)));
        }
        result.sort();
        result
    }

    /// Scans the bytes of one file: UTF-8 with any faults, or UTF-16 with its mark.
    pub fn scan_bytes(&self, bytes: &[u8], file: Option<&str>) -> ScanResult {
        let text = to_utf8(bytes);
        let candidates = resolve(self.candidates(&text, file));
        let secrets = self.findings(&text, file, candidates, Cursor::new(&text));
        ScanResult {
            found: !secrets.is_empty(),
            secrets,
            files_scanned: 1,
            bytes_scanned: bytes.len() as u64,
            skipped: Vec::new(),
        }
    }

    /// Scans variables; a finding's `file` is `env:` and the name, its place counts inside of the value.
    pub fn scan_environment<'a>(&self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> ScanResult {
        let mut result = ScanResult::default();
        for (name, value) in variables {
            let text = format!("{name}={value}");
            let from = name.len() + 1;
            let mut candidates = self.candidates(text.as_bytes(), None);
            let whole = assignment::Assignment::plain(0..name.len(), from..text.len());
            if !value.is_empty() && self.generic.wants(name.as_bytes()) {
                candidates.extend(self.generic.judge_variable(text.as_bytes(), &whole));
            }
            candidates.retain(|candidate| candidate.span.start >= from);
            for candidate in &mut candidates {
                candidate.span = candidate.span.start - from..candidate.span.end - from;
            }
            let file = format!("env:{name}");
            let value = value.as_bytes();
            let secrets = self.findings(value, Some(&file), resolve(candidates), Cursor::new(value));
            result.absorb(ScanResult {
                found: !secrets.is_empty(),
                secrets,
                files_scanned: 1,
                bytes_scanned: value.len() as u64,
                skipped: Vec::new(),
            });
        }
        result.sort();
        result
    }

    /// A secret without its middle.
    pub fn redact_secret(&self, secret: &str) -> String {
        redact(secret)
    }

    /// A text without its secrets; a clean one is handed back as it is. Doing it twice changes nothing.
    /// Comments and paths allow nothing here, and a token with a wrong checksum is taken out too.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(mut clean) = self.redact_once(text) else {
            return Cow::Borrowed(text);
        };
        // What was taken out may have hidden another secret, such as a token in the middle of a key.
        for _ in 0..MOST_ROUNDS {
            match self.redact_once(&clean) {
                Some(cleaner) if cleaner != clean => clean = cleaner,
                _ => break,
            }
        }
        Cow::Owned(clean)
    }

    /// The text without the secrets that are seen at once, or nothing where there is none.
    fn redact_once(&self, text: &str) -> Option<String> {
        let mut candidates = self.candidates(text.as_bytes(), None);
        if candidates.iter().any(|one| one.silent) {
            candidates = resolve(candidates);
            candidates.retain(|one| !one.silent);
        }
        candidates.retain(|one| {
            !self
                .allowlist
                .allows_value(&one.rule.id, &text.as_bytes()[one.span.clone()])
        });
        if candidates.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for span in union(&candidates) {
            let span = on_characters(text, span);
            if span.start < at {
                at = at.max(span.end);
                continue;
            }
            out.push_str(&text[at..span.start]);
            out.push_str(&redact(&text[span.clone()]));
            at = span.end + rest(&text[span.clone()], &text[span.end..]);
        }
        out.push_str(&text[at..]);
        Some(out)
    }

    /// Adds a rule; scans that run already do not see it.
    pub fn add_pattern(&self, data: &CustomRuleData) -> Result<()> {
        let rule = CustomRule::compile(data)?;
        refuse_known(&self.catalogue, &rule)?;
        let mut custom = self.custom.write();
        custom.retain(|known| known.info.id != rule.info.id);
        custom.push(Arc::new(rule));
        Ok(())
    }

    /// All rules that are used, the built-in ones first.
    pub fn patterns(&self) -> Vec<PatternInfo> {
        let shown = |info: &RuleInfo| PatternInfo {
            rule: info.id.clone(),
            name: info.kind.clone(),
            pattern: info.pattern.clone(),
            severity: info.severity,
            description: info.description.clone(),
        };
        let built_in = self
            .catalogue
            .rules
            .iter()
            .zip(&self.enabled)
            .filter(|(_, used)| **used)
            .map(|(rule, _)| shown(&rule.info));
        built_in
            .chain(self.custom.read().iter().map(|rule| shown(&rule.info)))
            .collect()
    }

    pub(super) fn candidates(&self, text: &[u8], file: Option<&str>) -> Vec<Candidate> {
        let mut out = Search::run(self, text, Place::of(file));
        for rule in self.custom.read().iter() {
            rule.scan(text, &mut out);
        }
        out
    }
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// An id that means no rule silences nothing, which nobody would see.
fn refuse_unknown<'a>(option: &str, id: &str, mut rules: impl Iterator<Item = &'a Arc<RuleInfo>>) -> Result<()> {
    if rules.any(|rule| is_named(id, &rule.id)) {
        return Ok(());
    }
    Err(Error::new(
        Code::OptionInvalid,
        format!("the scanner's option {option} names {id:?}, which is no rule; getPatterns() lists the rules"),
    ))
}

/// Whether a rule's id is meant, of which `*` at the end stands for any ending.
pub(super) fn is_named(pattern: &str, id: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == id, |start| id.starts_with(start))
}
