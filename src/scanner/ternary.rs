//! Values that a condition chooses: `name = condition ? "value" : "other"`.

use std::ops::Range;

use super::assignment::{Assignment, name_before};
use super::boundary;
use super::fallback::literal;

/// How far the name may stand from its value.
const REACH: usize = 160;
/// `name =⏎ condition⏎ ? "value"`.
const LINES_ABOVE: usize = 2;
/// A condition has some comparisons, whose signs are none of an assignment.
const MOST_SIGNS: usize = 8;

/// The name to which the condition is assigned that ends before `end`, on its line or on one of the two above.
pub fn name(text: &[u8], end: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let mut end = end;
    for _ in 0..=LINES_ABOVE {
        let line = boundary::left_of(text, end, REACH);
        let floor = end - line.len();
        if let Some(sign) = sign(text, floor, end) {
            return named(text, sign, wanted);
        }
        // Only a line that starts with `?` goes on from the one above, and only one with a condition alone from that.
        if line.iter().any(|byte| matches!(byte, b';' | b'{' | b'}' | b'?')) {
            return None;
        }
        end = floor.checked_sub(1)?;
    }
    None
}

fn named(text: &[u8], sign: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let name = name_before(text, sign)?;
    wanted(&text[name.clone()]).then_some(name)
}

/// The last sign of an assignment.
fn sign(text: &[u8], floor: usize, end: usize) -> Option<usize> {
    let around = |at: Option<usize>| at.and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    memchr::memrchr2_iter(b'=', b':', &text[floor..end])
        .take(MOST_SIGNS)
        .map(|at| floor + at)
        .find(|at| {
            let (before, after) = (around(at.checked_sub(1)), around(Some(at + 1)));
            !matches!(before, b'=' | b'!' | b'<' | b'>' | b':' | b'?') && !matches!(after, b'=' | b'>' | b':')
        })
}

/// Calls back for the literal behind the `?`, and for the one behind the `:` that follows.
pub fn each(text: &[u8], name: &Range<usize>, value: Range<usize>, found: &mut impl FnMut(&Assignment)) {
    let after = value.end + 1;
    found(&Assignment::plain(name.clone(), value));
    let blanks = |at: usize| {
        let rest = text[at..].iter().take(REACH);
        at + rest.take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    let colon = blanks(after);
    if text.get(colon) == Some(&b':') {
        let open = blanks(colon + 1);
        if let Some(quote @ (b'"' | b'\'' | b'`')) = text.get(open).copied()
            && let Some(value) = literal(text, open, quote)
        {
            found(&Assignment::plain(name.clone(), value));
        }
    }
}

/// Calls back for `condition ? other : "value"`, whose colon stands at `at`.
pub fn at_else(text: &[u8], at: usize, wanted: &impl Fn(&[u8]) -> bool, found: &mut impl FnMut(&Assignment)) {
    let open = at + 1 + usize::from(text.get(at + 1) == Some(&b' '));
    let Some(quote @ (b'"' | b'\'' | b'`')) = text.get(open).copied() else {
        return;
    };
    let window = &text[at.saturating_sub(REACH)..at];
    let Some(question) = memchr::memrchr(b'?', window) else {
        return;
    };
    let question = at - window.len() + question;
    // `a?.b` and `a ?? b` are no conditions; a literal behind it was looked at there.
    if text.get(question + 1) != Some(&b' ')
        || matches!(text.get(question + 2), Some(b'"' | b'\'' | b'`'))
            && literal(text, question + 2, text[question + 2]).is_some()
    {
        return;
    }
    if let Some(value) = literal(text, open, quote)
        && let Some(name) = name(text, question, wanted)
    {
        found(&Assignment::plain(name, value));
    }
}
