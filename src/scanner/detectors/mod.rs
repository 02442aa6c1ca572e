//! Confirms what stands at a hit: by the rule's pattern, or by code where a pattern is not enough.

mod curve;
mod der;
mod header;
mod jwt;
mod key;
mod mnemonic;
mod number;
mod pem;
mod putty;
mod solana;
mod ssh;
mod sums;
mod uri;
mod wallet;

use serde::Deserialize;

use std::ops::Range;

use super::boundary;

use super::candidate::{Candidate, RANK_FORMAT};
use super::chain::{Chain, Joined};
use super::context::near;
use super::joints::Joints;
use super::pieces::may_join;
use super::placeholder::{is_placeholder, is_sample_token};
use super::randomness::entropy;
use super::reach::Reach;
use super::rule::{NEEDED, Rule, WINDOW};
use super::tail::Verdict;
use super::work;

pub use jwt::{HEAD as JWT_HEAD, is_token as is_jwt};
pub use mnemonic::{SHORTEST as SHORTEST_MNEMONIC, each as each_mnemonic, other_words};
pub use solana::around as keypair_around;
pub use sums::Sums;

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
    /// A seed of 32 bytes with its public key.
    SolanaKey,
    /// A value that its name or its randomness gives away.
    Assignment,
}

impl Detector {
    /// Whether it looks at runs of characters, not at hits of a literal.
    pub const fn is_for_runs(self) -> bool {
        matches!(self, Self::Wif | Self::EvmKey | Self::SolanaKey)
    }
}

/// What stands at `at`, where one of the rule's literals was found.
pub fn confirm(rule: &Rule, text: &[u8], at: usize, mut seen: Seen<'_>) -> Option<Candidate> {
    match rule.detector {
        Some(Detector::Pem) => pem::confirm(rule, text, at, seen.sums),
        Some(Detector::Putty) => putty::confirm(rule, text, at),
        Some(Detector::Jwt) => jwt::confirm(rule, text, at, &mut seen),
        Some(Detector::Uri) => uri::confirm(rule, text, at),
        Some(Detector::Basic) => header::basic(rule, text, at),
        Some(Detector::Bearer) => header::bearer(rule, text, at),
        Some(Detector::Mnemonic | Detector::Wif | Detector::EvmKey | Detector::SolanaKey | Detector::Assignment) => {
            None
        }
        None => format(rule, text, at, &mut seen),
    }
}

/// What a run of token characters is.
pub fn confirm_run(rule: &Rule, text: &[u8], run: Range<usize>) -> Option<Candidate> {
    match rule.detector {
        Some(Detector::Wif) => wallet::wif(rule, text, run),
        Some(Detector::EvmKey) => wallet::evm(rule, text, run),
        Some(Detector::SolanaKey) => solana::confirm(rule, text, run),
        _ => wallet::contextual(rule, text, run),
    }
}

/// What one pass over a text has seen.
pub struct Seen<'a> {
    pub asked: &'a mut Asked,
    /// How far nothing stands with which an escape or a joint starts.
    pub plain: &'a mut Reach,
    pub chain: &'a mut Chain,
    pub joints: &'a mut Joints,
    pub sums: &'a mut Sums,
}

/// What was seen for one rule.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// How far the run of its class goes, in the text and in a chain with its number.
    run: Reach,
    joined: Reach,
    chain: usize,
    needed: Needed,
}

/// Where the next of the words stands that a rule needs.
#[derive(Clone, Debug, Default)]
struct Needed {
    from: usize,
    to: usize,
    at: Option<usize>,
}

impl Needed {
    /// Whether one starts in the first `NEEDED` bytes from `at` on.
    fn stands(&mut self, rule: &Rule, text: &[u8], at: usize) -> bool {
        let limit = text.len().min(at + NEEDED);
        let known = self.from <= at && self.at.map_or(self.to >= limit, |place| place >= at);
        if !known {
            (self.from, self.to) = (at, text.len().min(at + 8 * NEEDED));
            let window = &text[at..self.to];
            let places = rule.needs.iter().filter_map(|needs| needs.find(window));
            self.at = places.min().map(|place| at + place);
        }
        self.at.is_some_and(|place| place < limit)
    }
}

fn format(rule: &Rule, text: &[u8], at: usize, seen: &mut Seen<'_>) -> Option<Candidate> {
    let start = match rule.before {
        Some(before) => before.start(text, at)?,
        None => at,
    };
    if !boundary::starts(text, start, &rule.not_after) {
        return None;
    }
    let prefix = rule
        .prefix
        .iter()
        .find(|prefix| boundary::stands_at(text, at, prefix))?;
    let limit = text.len().min(at + WINDOW);
    let window = &text[at..limit];
    if !rule.needs.is_empty() && !seen.asked.needed.stands(rule, text, at) {
        return None;
    }
    let verdict = match rule.tail() {
        Some(tail) => tail.judge(text, at + prefix.len(), limit, &mut seen.asked.run),
        None => Verdict::Perhaps,
    };
    match verdict {
        Verdict::No => return None,
        Verdict::Short(end) if !seen.joints.go_on(text, end) => return None,
        Verdict::Ends(end) if !ends(rule, text, end) && !seen.joints.go_on(text, end) => return None,
        _ => {}
    }
    if !rule.context.is_empty() && !near(rule, text, start) {
        return None;
    }
    if rule.has_group {
        work::looked_at(window.len());
        let whole = rule.pattern()?.captures(window)?;
        let group = whole.name("secret")?;
        let span = at + group.start()..boundary::before_cut(text, at + group.end());
        let token = &text[span.clone()];
        return ends(rule, text, at + whole.get(0)?.end()).then(|| judged(rule, span, prefix, token, token));
    }
    let raw = ended(rule, verdict, text, at..limit);
    // What stands there may go on behind an escape, or in a string literal on the next line.
    let goes_on = match (verdict, raw) {
        (_, Some(end)) | (Verdict::Short(end), None) => end,
        _ => seen.plain.end(text, at, limit, may_join),
    };
    if seen.joints.go_on(text, goes_on)
        && let Some(joined) = seen.chain.at(text, at, seen.joints.how)
        && let Some(end) = joined_end(rule, prefix.len(), joined, seen.asked)
    {
        let token = [&text[start..at], &joined.text[joined.from..end]].concat();
        let end = seen.chain.end(end);
        if raw.is_none_or(|raw| end > raw) {
            return Some(judged(rule, start..end, prefix, &token, &token));
        }
    }
    let span = start..raw?;
    let token = &text[span.clone()];
    Some(judged(rule, span, prefix, token, token))
}

/// Where the token ends that starts with the pieces.
fn joined_end(
    rule: &Rule,
    prefix: usize,
    Joined { text, from, chain }: Joined<'_>,
    asked: &mut Asked,
) -> Option<usize> {
    if !rule.head().fits_plain(&text[from..]) {
        return None;
    }
    if asked.chain != chain {
        (asked.joined, asked.chain) = (Reach::default(), chain);
    }
    let most = rule.longest().saturating_add(AFTER).min(WINDOW);
    let limit = text.len().min(from + most);
    let verdict = match rule.tail() {
        Some(tail) => tail.judge(text, from + prefix, limit, &mut asked.joined),
        None => Verdict::Perhaps,
    };
    ended(rule, verdict, text, from..limit)
}

/// Where a token ends of which its run says a verdict.
fn ended(rule: &Rule, verdict: Verdict, text: &[u8], window: Range<usize>) -> Option<usize> {
    let end = match verdict {
        Verdict::No | Verdict::Short(_) => return None,
        Verdict::Ends(end) => end,
        Verdict::Perhaps => {
            work::looked_at(window.len());
            window.start + rule.pattern()?.find(&text[window])?.end()
        }
    };
    ends(rule, text, end).then_some(end)
}

/// What tells whether a token ends, in bytes behind it.
const AFTER: usize = 8;

/// Whether a token of a rule may end before `end`: one that may hold a dash does not end at one.
fn ends(rule: &Rule, text: &[u8], end: usize) -> bool {
    boundary::ends(text, end)
        && !(rule.dashes && text.get(end) == Some(&b'-') && {
            let mut rest = text[end..].iter().take(AFTER);
            rest.find(|byte| **byte != b'-')
                .is_some_and(|byte| boundary::is_word(*byte))
        })
}

fn judged(rule: &Rule, span: Range<usize>, prefix: &[u8], token: &[u8], whole: &[u8]) -> Candidate {
    let candidate = Candidate::of(&rule.info, span, RANK_FORMAT);
    let tail = token.strip_prefix(prefix).unwrap_or(token);
    let fake = rule.checksum.is_some_and(|checksum| !checksum.holds(whole))
        || is_sample_token(tail)
        // A password without a digit cannot be told from a word of the language around it.
        || rule.info.chosen && (!tail.iter().any(u8::is_ascii_digit) || is_placeholder(tail))
        || entropy(tail) < rule.entropy;
    if fake { candidate.doubtful() } else { candidate }
}
