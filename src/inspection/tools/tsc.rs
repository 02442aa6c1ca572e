//! `tsc --pretty false`: `file(line,column): error TS1: text`, and indented lines that go on.

use super::{MAX_DIAGNOSTICS, MAX_MESSAGE, keep};
use crate::diagnostic::Diagnostic;

/// The errors in what the compiler printed.
pub fn parse_tsc(text: &str) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for line in text.lines() {
        if line.starts_with(' ') {
            if let Some(last) = diagnostics.last_mut()
                && last.message.len() + line.len() < MAX_MESSAGE
            {
                last.message.push('\n');
                last.message.push_str(line.trim_end());
            }
        } else if let Some((file, place, code, message)) = parse_line(line) {
            if diagnostics.len() == MAX_DIAGNOSTICS {
                break;
            }
            keep(&mut diagnostics, file, place, code, message);
        }
    }
    diagnostics
}

type Parts<'a> = (&'a str, (u32, u32), &'a str, &'a str);

fn parse_line(line: &str) -> Option<Parts<'_>> {
    let (place, rest) = match line.strip_prefix("error TS") {
        Some(_) => ("", line.strip_prefix("error ")?),
        None => line.split_once("): error ")?,
    };
    let (code, message) = rest.split_once(": ")?;
    code.strip_prefix("TS")
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    if place.is_empty() {
        return Some(("", (0, 0), code, message));
    }
    let (file, numbers) = place.rsplit_once('(')?;
    let (line, column) = numbers.split_once(',')?;
    Some((file, (line.parse().ok()?, column.parse().ok()?), code, message))
}

#[cfg(test)]
pub(super) const SAMPLE: &str = "\
src/bad.ts(1,25): error TS2307: Cannot find module 'not-there' or its corresponding type declarations.
src/bad.ts(4,14): error TS2741: Property 'handler' is missing in type '{}' but required in type 'Action'.
  The expected type comes from here.
error TS18003: No inputs were found in config file.
Found 3 errors.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_with_their_places() {
        let found = parse_tsc(SAMPLE);
        let shown: Vec<_> = found
            .iter()
            .map(|one| (one.file.as_str(), one.line, one.column, one.code.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("src/bad.ts", 1, 25, "TS2307"),
                ("src/bad.ts", 4, 14, "TS2741"),
                ("", 0, 0, "TS18003")
            ]
        );
        assert!(found[1].message.ends_with("\n  The expected type comes from here."));
    }

    #[test]
    fn other_text_is_no_error() {
        for text in [
            "",
            "Version 7.0.2",
            "x(1,2): warning TS1: x",
            "x(a,b): error TS1: x",
            "x(1,2): error XX: y",
        ] {
            assert_eq!(parse_tsc(text), [], "{text}");
        }
    }
}
