//! What a detector proposes, and which of several proposals for one place wins.

use std::ops::Range;
use std::sync::Arc;

use super::rule::RuleInfo;
use super::severity::Severity;

/// A possible secret at a span of bytes.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it stands.
    pub span: Range<usize>,
    /// Which rule proposes it.
    pub rule: Arc<RuleInfo>,
    /// The rule's, or what the value itself says.
    pub severity: Severity,
    /// From 0 to 1.
    pub confidence: f64,
    /// A fixed format beats a connection string, which beats a guess from a name.
    pub rank: u8,
    /// When it stops opening anything, in seconds since 1970, where the value itself says so.
    pub expires: Option<i64>,
    /// Of a rule that is disabled: it is not reported, and keeps guesses from reporting its place.
    pub silent: bool,
}

/// A rank for formats that nothing else has.
pub const RANK_FORMAT: u8 = 3;
/// A rank for structures that may hold a format.
pub const RANK_STRUCTURE: u8 = 2;
/// A rank for a value whose neighbourhood names its provider.
pub const RANK_CONTEXT: u8 = 1;
/// A rank for guesses.
pub const RANK_GENERIC: u8 = 0;

impl Candidate {
    /// A candidate with the rule's own severity and confidence.
    pub fn of(rule: &Arc<RuleInfo>, span: Range<usize>, rank: u8) -> Self {
        Self {
            span,
            severity: rule.severity,
            confidence: rule.confidence,
            rule: Arc::clone(rule),
            rank,
            expires: None,
            silent: false,
        }
    }

    /// What it is at a time: an expired secret opens nothing any more, and is worth a note only.
    #[must_use]
    pub fn at(mut self, now: impl FnOnce() -> i64) -> Self {
        if self.expires.is_some_and(|end| end < now()) {
            self.severity = Severity::Low;
            self.confidence = self.confidence.min(EXPIRED);
        }
        self
    }

    /// A wrong checksum: the shape is there, the secret is not.
    #[must_use]
    pub fn doubtful(mut self) -> Self {
        self.severity = Severity::Low;
        self.confidence = DOUBTFUL;
        self
    }
}

/// The confidence of a token whose checksum is wrong; below the default `minConfidence`.
pub const DOUBTFUL: f64 = 0.1;
/// The confidence of a token that has expired.
pub const EXPIRED: f64 = 0.3;

/// One candidate for each place: the best of those that overlap.
pub fn resolve(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| a.span.start.cmp(&b.span.start).then(b.span.end.cmp(&a.span.end)));
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match kept.last_mut() {
            Some(last) if candidate.span.start < last.span.end => {
                if better(&candidate, last) {
                    *last = candidate;
                }
            }
            _ => kept.push(candidate),
        }
    }
    kept
}

fn better(new: &Candidate, old: &Candidate) -> bool {
    let doubtful = |candidate: &Candidate| candidate.confidence <= DOUBTFUL;
    match (doubtful(new), doubtful(old)) {
        // A doubtful format keeps a guess from reporting the same characters.
        (true, false) => old.rank == RANK_GENERIC,
        (false, true) => new.rank > RANK_GENERIC,
        _ => (new.rank, new.span.len(), new.confidence) > (old.rank, old.span.len(), old.confidence),
    }
}

/// The spans that any candidate covers, joined where they touch or overlap.
pub fn union(candidates: &[Candidate]) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = candidates.iter().map(|candidate| candidate.span.clone()).collect();
    spans.sort_by_key(|span| span.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}
