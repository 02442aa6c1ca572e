//! Secrets inside of base64 and hex, also of base64 in base64, and guesses that look into an encoded value.

use std::ops::Range;

use super::assignment::{self, Assignment};
use super::candidate::{Candidate, DOUBTFUL, RANK_STRUCTURE};
use super::decoding::{hidden_text, plain_text, wrapped_text};
use super::detectors;
use super::engine::Scanner;
use super::generic::SHORTEST_UNNAMED;
use super::loose;
use super::markup::named_beside;
use super::names::known;
use super::naming::{Naming, naming};
use super::pieces::{Border, Joining, goes_on, joined, unjoined, unjoined_start};
use super::place::Place;
use super::rule::WINDOW;

/// How often a text may be encoded.
const DEPTH: usize = 3;
/// Shorter values hide nothing.
const SHORTEST: usize = 12;
/// Tokens without a prefix are as long.
const SHORTEST_RUN: usize = 32;
const LONGEST_RUN: usize = 256;

impl Scanner {
    /// What an assignment gives away, by itself and decoded.
    pub(super) fn guess(&self, text: &[u8], one: &Assignment, place: Place, out: &mut Vec<Candidate>) {
        let neutral = known(&text[one.name.clone()]) == Naming::Neutral;
        // Most values have a name that says nothing, and are short.
        let quiet = neutral && (!one.quoted || one.value.len() < SHORTEST_UNNAMED);
        if !quiet || named_beside(text, &one.name).is_some() {
            out.extend(self.generic.judge(text, one, place));
        }
        if !(place.source && neutral) {
            self.decoded(text, one, out);
        }
        let goes_on = |at: usize| goes_on(&text[at..], place.joining());
        if one.quoted && (goes_on(one.value.end) || goes_on(one.value.start)) {
            out.extend(self.spliced(text, one, place.joining()));
        }
    }

    /// What a long run of token characters hides; the run stands for the best of it.
    pub(super) fn hidden(&self, text: &[u8], run: &Range<usize>, out: &mut Vec<Candidate>) {
        if let Some(inner) = hidden_text(text, run) {
            if let Some((whole, end)) = wrapped_text(text, run) {
                out.extend(self.best_inside(&whole, DEPTH).map(|one| Candidate {
                    span: run.start..end,
                    rank: RANK_STRUCTURE,
                    ..one
                }));
                return;
            }
            out.extend(self.best_inside(&inner, DEPTH).map(|one| Candidate {
                span: run.clone(),
                rank: RANK_STRUCTURE,
                ..one
            }));
        }
    }

    /// What the value of an assignment is when it is decoded.
    pub(super) fn decoded(&self, text: &[u8], one: &Assignment, out: &mut Vec<Candidate>) {
        let (name, value) = (&text[one.name.clone()], &text[one.value.clone()]);
        if value.len() < SHORTEST {
            return;
        }
        if let Some(inner) = plain_text(value) {
            out.extend(self.best_named(name, inner, DEPTH).map(|found| Candidate {
                span: one.value.clone(),
                rank: RANK_STRUCTURE.min(found.rank),
                ..found
            }));
        }
    }

    /// What a value is whose literal goes on in the next line.
    pub(super) fn spliced(&self, text: &[u8], one: &Assignment, how: Joining) -> Option<Candidate> {
        let name = &text[one.name.clone()];
        let window = &text[one.value.start..text.len().min(one.value.start + WINDOW)];
        let (value, borders) = joined(window, usize::MAX, how)?;
        self.pieced(name, &value, &borders, one.value.start)
    }

    /// What a value in pieces is, whose first one starts at `from`; a name may be empty.
    pub(super) fn pieced(&self, name: &[u8], value: &[u8], borders: &[Border], from: usize) -> Option<Candidate> {
        let plain = [name, b"=", value].concat();
        let lead = name.len() + 1;
        let whole = Assignment::plain(0..name.len(), lead..plain.len());
        let mut all = Vec::new();
        self.catalogue.formats(&plain, &self.enabled, &mut all);
        self.catalogue.run(&plain, &whole.value, &self.enabled, &mut all);
        if all.is_empty() && naming(name) != Naming::Neutral {
            all.extend(self.generic.judge_variable(&plain, &whole));
        }
        let best = all.into_iter().filter(|found| found.span.start >= lead);
        let best = best.max_by_key(|found| (found.rank, found.span.len()))?;
        let (start, end) = (best.span.start - lead, best.span.end - lead);
        Some(Candidate {
            span: from + unjoined_start(start, borders)..from + unjoined(end, borders),
            ..best
        })
    }

    /// Names and values of tables and sentences.
    pub(super) fn loose(&self, text: &[u8], place: Place, out: &mut Vec<Candidate>) {
        let named = |name: &[u8]| matches!(naming(name), Naming::Password | Naming::Secret);
        let mut judge = |one: &Assignment| out.extend(self.generic.judge(text, one, place));
        if place.table {
            loose::each_row(text, named, &mut judge);
        }
        if place.prose {
            loose::each_sentence(text, named, &mut judge);
        }
    }

    /// The best format in a decoded text.
    fn best_inside(&self, text: &[u8], depth: usize) -> Option<Candidate> {
        let mut all = Vec::new();
        self.catalogue.formats(text, &self.enabled, &mut all);
        if let Some(rule) = &self.mnemonic {
            detectors::each_mnemonic(text, 0..text.len(), &mut |span| {
                all.push(Candidate::of(rule, span, RANK_STRUCTURE));
            });
        }
        for run in runs(text) {
            self.catalogue.run(text, &run, &self.enabled, &mut all);
        }
        self.inner_values(text, &mut all);
        if depth > 1
            && let Some(inner) = plain_text(text)
        {
            all.extend(self.best_inside(&inner, depth - 1));
        }
        all.into_iter()
            .filter(|one| one.confidence > DOUBTFUL && !one.silent)
            .max_by_key(|one| (one.rank, one.severity))
    }

    fn inner_values(&self, text: &[u8], out: &mut Vec<Candidate>) {
        assignment::each(
            text,
            |name| matches!(naming(name), Naming::Password | Naming::Secret),
            |one| out.extend(self.generic.judge(text, one, Place::of(None))),
        );
    }

    /// What a decoded value is, by its format or by the name in front of it.
    fn best_named(&self, name: &[u8], value: Vec<u8>, depth: usize) -> Option<Candidate> {
        let mut value = value;
        for _ in 1..depth {
            match plain_text(&value) {
                Some(inner) if inner.len() >= 6 => value = inner,
                _ => break,
            }
        }
        let line = value.trim_ascii_end();
        let text = [name, b"=", line].concat();
        let whole = Assignment::plain(0..name.len(), name.len() + 1..text.len());
        let mut all = Vec::new();
        self.catalogue.formats(&text, &self.enabled, &mut all);
        if whole.value.len() <= 256 {
            self.catalogue.run(&text, &whole.value, &self.enabled, &mut all);
        }
        if let Some(rule) = &self.mnemonic {
            detectors::each_mnemonic(line, 0..line.len(), &mut |span| {
                all.push(Candidate::of(rule, span, RANK_STRUCTURE));
            });
        }
        self.inner_values(line, &mut all);
        // A format that is wrong keeps a guess from saying otherwise.
        if !all.is_empty() {
            return all
                .into_iter()
                .filter(|one| one.confidence > DOUBTFUL && !one.silent)
                .max_by_key(|one| (one.rank, one.severity));
        }
        self.generic.judge_variable(&text, &whole)
    }
}

/// The runs in a decoded text that may be tokens without a prefix, with the padding behind them.
fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'/' | b'-');
    let mut from = 0;
    std::iter::from_fn(move || {
        while from < text.len() {
            let start = from + text[from..].iter().position(part)?;
            let length = text[start..].iter().take_while(|byte| part(byte)).count();
            let end = start + length;
            let padding = text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
            from = end.max(start + 1);
            if (SHORTEST_RUN..=LONGEST_RUN).contains(&length) {
                return Some(start..end + padding);
            }
        }
        None
    })
}
