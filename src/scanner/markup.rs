//! Names and values in HTML and XML, and names that stand beside a value that is only called one.

use std::ops::Range;

use super::assignment::{Assignment, word_start};
use super::names::known;
use super::naming::Naming;

const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 256;
/// How far the parts of one element may be apart.
const REACH: usize = 256;
/// Attributes that say what the value of an element is.
const LABELS: [&[u8]; 6] = [b"name", b"key", b"variable", b"id", b"type", b"autocomplete"];
/// Elements that say it in the element before: `<key>name</key><string>value</string>`.
const SIBLINGS: [&[u8]; 2] = [b"key", b"name"];

/// `<password>value</password>`, `<string name="password">value</string>` and
/// `<key>password</key><string>value</string>`, whose first `>` stands at `at`.
pub fn tag(text: &[u8], at: usize, wanted: &impl Fn(&[u8]) -> bool, found: &mut impl FnMut(&Assignment)) {
    let Some(element) = element(text, at) else {
        return;
    };
    let Some(name) = tag_name(text, &element, at, wanted) else {
        return;
    };
    let mut start = at + 1;
    if text[start..].starts_with(b"<![CDATA[") {
        start += b"<![CDATA[".len();
    }
    let limit = text.len().min(start + LONGEST_VALUE);
    let stop = if start > at + 1 { b']' } else { b'<' };
    let Some(length) = memchr::memchr2(stop, b'\n', &text[start..limit]) else {
        return;
    };
    let closing = &text[start + length..];
    let closing = closing.strip_prefix(b"]]>".as_slice()).unwrap_or(closing);
    let closing = closing
        .strip_prefix(b"</".as_slice())
        .or_else(|| closing.strip_prefix(b"<\\/".as_slice()));
    // `<user>:<password>@host` are places to fill in, not tags.
    if length > 0 && closing.is_some_and(|closing| closing.starts_with(&text[element])) {
        found(&Assignment::plain(name, start..start + length));
    }
}

/// The name of the element whose opening ends before `at`.
fn element(text: &[u8], at: usize) -> Option<Range<usize>> {
    let last = *text.get(at.checked_sub(1)?)?;
    let start = if matches!(last, b'"' | b'\'') {
        let window = &text[at.saturating_sub(REACH)..at];
        at - window.len() + memchr::memrchr2(b'<', b'\n', window)?
    } else {
        word_start(text, at.saturating_sub(LONGEST_NAME), at).checked_sub(1)?
    };
    let length = text[start + 1..at]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    (text[start] == b'<' && length > 0).then_some(start + 1..start + 1 + length)
}

/// Names that say more than that of the element come first.
fn tag_name(text: &[u8], element: &Range<usize>, at: usize, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let own = (element.end == at && wanted(&text[element.clone()])).then(|| element.clone());
    if own.as_ref().is_some_and(|own| says(&text[own.clone()])) {
        return own;
    }
    let wanted = |name: &[u8]| says(name) && wanted(name);
    let other = if element.end < at {
        labelled(text, element.end..at, &wanted)
    } else {
        sibling(text, element.start - 1).filter(|name| wanted(&text[name.clone()]))
    };
    other.or(own)
}

/// Whether a name says that its value is a secret.
fn says(name: &[u8]) -> bool {
    matches!(known(name), Naming::Password | Naming::Secret)
}

/// The name in the element that closes before the one that opens at `open`.
fn sibling(text: &[u8], open: usize) -> Option<Range<usize>> {
    let window = &text[open.saturating_sub(REACH)..open];
    let floor = open - window.len();
    let before = window.trim_ascii_end().strip_suffix(b">")?;
    SIBLINGS.iter().find_map(|label| {
        let close = before.strip_suffix(*label)?.strip_suffix(b"</")?.len();
        let start = word_start(text, floor, floor + close);
        let opening = text[..start].strip_suffix(b">")?.strip_suffix(*label)?;
        opening.ends_with(b"<").then_some(start..floor + close)
    })
}

/// The name that stands beside `value` in `name: A, value: b`, `key="A" value="b"` and
/// `<input value="b" type="password">`.
pub fn named_beside(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    if ![b"value".as_slice(), b"default"]
        .iter()
        .any(|known| text[name.clone()].eq_ignore_ascii_case(known))
    {
        return None;
    }
    let direct = directly_before(text, name);
    if direct.as_ref().is_some_and(|direct| says(&text[direct.clone()])) {
        return direct;
    }
    in_element(text, name).or(direct)
}

/// What another attribute of the same element says.
fn in_element(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let window = &text[name.start.saturating_sub(REACH)..name.start];
    let open = name.start - window.len() + memchr::memrchr2(b'<', b'>', window)?;
    if text[open] != b'<' {
        return None;
    }
    let window = &text[name.end..text.len().min(name.end + 2 * REACH)];
    let close = name.end + memchr::memchr2(b'>', b'<', window).unwrap_or(window.len());
    labelled(text, open..name.start, &says).or_else(|| labelled(text, name.end..close, &says))
}

/// The value of an attribute that says what the element is, where it is wanted.
fn labelled(text: &[u8], inside: Range<usize>, wanted: &impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    memchr::memchr_iter(b'=', &text[inside.clone()]).find_map(|sign| {
        let sign = inside.start + sign;
        let label = &text[word_start(text, inside.start, sign)..sign];
        let quote = *text.get(sign + 1).filter(|byte| matches!(byte, b'"' | b'\''))?;
        let length = memchr::memchr(quote, &text[sign + 2..inside.end.max(sign + 2)])?;
        let value = sign + 2..sign + 2 + length;
        let known = LABELS.iter().any(|known| label.eq_ignore_ascii_case(known));
        // `type` and `autocomplete` say other things than names.
        let typed = matches!(label.len(), 4 | 12) && !label.eq_ignore_ascii_case(b"name");
        let password = text[value.clone()].ends_with(b"password");
        (known && (!typed || password) && length <= LONGEST_NAME && wanted(&text[value.clone()])).then_some(value)
    })
}

fn directly_before(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let floor = name.start.saturating_sub(160);
    let blank = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b'\\' | b'{');
    let sign = |byte: u8| blank(byte) || matches!(byte, b':' | b'=');
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let back = |from: usize, fits: &dyn Fn(u8) -> bool| {
        from - text[floor..from].iter().rev().take_while(|byte| fits(**byte)).count()
    };
    let end = back(name.start, &blank);
    let start = back(end, &word);
    let label_end = back(start, &sign);
    let label = &text[back(label_end, &word)..label_end];
    let known = LABELS[..3].iter().any(|known| label.eq_ignore_ascii_case(known));
    (known && start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::super::assignment::each;
    use super::*;

    #[test]
    fn elements_give_their_name_and_value() {
        for (text, name, value) in [
            ("<password>abc</password>", "password", "abc"),
            ("<string name=\"password\">abc</string>", "password", "abc"),
            ("<entry key='password'>abc</entry>", "password", "abc"),
            ("<key>password</key>\n\t<string>abc</string>", "password", "abc"),
            ("<name>password</name><value>abc</value>", "password", "abc"),
            ("<password><![CDATA[abc]]></password>", "password", "abc"),
        ] {
            let mut all = Vec::new();
            let wanted = |name: &[u8]| name.ends_with(b"password");
            each(text.as_bytes(), wanted, |one| {
                all.push((&text[one.name.clone()], &text[one.value.clone()]));
            });
            assert!(all.contains(&(name, value)), "{text}: {all:?}");
        }
    }

    #[test]
    fn an_element_says_what_its_value_is_in_any_order_of_its_attributes() {
        for (text, name) in [
            ("<input type=\"password\" value=\"abc\">", Some("password")),
            ("<input value='abc' class='x' type='password'>", Some("password")),
            (
                "<input id=\"db_password\" class=\"x\" value=\"abc\">",
                Some("db_password"),
            ),
            ("<add key=\"ApiKey\" value=\"abc\" />", Some("ApiKey")),
            ("{name: 'API_KEY', value: 'abc'}", Some("API_KEY")),
            ("<input type=\"text\" value=\"abc\">", None),
            ("<input type=\"token\" value=\"abc\">", None),
            ("<input type=\"password\"><input value=\"abc\">", None),
            ("<input value=\"abc\"><input type=\"password\">", None),
            ("value=\"abc\"", None),
        ] {
            let at = text.find("value").unwrap();
            let beside = named_beside(text.as_bytes(), &(at..at + 5));
            assert_eq!(beside.map(|range| &text[range]), name, "{text}");
        }
    }
}
