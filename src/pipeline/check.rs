//! How the outcome of one stage becomes a check of the report.

use std::collections::BTreeMap;

use super::report::{Check, CheckStatus, Where};
use super::stage::Stage;
use crate::clock::Clock;
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error};
use crate::sandbox::Outcome;

/// What a check keeps of a tool's own words.
const MAX_DETAIL: usize = 2_000;

impl Check {
    /// A check that has not been decided yet.
    pub fn of(stage: Stage, place: Where) -> Self {
        Self::named(stage.as_str(), place)
    }

    /// A check within a stage.
    pub fn named(name: impl Into<String>, place: Where) -> Self {
        Self {
            name: name.into(),
            status: CheckStatus::Inconclusive,
            place,
            command: None,
            exit_code: None,
            counts: BTreeMap::new(),
            duration_ms: 0,
            detail: None,
            diagnostics: Vec::new(),
        }
    }

    /// A stage that did not run, and why.
    pub fn skipped(stage: Stage, place: Where, why: &str) -> Self {
        let mut check = Self::of(stage, place).saying(why);
        check.status = CheckStatus::Skipped;
        check
    }

    /// Passed where there is nothing to mend, else failed.
    #[must_use]
    pub fn judged(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.status = if diagnostics.is_empty() {
            CheckStatus::Passed
        } else {
            CheckStatus::Failed
        };
        self.diagnostics = diagnostics;
        self
    }

    /// The tools or the engine failed, not the plugin.
    #[must_use]
    pub fn inconclusive(mut self, error: &Error) -> Self {
        self.status = CheckStatus::Inconclusive;
        self.saying(&format!("{}: {}", error.code().as_str(), error.message()))
    }

    /// Adds a sentence.
    #[must_use]
    pub fn saying(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned());
        self
    }

    /// As it may be stored and shown to a model: a tool's words may hold what a plugin put together when it ran.
    /// They are shortened only then, or half a secret would be left.
    #[must_use]
    pub fn redacted(mut self, redact: impl Fn(&str) -> String) -> Self {
        self.name = redact(&self.name);
        self.detail = self.detail.as_deref().map(|detail| cut(&redact(detail), MAX_DETAIL));
        for diagnostic in &mut self.diagnostics {
            diagnostic.file = redact(&diagnostic.file);
            diagnostic.message = redact(&diagnostic.message);
        }
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn counting(mut self, what: &str, count: u64) -> Self {
        self.counts.insert(what.to_owned(), count);
        self
    }

    /// Adds what ran, and how it ended.
    #[must_use]
    pub fn ran(mut self, argv: &[String], outcome: &Outcome) -> Self {
        self.command = Some(argv.join(" "));
        self.exit_code = outcome.exit_code;
        if let Some(peak) = outcome.peak_memory {
            self.counts.insert("peakMemoryBytes".to_owned(), peak);
        }
        self
    }

    /// Adds how long it took.
    #[must_use]
    pub fn timed(mut self, clock: &dyn Clock, started: u64) -> Self {
        self.duration_ms = clock.monotonic_ms().saturating_sub(started);
        self
    }
}

/// Why a command did not end by itself, as something to mend.
pub fn stopped(stage: Stage, outcome: &Outcome, limit_ms: u64) -> Option<Diagnostic> {
    let name = stage.as_str();
    if outcome.oom_killed {
        return Some(Diagnostic::of(
            "",
            "out-of-memory",
            format!("{name} used more memory than the sandbox allows"),
        ));
    }
    if outcome.timed_out {
        return Some(Diagnostic::of(
            "",
            "timeout",
            format!("{name} did not end within {limit_ms} ms"),
        ));
    }
    outcome
        .signal
        .map(|signal| Diagnostic::of("", "killed", format!("{name} was ended by signal {signal}")))
}

/// Whether the fault is ours or the engine's, so that trying again may help.
pub const fn is_ours(code: Code) -> bool {
    matches!(
        code,
        Code::SandboxFailed | Code::Inconclusive | Code::Internal | Code::Closed
    )
}

/// At most `limit` bytes, head and tail.
pub fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let head = floor_boundary(text, limit * 2 / 3);
    let tail = ceil_boundary(text, text.len() - limit / 3);
    format!(
        "{}\n… {} bytes left out …\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_head_and_tail_and_never_splits_a_character() {
        let text = "ä".repeat(5_000);
        let short = cut(&text, 1_000);
        assert!(short.len() < 1_100);
        assert!(short.starts_with('ä') && short.ends_with('ä') && short.contains("left out"));
        assert_eq!(cut("short", 1_000), "short");
    }

    #[test]
    fn nothing_to_mend_is_passed_and_anything_is_failed() {
        let check = Check::of(Stage::Lint, Where::Sandbox);
        assert_eq!(check.clone().judged(Vec::new()).status, CheckStatus::Passed);
        assert_eq!(
            check.judged(vec![Diagnostic::of("a", "b", "c")]).status,
            CheckStatus::Failed
        );
    }

    #[test]
    fn what_stopped_a_command_is_told_by_the_kernel_first() {
        let outcome = Outcome {
            oom_killed: true,
            timed_out: true,
            signal: Some(9),
            ..Outcome::default()
        };
        assert_eq!(
            stopped(Stage::Test, &outcome, 5).map(|d| d.code).as_deref(),
            Some("out-of-memory")
        );
        assert_eq!(
            stopped(
                Stage::Test,
                &Outcome {
                    exit_code: Some(1),
                    ..Outcome::default()
                },
                5
            ),
            None
        );
    }
}
