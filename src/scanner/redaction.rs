//! Takes the middle out of secrets, so that a text stays readable.

const SHORT: usize = 16;
const LONG: usize = 32;

/// A secret without its middle. Below 16 characters nothing of it stays, below 32 two characters at
/// each end, else four; the number of stars tells only that class. A key between `BEGIN` and `END`
/// keeps those lines; words keep nothing. Doing it twice changes nothing.
pub fn redact(secret: &str) -> String {
    if secret.is_empty() {
        return String::new();
    }
    if secret.starts_with("-----BEGIN ")
        && let Some(opening) = secret[11..].find("-----")
    {
        let head = &secret[..11 + opening + 5];
        let tail = secret
            .rfind("-----END ")
            .filter(|at| *at >= head.len() && secret.len() - at <= 80)
            .map_or("", |at| &secret[at..]);
        return format!("{head}********{tail}");
    }
    let length = secret.chars().count();
    let (ends, stars) = if length < SHORT || secret.chars().any(char::is_whitespace) {
        (0, 8)
    } else if length < LONG {
        (2, 12)
    } else {
        (4, 24)
    };
    let head: String = secret.chars().take(ends).collect();
    let tail: String = secret.chars().skip(length - ends).collect();
    format!("{head}{}{tail}", "*".repeat(stars))
}

/// A value of so many bytes may be longer than its rule reads.
const CAPPED: usize = 60;

/// How much of what follows a secret belongs to it: a rule reads only so many characters of a value, and would find what
/// it left again, shorter, each time. It is a mask of stars, or, behind a long value, what stands before the next gap.
pub fn rest(secret: &str, after: &str) -> usize {
    let stars = after.bytes().take_while(|byte| *byte == b'*').count();
    if secret.len() >= CAPPED {
        // Rules may read over any other; a tag ends with the text in it.
        let gap = |one: char| one.is_whitespace() || "\"'<>".contains(one);
        after.find(gap).unwrap_or(after.len())
    } else if stars >= 8 {
        stars
    } else {
        0
    }
}

/// The nearest span around `span` whose borders lie between characters.
pub fn on_characters(text: &str, mut span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    while span.start > 0 && !text.is_char_boundary(span.start) {
        span.start -= 1;
    }
    while span.end < text.len() && !text.is_char_boundary(span.end) {
        span.end += 1;
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_head_and_tail_stay() {
        for (secret, redacted) in [
            ("", ""),
            ("hunter2", "********"),
            ("0123456789abcde", "********"),
            ("0123456789abcdef", "01************ef"),
            ("0123456789abcdef0123456789abcdef", "0123************************cdef"),
            (
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
                "********",
            ),
            ("éééééééééééééééé", "éé************éé"),
        ] {
            assert_eq!(redact(secret), redacted, "{secret}");
            assert_eq!(redact(redacted), redacted);
        }
    }

    #[test]
    fn a_key_keeps_its_first_and_last_line() {
        let label = "RSA PRIVATE KEY";
        let key = format!("-----BEGIN {label}-----\nAAAA\nBBBB\n-----END {label}-----");
        assert_eq!(
            redact(&key),
            format!("-----BEGIN {label}-----********-----END {label}-----")
        );
        assert_eq!(redact(&redact(&key)), redact(&key));
    }
}
