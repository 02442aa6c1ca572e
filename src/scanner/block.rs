//! Values of YAML that stand on the line after their name: `password: >-⏎  value` and `password:⏎  value`.

use std::ops::Range;

const LONGEST_VALUE: usize = 256;

/// Whether what stands behind a colon says that the value follows on the next line.
pub fn opens(value: &[u8]) -> bool {
    matches!(value, [b'|' | b'>', rest @ ..] if rest.len() < 3 && rest.iter().all(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9')))
}

/// The one line after `from` that is the value of the name at `name`, and whether it has quotes.
pub fn value(text: &[u8], from: usize, name: usize) -> Option<(Range<usize>, bool)> {
    let rest = &text[from..text.len().min(from + LONGEST_VALUE)];
    let first = memchr::memchr(b'\n', rest)?;
    let indicator = rest[..first].trim_ascii();
    if !(indicator.is_empty() || opens(indicator)) {
        return None;
    }
    let key = super::boundary::left_of(text, name, 64);
    let depth = key.iter().take_while(|byte| matches!(byte, b' ' | b'-')).count();
    let start = from + first + 1;
    let line = line_at(text, start)?;
    let value = line.trim_ascii();
    let lead = line.len() - line.trim_ascii_start().len();
    // A second line, unless it is another name's, makes it a text.
    let next = line_at(text, start + line.len() + 1).unwrap_or(b"");
    let deeper = next.len() - next.trim_ascii_start().len();
    if lead <= depth || value.is_empty() || deeper > depth && !next.trim_ascii().is_empty() {
        return None;
    }
    let quote = value[0];
    if matches!(quote, b'"' | b'\'') {
        let inner = value.strip_prefix(&[quote])?.strip_suffix(&[quote])?;
        return (!inner.is_empty()).then(|| (start + lead + 1..start + lead + 1 + inner.len(), true));
    }
    // A list, a comment and an inner name are no values.
    let inner = value.starts_with(b"- ") || value[0] == b'#' || value.ends_with(b":");
    let named = memchr::memmem::find(value, b": ").is_some();
    (!inner && !named).then(|| (start + lead..start + lead + value.len(), false))
}

/// The line that starts at `at`, where it is short enough for a value.
fn line_at(text: &[u8], at: usize) -> Option<&[u8]> {
    let window = text.get(at..text.len().min(at + LONGEST_VALUE + 64))?;
    match memchr::memchr(b'\n', window) {
        Some(length) => Some(&window[..length]),
        None if at + window.len() == text.len() => Some(window),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(&str, bool)> {
        let name = text.find("key")?;
        let (range, quoted) = value(text.as_bytes(), name + "key:".len(), name)?;
        Some((&text[range], quoted))
    }

    #[test]
    fn the_line_below_is_the_value_of_its_name() {
        for (text, expected) in [
            ("key: >-\n  abc\n", ("abc", false)),
            ("key: |\r\n  abc\r\nb: c", ("abc", false)),
            ("a:\n  - key: |2-\n      abc\n  - b: c", ("abc", false)),
            ("key:\n  'abc'", ("abc", true)),
            ("  key:\n    abc\n  b: c", ("abc", false)),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "key: >-\nabc\n",
            "key: |\n  abc\n  def\n",
            "key:\n  b: c\n",
            "key:\n  b:\n",
            "key:\n  - abc\n",
            "key:\n",
            "key:",
            "key: x\n  abc\n",
            "  key:\n  abc\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
