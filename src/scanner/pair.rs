//! Names and values that stand beside each other without a sign between them:
//! `set('name', 'value')`, `--name value`, `ENV NAME value`, `#define NAME value`.

use std::ops::Range;

use super::assignment::{Assignment, word_start};
use super::fallback::{assigned, may_name};

const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 256;
/// What stands before a name that its value follows after a blank.
pub const SIGNS: [&[u8]; 4] = [b"--", b"ENV ", b"ARG ", b"#define "];

/// Ends of the calls that ask for a variable and answer their second argument where there is none.
const ASKING: [&[u8]; 6] = [
    b"env",
    b"Env",
    b"environ.get",
    b"ENV.fetch",
    b"getProperty",
    b"getOrDefault",
];

/// Calls back for the pair whose joint, from quote to quote, stands at `at`.
pub fn at_joint(text: &[u8], at: usize, wanted: &impl Fn(&[u8]) -> bool, found: &mut impl FnMut(&Assignment)) {
    let quote = text[at];
    if !matches!(quote, b'"' | b'\'') {
        return;
    }
    let start = match text.get(at + 1..) {
        Some([b',', b' ', next, ..]) if *next == quote => at + 4,
        // Lists of words are written like this, so the name must look like one.
        Some([b',', next, ..]) if *next == quote && may_name(&text[..at]) => at + 3,
        _ => return,
    };
    let name = at - name_length(text[..at].iter().rev())..at;
    let opens = name.start.checked_sub(1).is_some_and(|before| text[before] == quote);
    let name = if !opens || wanted(&text[name.clone()]) {
        Some(name)
    } else {
        asked(text, name.start - 1).and_then(|call| assigned(text, call, wanted))
    };
    if opens && let Some(name) = name {
        let window = &text[start..text.len().min(start + LONGEST_VALUE)];
        if let Some(length) = memchr::memchr2(quote, b'\n', window)
            && window[length] == quote
        {
            found(&Assignment {
                leads: false,
                joint: Some(b','),
                ..Assignment::plain(name, start..start + length)
            });
        }
    }
}

/// Where the call starts that asks for a variable, `os.getenv(`, whose argument starts at `quote`.
fn asked(text: &[u8], quote: usize) -> Option<usize> {
    let left = text[..quote].strip_suffix(b"(")?;
    let start = word_start(text, left.len().saturating_sub(LONGEST_NAME), left.len());
    let call = &left[start..];
    ASKING.iter().any(|end| call.ends_with(end)).then_some(start)
}

/// Calls back for the pair whose name starts with one of the signs at `at`.
pub fn at_sign(text: &[u8], at: usize, wanted: &impl Fn(&[u8]) -> bool, found: &mut impl FnMut(&Assignment)) {
    let rest = &text[at..];
    let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(sign)) else {
        return;
    };
    let start = at + sign.len();
    let before = at.checked_sub(1).map_or(b'\n', |index| text[index]);
    let name = start..start + name_length(text[start..].iter());
    if before.is_ascii_whitespace() && text.get(name.end) == Some(&b' ') && wanted(&text[name.clone()]) {
        let value = word(text, name.end + 1);
        found(&Assignment::plain(name, value));
    }
}

fn name_length<'a>(bytes: impl Iterator<Item = &'a u8>) -> usize {
    bytes
        .take(LONGEST_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count()
}

/// The word at `from`, without quotes around it.
fn word(text: &[u8], from: usize) -> Range<usize> {
    let start = from + usize::from(matches!(text.get(from), Some(b'"' | b'\'')));
    let window = &text[start.min(text.len())..text.len().min(start + LONGEST_VALUE)];
    let length = window
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\' | b';'));
    let length = length.unwrap_or(window.len());
    start..start + if length == LONGEST_VALUE { 0 } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(text: &[u8], wanted: impl Fn(&[u8]) -> bool, mut found: impl FnMut(&Assignment)) {
        for at in 0..text.len() {
            at_joint(text, at, &wanted, &mut found);
            at_sign(text, at, &wanted, &mut found);
        }
    }

    #[test]
    fn names_and_values_beside_each_other_are_pairs() {
        for (text, name, value) in [
            ("set('api_key', 'abc')", "api_key", "abc"),
            ("set(\"api_key\", \"abc\")", "api_key", "abc"),
            ("deploy --token abc --env prod", "token", "abc"),
            ("deploy --token 'abc'", "token", "abc"),
            ("FROM x\nENV API_TOKEN abc\n", "API_TOKEN", "abc"),
        ] {
            let mut all = Vec::new();
            each(
                text.as_bytes(),
                |_| true,
                |one| all.push((&text[one.name.clone()], &text[one.value.clone()])),
            );
            assert!(all.contains(&(name, value)), "{text}: {all:?}");
        }
    }

    #[test]
    fn a_sign_at_the_end_does_no_harm() {
        for text in [
            "--", " --", " --a ", " --a '", "', '", "x', '", "'x', 'y", "ENV ", "ENV a ",
        ] {
            each(
                text.as_bytes(),
                |_| true,
                |one| assert!(one.value.end <= text.len(), "{text}"),
            );
        }
    }
}
