//! Text whose characters stand as escapes: `&quot;`, `&#x22;`, `%22`, `\u0022` and `\x22`. A line that has some
//! is read again without them.

use std::ops::Range;

use super::boundary;
use super::candidate::Candidate;
use super::engine::Scanner;
use super::place::Place;
use super::search::Search;

/// How much of a line is read at once; longer ones are read in pieces that overlap.
const PIECE: usize = 16 * 1024;
const OVERLAP: usize = 1024;
const NAMED: [(&[u8], u8); 6] = [
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
    (b"&amp;", b'&'),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&nbsp;", b' '),
];

impl Scanner {
    /// What the lines with escapes hide.
    pub(super) fn escaped(&self, text: &[u8], place: Place, out: &mut Vec<Candidate>) {
        if !place.escapes {
            return;
        }
        let inner = Place {
            escapes: false,
            ..place
        };
        let mut read = 0;
        for at in memchr::memchr3_iter(b'&', b'%', b'\\', text) {
            if at < read || !tells(&text[at..]) {
                continue;
            }
            // From the start of the line, or of this piece of it, to its end.
            let start = (at - boundary::left_of(text, at, OVERLAP).len()).max(read.saturating_sub(OVERLAP));
            let limit = text.len().min(start + PIECE);
            let end = memchr::memchr(b'\n', &text[at..limit]).map_or(limit, |length| at + length);
            read = end;
            let plain = Plain::of(&text[start..end], &next, &escape);
            for one in Search::run(self, &plain.text, inner) {
                let span = plain.span(&one.span);
                // What has no escape in and around it was found before.
                if plain.touches(&one.span) {
                    let span = start + span.start..start + span.end;
                    out.push(Candidate { span, ..one });
                }
            }
        }
    }
}

fn next(text: &[u8]) -> Option<usize> {
    memchr::memchr3(b'&', b'%', b'\\', text)
}

/// Whether an escape stands here that hides a sign or a quote.
fn tells(text: &[u8]) -> bool {
    match text {
        [b'&', b'#', ..]
        | [b'%', b'2', b'2' | b'7', ..]
        | [b'%', b'3', b'A' | b'a' | b'D' | b'd', ..]
        | [b'\\', b'u', b'0', b'0', ..] => true,
        [b'&', ..] => text.starts_with(b"&quot;") || text.starts_with(b"&apos;"),
        [b'\\', b'x', first, second, ..] => first.is_ascii_hexdigit() && second.is_ascii_hexdigit(),
        _ => false,
    }
}

/// A text without its escapes, and where its characters stood.
pub struct Plain {
    pub text: Vec<u8>,
    /// After how many characters an escape stood, how many bytes more this one and all before it have, and whether it
    /// stands for nothing.
    escapes: Vec<(usize, usize, bool)>,
}

/// What an escape stands for, if for anything, and its length.
type Escape = (Option<u8>, usize);

impl Plain {
    /// `next` says where the next escape may stand, `escape` what one is at the start of a text.
    pub fn of(text: &[u8], next: &impl Fn(&[u8]) -> Option<usize>, escape: &impl Fn(&[u8]) -> Option<Escape>) -> Self {
        let mut plain = Self {
            text: Vec::with_capacity(text.len()),
            escapes: Vec::new(),
        };
        let (mut from, mut at, mut more) = (0, 0, 0);
        while let Some(length) = next(&text[at..]) {
            at += length;
            let Some((byte, length)) = escape(&text[at..]) else {
                at += 1;
                continue;
            };
            plain.text.extend_from_slice(&text[from..at]);
            more += length - usize::from(byte.is_some());
            plain.escapes.push((plain.text.len(), more, byte.is_none()));
            plain.text.extend(byte);
            at += length;
            from = at;
        }
        plain.text.extend_from_slice(&text[from..]);
        plain
    }

    /// Where the character stands that is the one at `at` without escapes.
    fn place(&self, at: usize) -> usize {
        let before = (self.escapes).partition_point(|(place, _, gone)| *place < at || *place == at && *gone);
        at + before.checked_sub(1).map_or(0, |last| self.escapes[last].1)
    }

    /// Where the characters of a span stand.
    pub fn span(&self, span: &Range<usize>) -> Range<usize> {
        let before = self.escapes.partition_point(|(place, ..)| *place < span.end);
        self.place(span.start)..span.end + before.checked_sub(1).map_or(0, |last| self.escapes[last].1)
    }

    /// Whether an escape stands in a span, or within a few characters of it.
    pub fn touches(&self, span: &Range<usize>) -> bool {
        let first = self.escapes.partition_point(|(place, ..)| *place + 2 < span.start);
        self.escapes
            .get(first)
            .is_some_and(|(place, ..)| *place <= span.end + 1)
    }
}

/// The character of the escape at the start, and its length.
fn escape(text: &[u8]) -> Option<Escape> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let hex = |first: u8, second: u8| {
        let byte = digit(first)? << 4 | digit(second)?;
        matches!(byte, b' '..=b'~').then_some(byte)
    };
    let (byte, length) = match text {
        [b'%', first, second, ..] => hex(*first, *second).map(|byte| (byte, 3))?,
        [b'\\', b'x', first, second, ..] => hex(*first, *second).map(|byte| (byte, 4))?,
        [b'\\', b'u', b'0', b'0', first, second, ..] => hex(*first, *second).map(|byte| (byte, 6))?,
        [b'&', b'#', ..] => {
            let end = memchr::memchr(b';', &text[..text.len().min(10)])?;
            let (digits, radix) = match text[2] {
                b'x' | b'X' => (&text[3..end], 16),
                _ => (&text[2..end], 10),
            };
            let code = u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
            matches!(code, b' '..=b'~').then_some((code, end + 1))?
        }
        [b'&', ..] => NAMED
            .iter()
            .find(|(name, _)| text.starts_with(name))
            .map(|(name, byte)| (*byte, name.len()))?,
        _ => return None,
    };
    Some((Some(byte), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_and_every_character_keeps_its_place() {
        let text = b"a&quot;b&#x22;c&#34;d%22e\\u0022f\\x22g&amp;h";
        let plain = Plain::of(text, &next, &escape);
        assert_eq!(plain.text, b"a\"b\"c\"d\"e\"f\"g&h");
        for (at, byte) in plain
            .text
            .iter()
            .enumerate()
            .filter(|(_, byte)| byte.is_ascii_alphabetic())
        {
            assert_eq!(text[plain.place(at)], *byte, "{at}");
        }
        assert!(plain.touches(&(0..1)) && plain.touches(&(4..5)));
        assert!(!Plain::of(b"abcdefgh&quot;", &next, &escape).touches(&(0..4)));
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "&",
            "&#",
            "&#;",
            "&#x;",
            "&#x1F600;",
            "%",
            "%2",
            "%zz",
            "\\u00",
            "\\x2",
            "&quot",
            "100% & more",
            "&#1",
        ] {
            assert_eq!(Plain::of(text.as_bytes(), &next, &escape).text, text.as_bytes());
        }
    }
}
