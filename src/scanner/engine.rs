//! The scanner itself: what it looks for, and what it answers.

use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::RwLock;

use super::allowlist::Allowlist;
use super::assignment;
use super::candidate::{Candidate, RANK_FORMAT, RANK_STRUCTURE, resolve, union};
use super::catalogue::Catalogue;
use super::custom::{CustomRule, compile_all};
use super::decoding::to_utf8;
use super::detectors;
use super::finding::ScanResult;
use super::generic::Generic;
use super::naming::{Naming, naming};
use super::options::{CustomRuleData, ScannerOptions};
use super::pair;
use super::place::Place;
use super::redaction::{on_characters, redact};
use super::rule::RuleInfo;
use super::run;
use super::severity::Severity;
use crate::error::{Code, Error, Result};

/// Tokens without a prefix are not longer.
const LONGEST_CONTEXTUAL: usize = 256;

/// Finds and takes out secrets. One serves any number of threads.
#[derive(Debug)]
pub struct Scanner {
    pub(super) options: ScannerOptions,
    pub(super) catalogue: Arc<Catalogue>,
    /// For each built-in rule, whether it is used.
    pub(super) enabled: Vec<bool>,
    pub(super) generic: Generic,
    pub(super) mnemonic: Option<Arc<RuleInfo>>,
    keypair: Option<Arc<RuleInfo>>,
    pub(super) allowlist: Allowlist,
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
        options.check()?;
        let catalogue = Catalogue::built_in()?;
        for id in &options.disable {
            if !catalogue.rules.iter().any(|rule| is_named(id, &rule.info.id)) {
                return Err(Error::new(
                    Code::OptionInvalid,
                    format!(
                        "the scanner's option disable names {id:?}, which is no rule; getPatterns() lists the rules"
                    ),
                ));
            }
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
        let custom = RwLock::new(compile_all(&options.rules)?);
        Ok(Self {
            options,
            catalogue,
            enabled,
            generic,
            mnemonic,
            keypair,
            allowlist,
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
        let secrets = self.findings(&text, file, candidates);
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
            let secrets = self.findings(value.as_bytes(), Some(&file), resolve(candidates));
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
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for span in union(&candidates) {
            let span = on_characters(text, span);
            if span.start < at {
                continue;
            }
            out.push_str(&text[at..span.start]);
            out.push_str(&redact(&text[span.clone()]));
            at = span.end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }

    /// Adds a rule; scans that run already do not see it.
    pub fn add_pattern(&self, data: &CustomRuleData) -> Result<()> {
        let rule = CustomRule::compile(data)?;
        if self.catalogue.rule(&rule.info.id).is_some() {
            return Err(Error::new(
                Code::OptionInvalid,
                format!(
                    "a built-in rule is called {:?} already; choose another name",
                    rule.info.id
                ),
            ));
        }
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

    fn candidates(&self, text: &[u8], file: Option<&str>) -> Vec<Candidate> {
        let mut out = Vec::new();
        self.catalogue.formats(text, &self.enabled, &mut out);
        if let Some(rule) = &self.mnemonic {
            detectors::each_mnemonic(text, |span| {
                out.push(Candidate::of(rule, span, RANK_STRUCTURE));
            });
        }
        run::each(text, |span| {
            if span.len() <= LONGEST_CONTEXTUAL {
                self.catalogue.run(text, &span, &self.enabled, &mut out);
            }
            self.hidden(text, &span, &mut out);
        });
        if let Some(rule) = &self.keypair {
            detectors::each_keypair(text, |span| {
                out.push(Candidate::of(rule, span, RANK_FORMAT));
            });
        }
        let place = Place::of(file);
        if !place.lock {
            let wanted = |name: &[u8]| self.generic.wants(name);
            assignment::each(text, wanted, |one| self.guess(text, one, place, &mut out));
            let named = |name: &[u8]| self.generic.wants(name) && naming(name) != Naming::Neutral;
            pair::each(text, named, |one| {
                out.extend(self.generic.judge(text, one, place));
            });
            self.loose(text, place, &mut out);
        }
        for rule in self.custom.read().iter() {
            rule.scan(text, &mut out);
        }
        out
    }
}

fn is_named(pattern: &str, id: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == id, |start| id.starts_with(start))
}
