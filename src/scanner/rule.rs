//! A rule: its data file, and what it is compiled to.

use std::sync::{Arc, OnceLock};

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::checksum::Checksum;
use super::detectors::{Detector, JWT_HEAD};
use super::head::{self, Head, Set};
use super::severity::Severity;
use super::tail::Tail;

/// The longest token that a pattern is tried on.
pub const WINDOW: usize = 2_048;

/// How far `needs` may stand from the start.
pub const NEEDED: usize = 256;

/// One data file: the rules of one family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// The rules.
    pub rule: Vec<RuleData>,
}

/// A rule as its data file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RuleData {
    pub id: String,
    /// The kind of secret, in words.
    #[serde(rename = "type")]
    pub kind: String,
    pub description: String,
    pub severity: Severity,
    /// How sure a match is without anything else.
    #[serde(default = "default_confidence")]
    pub confidence: f64,
    /// Literals with which the secret, or what stands around it, starts.
    #[serde(default)]
    pub prefix: Vec<String>,
    /// The whole token, anchored at its prefix; a group named `secret` is the part to report.
    #[serde(default)]
    pub pattern: String,
    /// What a matched token is checked with.
    pub checksum: Option<Checksum>,
    /// Code that confirms instead of the pattern.
    pub detector: Option<Detector>,
    /// Words of which one must stand just before the value; a rule without a prefix needs some.
    #[serde(default)]
    pub context: Vec<String>,
    /// Bits a character that the token needs at least, after its prefix.
    #[serde(default)]
    pub entropy: f64,
    /// Characters that may not stand before the token, beside letters, digits and `_`.
    #[serde(default)]
    pub not_after: String,
    /// Whether people choose the value, so that it could be guessed.
    #[serde(default)]
    pub chosen: bool,
    /// What of the token stands before its literal.
    pub before: Option<Before>,
    /// Of which one stands in the first `NEEDED` bytes of each match; where none does, the pattern is not tried.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Schemes of a connection string.
    #[serde(default)]
    pub schemes: Vec<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "the test that runs every example reads it"))]
    pub examples: Examples,
}

/// Letters and digits that stand before a literal and belong to the token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    pub min: usize,
    pub max: usize,
    /// Digits only.
    #[serde(default)]
    pub digits: bool,
}

impl Before {
    const fn fits(self, byte: u8) -> bool {
        byte.is_ascii_digit() || !self.digits && byte.is_ascii_alphabetic()
    }

    /// Where the token starts whose literal stands at `at`.
    pub fn start(self, text: &[u8], at: usize) -> Option<usize> {
        let length = text[..at]
            .iter()
            .rev()
            .take(self.max + 3)
            .take_while(|byte| self.fits(**byte))
            .count();
        // `%3D` in front of it is an escape, of which two characters look like the token's.
        let percent = (at - length).checked_sub(1).is_some_and(|before| text[before] == b'%');
        let escaped = if percent && length > 2 { length - 2 } else { length };
        (self.min..=self.max).contains(&escaped).then(|| at - escaped)
    }
}

/// Texts in pieces, so that no scanner takes this repository for a leak.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "the test that runs every example reads it"))]
pub struct Examples {
    #[serde(default, rename = "match")]
    pub matching: Vec<Vec<String>>,
    #[serde(default)]
    pub no_match: Vec<Vec<String>>,
}

const fn default_confidence() -> f64 {
    0.9
}

/// What a finding needs to know about its rule.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    pub id: String,
    pub kind: String,
    pub description: String,
    pub severity: Severity,
    pub confidence: f64,
    /// For people: what the rule looks for.
    pub pattern: String,
    /// Whether people choose the value, so that it could be guessed.
    pub chosen: bool,
}

/// A rule that is ready to run.
#[derive(Debug)]
pub struct Rule {
    pub info: Arc<RuleInfo>,
    pub prefix: Vec<Vec<u8>>,
    /// Compiled at the first hit: most rules never see one.
    source: String,
    pattern: OnceLock<Option<Regex>>,
    head: OnceLock<Head>,
    tail: OnceLock<Option<Tail>>,
    longest: OnceLock<usize>,
    pub has_group: bool,
    /// Whether the end of the token may be a dash.
    pub dashes: bool,
    pub checksum: Option<Checksum>,
    pub detector: Option<Detector>,
    pub context: Vec<Vec<u8>>,
    pub entropy: f64,
    pub not_after: Vec<u8>,
    pub before: Option<Before>,
    pub needs: Vec<Finder<'static>>,
    pub schemes: Vec<String>,
}

impl Rule {
    /// A rule that is compiled when it is first needed.
    pub fn of(data: &RuleData) -> Self {
        let shown = if data.pattern.is_empty() {
            data.prefix.join("|")
        } else {
            data.pattern.clone()
        };
        Self {
            info: Arc::new(RuleInfo {
                id: data.id.clone(),
                kind: data.kind.clone(),
                description: data.description.clone(),
                severity: data.severity,
                confidence: data.confidence,
                pattern: shown,
                chosen: data.chosen,
            }),
            prefix: data.prefix.iter().map(|prefix| prefix.clone().into_bytes()).collect(),
            dashes: data.pattern.contains("_-]{"),
            has_group: data.pattern.contains("(?<secret>"),
            source: data.pattern.clone(),
            pattern: OnceLock::new(),
            head: OnceLock::new(),
            tail: OnceLock::new(),
            longest: OnceLock::new(),
            needs: data
                .needs
                .iter()
                .map(|needs| Finder::new(needs.as_bytes()).into_owned())
                .collect(),
            checksum: data.checksum,
            detector: data.detector,
            context: data
                .context
                .iter()
                .map(|word| word.to_ascii_lowercase().into_bytes())
                .collect(),
            entropy: data.entropy,
            not_after: data.not_after.clone().into_bytes(),
            before: data.before,
            schemes: data.schemes.clone(),
        }
    }

    /// The pattern, anchored at its start; a test compiles every one.
    pub fn pattern(&self) -> Option<&Regex> {
        self.pattern
            .get_or_init(|| {
                if self.source.is_empty() {
                    None
                } else {
                    anchored(&self.source).ok()
                }
            })
            .as_ref()
    }
}

impl Rule {
    /// With what a token starts, by its first bytes only; most near-matches end here. Most code says nothing of it.
    pub fn head(&self) -> &Head {
        self.head.get_or_init(|| match self.detector {
            Some(Detector::Jwt) => Head::of(JWT_HEAD),
            Some(_) => Head::default(),
            None => Head::of(&self.source),
        })
    }
}

impl Rule {
    /// What stands directly before the literal, where the rule says it.
    pub fn bytes_before(&self) -> Option<Set> {
        let of = |bytes: &mut dyn Iterator<Item = u8>| {
            bytes.fold(Set::default(), |mut set, byte| {
                head::join(&mut set, &head::set_of(byte, byte));
                set
            })
        };
        if let Some(before) = self.before {
            return (before.min > 0).then(|| of(&mut (0..=u8::MAX).filter(|byte| before.fits(*byte))));
        }
        let ends = self.schemes.iter().filter_map(|scheme| scheme.bytes().last());
        let mut ends = ends.flat_map(|byte| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]);
        (self.detector == Some(Detector::Uri)).then(|| of(&mut ends))
    }

    /// Whether the literal stands behind so many letters and digits that they alone are a long run.
    pub fn is_in_run(&self) -> bool {
        self.before
            .is_some_and(|before| before.min >= super::catalogue::SHORTEST_RUN as usize)
    }

    /// How many bytes a match has at most.
    pub fn longest(&self) -> usize {
        *self
            .longest
            .get_or_init(|| head::longest(&self.source).unwrap_or(usize::MAX))
    }

    /// What the bytes behind the literal say, where that is simple.
    pub fn tail(&self) -> Option<&Tail> {
        self.tail.get_or_init(|| Tail::of(&self.source, &self.prefix)).as_ref()
    }
}

fn anchored(pattern: &str) -> std::result::Result<Regex, regex::Error> {
    RegexBuilder::new(&format!(r"\A(?:{pattern})")).unicode(false).build()
}
