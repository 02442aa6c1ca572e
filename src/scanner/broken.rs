//! Tokens that a program writes with escapes, `"\x67hp_…"`, or in pieces, `'gh' + 'p_…'`, so that what they start
//! with does not stand there. What is left of their long part leads to them.

use std::ops::Range;

use super::boundary::is_word;
use super::candidate::Candidate;
use super::engine::Scanner;
use super::pieces::{Border, Joining, goes_on, joined, program_escape, unjoined, unjoined_start, unseen_before};
use super::rule::WINDOW;

/// The start of a token is not longer, so neither is a piece that cuts it.
const LONGEST_PIECE: usize = 24;
/// How far all pieces and escapes before the long part reach.
const REACH: usize = 160;

/// Where the literal starts whose first part stands before a run at `at`: an escape or a joint is directly there.
pub fn literal_start(text: &[u8], at: usize, how: Joining) -> Option<usize> {
    let before = |count: usize| at.checked_sub(count).map(|at| text[at]);
    match before(1)? {
        0x80.. => unseen_before(&text[..at]).map(|length| piece_start(text, at - length)),
        // The letters and digits of an escape are a part of the run.
        b'\\' if matches!(text.get(at), Some(b'x' | b'u')) => within(text, at - 1, how),
        // The end of `\u{67}`.
        b'}' if before(2).is_some_and(|byte| byte.is_ascii_hexdigit()) => within(text, at - 1, how),
        b'}' if before(2).is_some_and(is_quote) => inserted(text, at - 2),
        quote if is_quote(quote) => outer(text, at - 1, how),
        _ => None,
    }
}

const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Where the short piece of a token starts that ends before `at`.
fn piece_start(text: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(LONGEST_PIECE);
    let part = |byte: &&u8| is_word(**byte) || matches!(byte, b'-' | b'.') || !byte.is_ascii();
    at - text[floor..at].iter().rev().take_while(part).count()
}

/// The start of the first literal of `${'g'}${'h'}p_…`, of which the last one closes at `close`.
fn inserted(text: &[u8], close: usize) -> Option<usize> {
    let floor = close.saturating_sub(REACH);
    let (mut close, mut start) = (close, None);
    while close > floor {
        let window = &text[close.saturating_sub(LONGEST_PIECE + 1).max(floor)..close];
        let open = memchr::memrchr(text[close], window).map(|at| close - window.len() + at);
        let Some((open, before)) = open.and_then(|open| Some((open, text[..open].strip_suffix(b"${")?))) else {
            break;
        };
        start = Some(open + 1);
        match before {
            [.., quote, b'}'] if is_quote(*quote) => close = before.len() - 2,
            // What stands before it in the template belongs to it too.
            _ => {
                return Some(piece_start(text, before.len()))
                    .filter(|at| *at < before.len())
                    .or(start);
            }
        }
    }
    start
}

/// The start of the literal in which `at` stands, or of the first one that it is added to.
fn within(text: &[u8], at: usize, how: Joining) -> Option<usize> {
    let window = line_left(text, at);
    let open = at - window.len() + window.iter().rposition(|byte| is_quote(*byte))?;
    Some(outer(text, open, how).unwrap_or(open + 1))
}

/// The start of the first literal that the one which opens at `quote` is added to.
fn outer(text: &[u8], quote: usize, how: Joining) -> Option<usize> {
    let floor = quote.saturating_sub(REACH);
    if text[floor..quote].ends_with(b"${") {
        let piece = line_left(text, quote - 2);
        let open = piece.iter().rposition(|byte| is_quote(*byte))?;
        return (piece.len() - open <= LONGEST_PIECE + 1).then_some(quote - 2 - piece.len() + open + 1);
    }
    let mut start = None;
    let mut open = quote;
    // Each piece of `'g' + 'h' + 'p_…'`, from the last to the first.
    while let Some(close) = joint_before(text, floor, open, how) {
        let window = &text[close.saturating_sub(LONGEST_PIECE + 1).max(floor)..close];
        let Some(inner) = memchr::memrchr(text[close], window) else {
            break;
        };
        open = close - window.len() + inner;
        start = Some(open + 1);
    }
    start
}

/// The quote that closes a piece to which the literal that opens at `open` is added.
fn joint_before(text: &[u8], floor: usize, open: usize, how: Joining) -> Option<usize> {
    let blank = |byte: &&u8| byte.is_ascii_whitespace();
    let left = &text[floor..open];
    let left = &left[..left.len() - left.iter().rev().take_while(blank).count()];
    // Where there is none, a line end or the language joins them.
    let left = left
        .strip_suffix(b"+")
        .or_else(|| left.strip_suffix(b"."))
        .unwrap_or(left);
    let left = &left[..left.len() - left.iter().rev().take_while(blank).count()];
    left.last().filter(|byte| is_quote(**byte))?;
    let close = floor + left.len() - 1;
    goes_on(&text[close..], how).then_some(close)
}

fn line_left(text: &[u8], at: usize) -> &[u8] {
    super::boundary::left_of(text, at, REACH)
}

/// Whether a literal that opens at `quote` starts with an escape that hides a character of a token.
#[inline]
pub fn starts_escaped(text: &[u8], quote: usize) -> bool {
    matches!(text.get(quote + 2), Some(b'x' | b'u'))
        && program_escape(&text[quote + 1..text.len().min(quote + 11)]).is_some()
}

impl Scanner {
    /// What a literal hides whose content starts at `from`; answers how far it was read.
    pub(super) fn broken(&self, text: &[u8], from: usize, how: Joining, out: &mut Vec<Candidate>) -> usize {
        let window = &text[from..text.len().min(from + WINDOW)];
        let Some((plain, borders)) = joined(window, WINDOW, Joining { inserted: true, ..how }) else {
            return from;
        };
        let mut all = Vec::new();
        self.catalogue.formats(&plain, &self.enabled, &mut all);
        // What has no border in it was found before.
        let hidden = |span: &Range<usize>| borders.iter().any(|(at, _)| (span.start..span.end).contains(at));
        all.retain(|one| hidden(&one.span));
        out.extend(all.into_iter().map(|one| Candidate {
            span: from + place(window, one.span.start, &borders)..from + unjoined(one.span.end, &borders),
            ..one
        }));
        from + unjoined(plain.len(), &borders)
    }
}

/// Where a token starts: an escape there is a part of it, a joint is none.
fn place(window: &[u8], start: usize, borders: &[Border]) -> usize {
    let at = unjoined(start, borders);
    if program_escape(&window[at..]).is_some() {
        at
    } else {
        unjoined_start(start, borders)
    }
}
