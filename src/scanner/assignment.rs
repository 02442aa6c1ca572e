//! Names and the values that are given to them, in every usual notation:
//! `name = "value"`, `"name": "value"`, `NAME=value`, `name: value`, `name => 'value'`, `<name>value</name>`.

use std::ops::Range;

use super::block;
use super::colour;
use super::fallback;
use super::markup;
use super::reach::Reach;
use super::ternary;
use super::variable;

const LONGEST_NAME: usize = 64;
/// Longer values are data.
const LONGEST_VALUE: usize = 256;

/// A name, a value and how the value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub name: Range<usize>,
    pub value: Range<usize>,
    pub quoted: bool,
    /// Whether the name is the first word of its line, as in a settings file.
    pub leads: bool,
    /// What stands directly before the name in a connection string or a query.
    pub joint: Option<u8>,
    /// The name is one that only command lines know.
    pub shell: bool,
}

impl Assignment {
    /// An assignment whose place says nothing.
    pub const fn plain(name: Range<usize>, value: Range<usize>) -> Self {
        Self {
            name,
            value,
            quoted: true,
            leads: true,
            joint: None,
            shell: false,
        }
    }
}

/// Calls back for each assignment of a text that is no file, such as a decoded one.
pub fn each(text: &[u8], wanted: impl Fn(&[u8]) -> bool, mut found: impl FnMut(&Assignment)) {
    let mut ends = Reach::default();
    for sign in memchr::memchr3_iter(b'=', b':', b'>', text) {
        at(text, sign, &mut ends, &wanted, &mut found);
    }
}

/// Calls back for the assignment whose sign stands at `at`, if there is one. `wanted` sees the name
/// first, so that most values are never looked at.
pub fn at(
    text: &[u8],
    at: usize,
    ends: &mut Reach,
    wanted: &impl Fn(&[u8]) -> bool,
    found: &mut impl FnMut(&Assignment),
) {
    if text[at] == b'>' && text.get(at.wrapping_sub(1)) != Some(&b'=') {
        markup::tag(text, at, wanted, found);
        return;
    }
    // The sign that ends a longer one stands for all of it: `==`, `!=`, `::`, `=>`, `:=`.
    if matches!(text.get(at + 1), Some(b'=' | b'>' | b':'))
        || matches!(text.get(at.wrapping_sub(1)), Some(b'=' | b'!' | b'<')) && text[at] != b'>'
    {
        return;
    }
    let mut end = at;
    while end > 0 && matches!(text[end - 1], b'=' | b':' | b'?' | b'+') && at - end < 2 {
        end -= 1;
    }
    if text[at] == b':' {
        match text.get(at.wrapping_sub(1)) {
            Some(b'?') => fallback::at_elvis(text, at, wanted, found),
            // Keys have no blank there.
            Some(b' ') => ternary::at_else(text, at, wanted, found),
            _ => {}
        }
    }
    let Some(name) = name_before(text, end) else {
        return;
    };
    if let Some((name, value)) = variable::at(text, name.clone(), at).filter(|(name, _)| wanted(&text[name.clone()])) {
        found(&Assignment::plain(name, value));
        return;
    }
    if !wanted(&text[name.clone()]) {
        return;
    }
    if let Some(value) = fallback::substitution(text, name.start, end) {
        found(&Assignment::plain(name, value));
        return;
    }
    let value = value_after(text, at + 1, ends);
    let value = match &value {
        Some((range, false)) if text[at] == b':' && block::opens(&text[range.clone()]) => {
            block::value(text, at + 1, name.start)
        }
        None if text[at] == b':' => block::value(text, at + 1, name.start),
        _ => value,
    };
    if let Some((value, quoted)) = value {
        let leads = leads(text, name.start);
        let joint = name.start.checked_sub(1).map(|before| text[before]);
        let shell = matches!(&text[name.clone()], b"PGPASSWORD" | b"MYSQL_PWD" | b"SSHPASS");
        found(&Assignment {
            name,
            value,
            quoted,
            leads,
            joint,
            shell,
        });
    }
}

/// The name that ends before `end`, without blanks, quotes and a closing bracket.
pub fn name_before(text: &[u8], end: usize) -> Option<Range<usize>> {
    let floor = end.saturating_sub(LONGEST_NAME + 8);
    let mut stop = end;
    while let Some(start) = colour::start(text, stop) {
        stop = start;
    }
    while stop > floor && matches!(text[stop - 1], b' ' | b'\t' | b'"' | b'\'' | b'`' | b']' | b'\\') {
        stop -= 1;
    }
    // `password: string = "…"` and `let password: &str = "…"`: a type stands between.
    let start = word_start(text, floor, stop);
    let start = match start.checked_sub(1) {
        Some(bracket) if text[bracket] == b'[' => colour::end(text, bracket).filter(|end| *end < stop).unwrap_or(start),
        _ => start,
    };
    if start >= stop {
        return None;
    }
    let mut before = start;
    while before > floor && matches!(text[before - 1], b' ' | b'&' | b'*') {
        before -= 1;
    }
    if before > floor
        && text[before - 1] == b':'
        && text
            .get(before.wrapping_sub(2))
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'?'))
        && text[end] != b':'
    {
        let outer_stop = before - 1 - usize::from(text[before - 2] == b'?');
        let outer = word_start(text, floor, outer_stop);
        if outer < outer_stop {
            return Some(outer..outer_stop);
        }
    }
    Some(start..stop)
}

/// Where the name starts that ends before `stop`, not before `floor`.
pub fn word_start(text: &[u8], floor: usize, stop: usize) -> usize {
    let length = text[floor..stop]
        .iter()
        .rev()
        .take_while(|byte| super::boundary::is_name(**byte))
        .count();
    stop - length
}

/// The value that starts after `from`, and whether quotes stand around it.
fn value_after(text: &[u8], from: usize, ends: &mut Reach) -> Option<(Range<usize>, bool)> {
    let limit = text.len().min(from + LONGEST_VALUE);
    let mut at = from;
    while at < limit && matches!(text[at], b' ' | b'\t') {
        at += 1;
    }
    while text.get(at) == Some(&colour::ESCAPE) {
        at = colour::end(text, at + 1)?;
    }
    // Prefixes of string literals: `b"…"`, `r'…'`, `f"…"`, `@"…"`, and an escaped quote in JSON.
    if at + 1 < limit
        && matches!(text[at], b'b' | b'r' | b'f' | b'u' | b'@' | b'\\')
        && matches!(text[at + 1], b'"' | b'\'')
    {
        at += 1;
    }
    let first = *text.get(at)?;
    if matches!(first, b'"' | b'\'' | b'`') {
        // Three quotes open one string.
        if text[at..limit].starts_with(&[first; 3]) {
            at += 2;
        }
        let start = at + 1;
        let mut end = start;
        while end < limit && text[end] != first && text[end] != b'\n' {
            end += if text[end] == b'\\' && text.get(end + 1) != Some(&first) && end + 1 < limit {
                2
            } else {
                1
            };
        }
        let end = end.min(limit);
        let closed = text.get(end) == Some(&first);
        // The closing quote of a value inside of a quoted text is escaped itself.
        let stop = if end > start && text[end - 1] == b'\\' {
            end - 1
        } else {
            end
        };
        return (closed && stop > start).then_some((start..stop, true));
    }
    let stops = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b';' | b',' | b'&' | b'<' | b'\0' | b'\\' | colour::ESCAPE
            )
    };
    let length = ends.end(text, at, limit, stops) - at;
    if at + length == limit && limit < text.len() {
        return None;
    }
    let value = at..at + length;
    // An inner `=` starts another assignment; at the end it is padding.
    let inner = text[value.clone()].iter().position(|byte| *byte == b'=');
    let value = match inner {
        Some(place) if text[at + place..value.end].iter().any(|byte| *byte != b'=') => at..at + place,
        _ => value,
    };
    (!value.is_empty()).then_some((value, false))
}

fn leads(text: &[u8], name: usize) -> bool {
    let left = super::boundary::left_of(text, name, 16);
    let left = left.trim_ascii();
    let first = name <= 16 || left.len() < 16;
    first
        && (left.is_empty()
            || matches!(
                left,
                b"export" | b"-" | b"set" | b"ENV" | b"ARG" | b"\"" | b"'" | b"#" | b"//" | b"+" | b"- name"
            ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String, bool)> {
        let mut all = Vec::new();
        each(
            text.as_bytes(),
            |_| true,
            |one| {
                all.push((
                    text[one.name.clone()].to_owned(),
                    text[one.value.clone()].to_owned(),
                    one.quoted,
                ));
            },
        );
        all
    }

    #[test]
    fn every_usual_notation_gives_its_name_and_value() {
        for (text, name, value, quoted) in [
            ("password = \"abc\"", "password", "abc", true),
            ("\"password\": \"abc\",", "password", "abc", true),
            ("PASSWORD=abc", "PASSWORD", "abc", false),
            ("export PASSWORD='abc'", "PASSWORD", "abc", true),
            ("password: abc", "password", "abc", false),
            ("password => 'abc'", "password", "abc", true),
            ("password := `abc`", "password", "abc", true),
            ("password = \"\"\"abc\"\"\"", "password", "abc", true),
            ("config['password'] = 'abc'", "password", "abc", true),
            ("<password>abc</password>", "password", "abc", true),
            ("const password: string = 'abc'", "password", "abc", true),
            ("let password: &str = \"abc\";", "password", "abc", true),
            ("Server=x;Password=abc;Port=1", "Password", "abc", false),
            ("{\\\"password\\\":\\\"abc\\\"}", "password", "abc", true),
            ("key=YWJjZA==", "key", "YWJjZA==", false),
            ("spring.password=abc", "spring.password", "abc", false),
        ] {
            let all = found(text);
            assert!(all.contains(&(name.into(), value.into(), quoted)), "{text}: {all:?}");
        }
    }

    #[test]
    fn comparisons_are_no_assignments() {
        assert!(found("if (password == 'abc')").is_empty());
        assert!(found("if (password !== 'abc')").is_empty());
    }
}
