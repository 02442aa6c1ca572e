//! Values that no sign assigns to their name: what a variable is where it is not set, `env.NAME || 'value'`,
//! what a call is given, `setPassword("value")`, and what stands behind its name, `PASSWORD 'value'`.

use std::ops::Range;

use super::assignment::{Assignment, name_before, word_start};
use super::boundary;
use super::brief::SHORTEST as SHORTEST_VALUE;
use super::sweep::Kinds;
use super::ternary;

const LONGEST_VALUE: usize = 256;
/// How far a name may stand from its value.
const REACH: usize = 160;
/// Calls that answer their argument where there is nothing else.
const DEFAULTS: [&[u8]; 9] = [
    b"unwrap_or",
    b"unwrap_or_else",
    b"value_or",
    b"or",
    b"orElse",
    b"orElseGet",
    b"getOrElse",
    b"ifBlank",
    b"ifEmpty",
];
/// What such a call is given names a secret, and is none.
const QUESTIONS: [&[u8]; 12] = [
    b"get", b"fetch", b"find", b"read", b"load", b"lookup", b"resolve", b"is", b"has", b"ask", b"prompt", b"delete",
];

/// Quotes before which an operator, a bracket or a word may stand, at most a blank between them; `before` are the
/// last two bits of the block before.
#[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
#[inline(always)]
pub const fn places(kinds: &Kinds, before: &mut u64) -> u64 {
    let joint = kinds.quote | kinds.blank | kinds.comma | kinds.sign;
    // No joint, and behind it no joint and no word, or a blank.
    let second = !(joint | kinds.token) | kinds.blank;
    let places = kinds.quote & (second << 1 | *before >> 2) & (!joint << 2 | *before & 3);
    *before = !joint >> 62 | second >> 63 << 2;
    places
}

/// Whether one of the values of this file may stand in the quotes that open at `open`: a few bytes tell it nearly
/// everywhere.
#[inline]
pub fn may_stand(text: &[u8], open: usize) -> bool {
    let before = |count: usize| open.checked_sub(count).map_or(b' ', |at| text[at]);
    let [third, second, last] = [before(3), before(2), before(1)];
    let named = |second: u8, last: u8| NAME_ENDS[usize::from(last)] >> (second & 31) & 1 == 1;
    match (second, last) {
        (_, b'|') | (b'?', b'?') | (b')', b'{') | (b'|' | b'(' | b'?', b' ') => true,
        (b'{', b' ') => matches!(third, b')' | b' ' | b'\t'),
        (_, b'(') => text.get(open + 1) == Some(&b'$') || named(third, second),
        (_, b' ') => named(third, second),
        _ => false,
    }
}

/// Calls back for the value whose quote stands at `open`.
pub fn at(text: &[u8], open: usize, wanted: &impl Fn(&[u8]) -> bool, found: &mut impl FnMut(&Assignment)) {
    let (Some(quote @ (b'"' | b'\'' | b'`')), Some(before)) = (text.get(open).copied(), open.checked_sub(1)) else {
        return;
    };
    let stop = open - usize::from(text[before] == b' ');
    let Some(last) = stop.checked_sub(1).map(|at| text[at]) else {
        return;
    };
    let substituted = last == b'(' && text.get(open + 1) == Some(&b'$');
    if !(matches!(last, b'|' | b'?' | b'{') || substituted || may_name(&text[..stop - usize::from(last == b'(')])) {
        return;
    }
    let Some(value) = literal(text, open, quote) else {
        return;
    };
    if substituted {
        each_substitution(text, &value, wanted, found);
        return;
    }
    let before = |count: usize| stop.checked_sub(count).map_or(b' ', |at| text[at]);
    let (name, call) = match last {
        b'|' if before(2) == b'|' && before(3) == b'(' => (default_of(text, stop - 3, wanted), false),
        b'|' | b'?' if before(2) == last => (subject(text, stop - 2, wanted), false),
        b'?' => {
            if let Some(name) = ternary::name(text, stop - 1, wanted) {
                ternary::each(text, &name, value, found);
            }
            return;
        }
        b'|' => (
            closure(text, stop - 1).and_then(|open| default_of(text, open, wanted)),
            false,
        ),
        b'{' => (block(text, stop - 1, wanted), false),
        b'(' => match default_of(text, stop - 1, wanted) {
            Some(name) => (Some(name), false),
            None => (called(text, stop - 1, wanted), true),
        },
        _ => match text[..stop].strip_suffix(b" or") {
            Some(left) => (subject(text, left.len(), wanted), false),
            None if text[..stop].ends_with(b" else") => (ternary::name(text, stop - 5, wanted), false),
            None if text[..stop].ends_with(b"default") => {
                let pipe = filtered(text, stop - b"default".len());
                (pipe.and_then(|pipe| subject(text, pipe, wanted)), false)
            }
            None if quote == b'`' => (None, true),
            None => (word(text, stop, wanted), true),
        },
    };
    if let Some(name) = name {
        let mut one = Assignment::plain(name, value);
        if call {
            // What a function is called with is often an example.
            (one.leads, one.joint) = (false, Some(b','));
        }
        found(&one);
    }
}

/// Calls back for `NAME ?: "value"`, whose last sign stands at `at`.
pub fn at_elvis(text: &[u8], at: usize, wanted: &impl Fn(&[u8]) -> bool, found: &mut impl FnMut(&Assignment)) {
    let open = at + 1 + usize::from(text.get(at + 1) == Some(&b' '));
    if let Some(quote @ (b'"' | b'\'')) = text.get(open).copied()
        && let Some(value) = literal(text, open, quote)
        && let Some(name) = subject(text, at - 1, wanted)
    {
        found(&Assignment::plain(name, value));
    }
}

/// For the last byte of a name of a secret, or of a call of `DEFAULTS`, a bit for each byte before it, whatever its
/// case: most words do not end as they do.
const NAME_ENDS: [u32; 256] = {
    let mut ends = [0; 256];
    let all = [
        b"rd", b"wd", b"ey", b"et", b"en", b"se", b"ss", b"th", b"ty", b"nk", b"or", b"by", b"lt",
    ];
    let mut index = 0;
    while index < all.len() {
        let [second, last] = *all[index];
        ends[last as usize] |= 1 << (second & 31);
        ends[last.to_ascii_uppercase() as usize] = ends[last as usize];
        index += 1;
    }
    ends
};

/// Whether a name of a secret, or a call of `DEFAULTS`, may end here.
#[inline]
pub fn may_name(text: &[u8]) -> bool {
    let Some(ending) = text.last_chunk::<3>() else {
        return false;
    };
    let [third, second, last] = ending.map(|byte| byte.to_ascii_lowercase());
    second.is_ascii_lowercase()
        && NAME_ENDS[usize::from(last)] >> (second & 31) & 1 == 1
        && match last {
            b'r' => matches!(third, b'_' | b' ' | b'.'),
            b'y' => second != b'b' || third == b' ',
            b't' => second != b'l' || third == b'u',
            _ => true,
        }
}

/// The value between the quotes, of which the first stands at `open`.
pub fn literal(text: &[u8], open: usize, quote: u8) -> Option<Range<usize>> {
    let start = open + 1;
    let window = text.get(start..text.len().min(start + LONGEST_VALUE))?;
    let length = memchr::memchr2(quote, b'\n', window)?;
    (length >= SHORTEST_VALUE && window[length] == quote).then_some(start..start + length)
}

/// The name of what `end` follows: the last word, or what all of it is assigned to.
fn subject(text: &[u8], end: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let line = boundary::left_of(text, end, REACH);
    let floor = end - line.len();
    let between = |byte: &&u8| matches!(byte, b' ' | b')' | b']' | b'"' | b'\'' | b'!' | b'`');
    let stop = end - line.iter().rev().take_while(between).count();
    let start = word_start(text, floor, stop);
    if start < stop && wanted(&text[start..stop]) {
        return Some(start..stop);
    }
    assigned(text, stop, wanted)
}

/// The name that what stands before `end` is assigned to on the same line.
pub fn assigned(text: &[u8], end: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let line = boundary::left_of(text, end, REACH);
    let floor = end - line.len();
    let sign = memchr::memrchr2(b'=', b':', line)?;
    let around = |at: Option<usize>| at.and_then(|at| line.get(at)).copied().unwrap_or(b' ');
    let (before, after) = (around(sign.checked_sub(1)), around(Some(sign + 1)));
    if matches!(before, b'=' | b'!' | b'<' | b'>' | b':' | b'?') && !(before == b':' && line[sign] == b'=')
        || matches!(after, b'=' | b'>' | b':')
    {
        return None;
    }
    let name = name_before(text, floor + sign - usize::from(before == b':'))?;
    wanted(&text[name.clone()]).then_some(name)
}

/// What a call of `DEFAULTS` is made on, whose bracket stands at `open`.
fn default_of(text: &[u8], open: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let start = word_start(text, open.saturating_sub(24), open);
    let call = text[start..open].rsplit(|byte| *byte == b'.').next()?;
    let left = (open - call.len()).checked_sub(1)?;
    // A filter of a template: `{{ password | default('value') }}`.
    if call == b"default" {
        return filtered(text, left + 1).and_then(|pipe| subject(text, pipe, wanted));
    }
    (text[left] == b'.' && DEFAULTS.contains(&call))
        .then(|| subject(text, left, wanted))
        .flatten()
}

/// The `|` of a template's filter that starts at `start`.
fn filtered(text: &[u8], start: usize) -> Option<usize> {
    let left = boundary::left_of(text, start, 4);
    let blanks = left.iter().rev().take_while(|byte| **byte == b' ').count();
    let pipe = start.checked_sub(blanks + 1)?;
    (text[pipe] == b'|').then_some(pipe)
}

/// The bracket before a closure `|_| …` whose last line stands at `end`.
fn closure(text: &[u8], end: usize) -> Option<usize> {
    let window = boundary::left_of(text, end, 16);
    let start = end - window.len() + memchr::memrchr(b'|', window)?;
    start.checked_sub(1).filter(|before| text[*before] == b'(')
}

/// `ENV.fetch("NAME") { "value" }`, whose brace stands at `brace`.
fn block(text: &[u8], brace: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let line = boundary::left_of(text, brace, REACH);
    (line.trim_ascii_end().ends_with(b")") && memchr::memmem::find(line, b".fetch(").is_some())
        .then(|| subject(text, brace, wanted))
        .flatten()
}

/// The name of a call that is given a secret, whose bracket stands at `open`.
fn called(text: &[u8], open: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let start = word_start(text, open.saturating_sub(64), open);
    let name = text[start..open].rsplit(|byte| *byte == b'.').next()?;
    let verb = |verb: &&[u8]| {
        name.get(..verb.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(verb))
            && name.get(verb.len()).is_none_or(|next| !next.is_ascii_lowercase())
    };
    (!QUESTIONS.iter().any(verb) && wanted(name)).then_some(open - name.len()..open)
}

/// `PASSWORD 'value'` and `IDENTIFIED BY 'value'`, whose name ends at `stop`.
fn word(text: &[u8], stop: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let start = word_start(text, stop.saturating_sub(64), stop);
    let start = if text[start..stop].eq_ignore_ascii_case(b"by") {
        word_start(text, stop.saturating_sub(64), start.checked_sub(1)?)
    } else {
        start
    };
    // `Pass "x"` is a verb.
    (!text[start..stop].eq_ignore_ascii_case(b"pass") && wanted(&text[start..stop])).then_some(start..stop)
}

/// Calls back for each `${NAME:value}` of a literal.
fn each_substitution(
    text: &[u8],
    value: &Range<usize>,
    wanted: &impl Fn(&[u8]) -> bool,
    found: &mut impl FnMut(&Assignment),
) {
    for at in memchr::memchr_iter(b':', &text[value.clone()]) {
        let at = value.start + at;
        let start = word_start(text, value.start, at);
        if let Some(inner) = substitution(text, start, at)
            && wanted(&text[start..at])
        {
            found(&Assignment::plain(start..at, inner));
        }
    }
}

/// What `${NAME:value}`, `${NAME:-value}`, `${NAME:=value}`, `${env:NAME:value}`, `%(NAME:value)s` and
/// `%(ENV:NAME:value)s` are where the name is not set; it starts at `name`, and its first sign stands at `sign`.
pub fn substitution(text: &[u8], name: usize, sign: usize) -> Option<Range<usize>> {
    let left = &text[..name];
    let left = match left {
        [start @ .., b'e', b'n', b'v', b':'] | [start @ .., b'E', b'N', b'V', b':'] => start,
        _ => left,
    };
    let close = match left {
        [.., b'$', b'{'] => b'}',
        [.., b'%', b'('] => b')',
        _ => return None,
    };
    let start = sign + 1 + usize::from(matches!(text.get(sign + 1), Some(b'-' | b'=')));
    let window = text.get(start..text.len().min(start + LONGEST_VALUE))?;
    let length = memchr::memchr2(close, b'\n', window)?;
    (window[length] == close && length >= SHORTEST_VALUE).then_some(start..start + length)
}
