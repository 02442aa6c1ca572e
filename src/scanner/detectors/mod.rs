//! Confirms what stands at a hit: by the rule's pattern, or by code where a pattern is not enough.

mod header;
mod jwt;
mod mnemonic;
mod pem;
mod uri;
mod wallet;

use serde::Deserialize;

use super::boundary;
use super::candidate::{Candidate, RANK_FORMAT};
use super::placeholder::is_sample_token;
use super::randomness::entropy;
use super::rule::{Rule, WINDOW};

pub use mnemonic::each as each_mnemonic;

/// Code that confirms a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// A private key between `BEGIN` and `END`.
    Pem,
    /// A `PuTTY` key file.
    Putty,
    /// A signed token whose header and payload are JSON.
    Jwt,
    /// A password in a connection string.
    Uri,
    /// `Basic` and base64 of a user and a password.
    Basic,
    /// `Bearer` and a random token.
    Bearer,
    /// Words of a wallet with their checksum.
    Mnemonic,
    /// A Bitcoin key in its import format.
    Wif,
    /// A number of 256 bits beside a word that says that it is a key.
    EvmKey,
    /// A value that its name or its randomness gives away.
    Assignment,
}

impl Detector {
    /// Whether it looks at runs of characters, not at hits of a literal.
    pub const fn is_for_runs(self) -> bool {
        matches!(self, Self::Wif | Self::EvmKey)
    }
}

/// What stands at `at`, where one of the rule's literals was found.
pub fn confirm(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    match rule.detector {
        Some(Detector::Pem) => pem::confirm(rule, text, at),
        Some(Detector::Putty) => pem::confirm_putty(rule, text, at),
        Some(Detector::Jwt) => jwt::confirm(rule, text, at),
        Some(Detector::Uri) => uri::confirm(rule, text, at),
        Some(Detector::Basic) => header::basic(rule, text, at),
        Some(Detector::Bearer) => header::bearer(rule, text, at),
        Some(Detector::Mnemonic | Detector::Wif | Detector::EvmKey | Detector::Assignment) => None,
        None => format(rule, text, at),
    }
}

/// What a run of token characters is.
pub fn confirm_run(rule: &Rule, text: &[u8], run: std::ops::Range<usize>) -> Option<Candidate> {
    match rule.detector {
        Some(Detector::Wif) => wallet::wif(rule, text, run),
        Some(Detector::EvmKey) => wallet::evm(rule, text, run),
        _ => wallet::contextual(rule, text, run),
    }
}

fn format(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let prefix = rule.prefix.iter().find(|prefix| text[at..].starts_with(prefix))?;
    let start = match rule.before {
        Some(before) => before.start(text, at)?,
        None => at,
    };
    if !boundary::starts(text, start, &rule.not_after) {
        return None;
    }
    if !rule.context.is_empty() && !wallet::near(rule, text, start) {
        return None;
    }
    let window = &text[at..text.len().min(at + WINDOW)];
    let pattern = rule.pattern()?;
    let found = pattern.find(window)?;
    let whole = start..at + found.end();
    if !boundary::ends(text, whole.end) {
        return None;
    }
    let span = if rule.has_group {
        let group = pattern.captures(window)?.name("secret")?;
        at + group.start()..at + group.end()
    } else {
        whole.clone()
    };
    let token = &text[span.clone()];
    let candidate = Candidate::of(&rule.info, span, RANK_FORMAT);
    let tail = token.strip_prefix(prefix.as_slice()).unwrap_or(token);
    let fake = rule.checksum.is_some_and(|checksum| !checksum.holds(&text[whole]))
        || is_sample_token(tail)
        || entropy(tail) < rule.entropy;
    Some(if fake { candidate.doubtful() } else { candidate })
}
