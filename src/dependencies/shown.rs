//! Words of strangers, as they may stand in a report.

use std::fmt::Write as _;

/// Bytes of a text of a stranger that a report shows.
const MAX_SHOWN: usize = 200;

/// A text without control characters, with letters beyond ASCII written as escapes, cut where it is long.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if shown.len() >= MAX_SHOWN {
            shown.push('…');
            break;
        }
        match letter {
            ' '..='~' => shown.push(letter),
            other => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(other));
            }
        }
    }
    shown
}

/// A range or an address without user, password and query: those hold credentials.
pub(super) fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return plain(text);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
    let bare = &rest[host..];
    let (path, rest) = bare.split_at(bare.find('?').unwrap_or(bare.len()));
    let fragment = rest.find('#').map_or("", |at| &rest[at..]);
    plain(&format!("{scheme}://{path}{fragment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_of_addresses() {
        let bare = |text| without_credentials(text);
        assert_eq!(
            bare("git+https://me:pass@host.example/a.git#v1"),
            "git+https://host.example/a.git#v1"
        );
        assert_eq!(
            bare("https://host.example/a.tgz?token=abc#x"),
            "https://host.example/a.tgz#x"
        );
        assert_eq!(bare("https://a:b@c@host.example"), "https://host.example");
        assert_eq!(bare("^1.2.3"), "^1.2.3");
    }

    #[test]
    fn letters_that_cannot_be_told_apart_are_escaped() {
        assert_eq!(plain("r\u{435}act\u{202e}\n"), "r\\u{435}act\\u{202e}\\u{a}");
        assert!(plain(&"x".repeat(10_000)).len() < 300);
    }
}
