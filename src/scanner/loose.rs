//! Names and values without a sign between them, where the kind of file says how they stand: rows of a
//! table, and sentences such as `My API_KEY is …`.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::assignment::Assignment;
use super::boundary;

static IS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" is "));

const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 256;

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Calls back for each row of a table that starts with a wanted name and a value.
pub fn each_row(text: &[u8], wanted: impl Fn(&[u8]) -> bool, mut found: impl FnMut(&Assignment)) {
    let mut start = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let from = start;
        start += line.len() + 1;
        let head = &line[..line.len().min(LONGEST_NAME + 3)];
        let quote = usize::from(head.first() == Some(&b'"'));
        let length = head[quote..].iter().take_while(|byte| is_name(**byte)).count();
        let comma = quote + length + quote;
        let name = from + quote..from + quote + length;
        if length == 0 || !matches!(head.get(comma), Some(b',' | b';' | b'\t')) || !wanted(&text[name.clone()]) {
            continue;
        }
        let rest = &line[comma + 1..];
        let open = usize::from(rest.first() == Some(&b'"'));
        let ends = |byte: &u8| {
            if open == 1 {
                *byte == b'"'
            } else {
                matches!(byte, b',' | b';' | b'\t' | b'\r')
            }
        };
        let length = rest[open..].iter().position(ends).unwrap_or(rest.len() - open);
        let value = from + comma + 1 + open;
        if (1..=LONGEST_VALUE).contains(&length) {
            found(&Assignment::plain(name, value..value + length));
        }
    }
}

/// Calls back for each sentence that says what a wanted name is.
pub fn each_sentence(text: &[u8], wanted: impl Fn(&[u8]) -> bool, mut found: impl FnMut(&Assignment)) {
    for at in IS.find_iter(text) {
        let left = boundary::left_of(text, at, LONGEST_NAME);
        let length = left
            .iter()
            .rev()
            .take_while(|byte| is_name(**byte) || **byte == b'`')
            .count();
        let name = at - length..at;
        if length == 0 || !wanted(&text[name.clone()]) {
            continue;
        }
        let from = at + IS.needle().len();
        let window = &text[from..text.len().min(from + LONGEST_VALUE)];
        let quote = window
            .first()
            .copied()
            .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
        let from = from + usize::from(quote.is_some());
        let window = &window[usize::from(quote.is_some())..];
        let length = window.iter().position(|byte| match quote {
            Some(quote) => *byte == quote,
            None => byte.is_ascii_whitespace(),
        });
        let length = length.unwrap_or(window.len());
        // A point or a comma at the end belongs to the sentence.
        let value = window[..length].trim_ascii_end();
        let stop = value
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'.' | b','))
            .count();
        let length = value.len() - if quote.is_some() { 0 } else { stop };
        let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
        // Words of a sentence have no digits.
        if length > 0 && digits > 0 {
            found(&Assignment::plain(name, from..from + length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_sentences_give_their_name_and_value() {
        for (text, name, value) in [
            ("a,1\nAPI_KEY,x9\r\nb,2", "API_KEY", "x9"),
            ("\"API_KEY\",\"x,9\"\n", "API_KEY", "x,9"),
        ] {
            let mut all = Vec::new();
            each_row(
                text.as_bytes(),
                |name| name == b"API_KEY",
                |one| {
                    all.push((&text[one.name.clone()], &text[one.value.clone()]));
                },
            );
            assert_eq!(all, [(name, value)]);
        }
        for (text, value) in [("My API_KEY is x9.", "x9"), ("the API_KEY is `x 9`, so", "x 9")] {
            let mut all = Vec::new();
            each_sentence(text.as_bytes(), |_| true, |one| all.push(&text[one.value.clone()]));
            assert_eq!(all, [value]);
        }
    }

    #[test]
    fn cut_texts_do_no_harm() {
        for text in ["", ",", "\"", "a,", "\"a\",\"", " is ", "a is ", "a is \"", "a is `b"] {
            each_row(text.as_bytes(), |_| true, |one| assert!(one.value.end <= text.len()));
            each_sentence(text.as_bytes(), |_| true, |one| assert!(one.value.end <= text.len()));
        }
    }
}
