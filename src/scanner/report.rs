//! How candidates become findings.

use super::allowlist::{Seen, has_comment};
use super::candidate::Candidate;
use super::engine::Scanner;
use super::finding::Finding;
use super::fingerprint::{fingerprint, identity};
use super::position::Cursor;
use super::published::is_published;
use super::redaction::redact;

impl Scanner {
    /// What is reported of candidates that are in the order of their places.
    pub(super) fn findings(
        &self,
        text: &[u8],
        file: Option<&str>,
        candidates: Vec<Candidate>,
        mut cursor: Cursor<'_>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for candidate in candidates {
            let value = &text[candidate.span.clone()];
            let candidate = candidate.at(|| self.clock.now_ms() / 1_000);
            // What is filtered out already need not be looked up.
            let candidate = if candidate.confidence >= self.options.min_confidence && is_published(value) {
                candidate.doubtful()
            } else {
                candidate
            };
            if candidate.silent
                || candidate.severity < self.options.min_severity
                || candidate.confidence < self.options.min_confidence
            {
                continue;
            }
            let fingerprint = fingerprint(&candidate.rule, file, value);
            let seen = Seen {
                file,
                rule: &candidate.rule.id,
                value,
                fingerprint: &fingerprint,
            };
            if self.allowlist.allows(seen) || (self.options.allow_comments && has_comment(text, &candidate.span)) {
                continue;
            }
            let secret = String::from_utf8_lossy(value);
            let (line, column) = cursor.locate(candidate.span.start);
            let (end_line, end_column) = cursor.locate(candidate.span.end);
            findings.push(Finding {
                kind: candidate.rule.kind.clone(),
                rule: candidate.rule.id.clone(),
                severity: candidate.severity,
                redacted: redact(&secret),
                line,
                column,
                end_line,
                end_column,
                file: file.map(str::to_owned),
                fingerprint,
                identity: identity(&candidate.rule, value),
                confidence: candidate.confidence,
                matched: self.options.reveal.then(|| secret.into_owned()),
            });
        }
        findings
    }
}
