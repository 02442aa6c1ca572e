//! Colours of a terminal, as logs have them: `ESC[32m`, in a program or in JSON also `\u001b[32m`, `\x1b[32m`, `\033[32m`
//! and `\e[32m`. Their last letter only looks like a part of the word behind it.

/// The character with which they start.
pub const ESCAPE: u8 = 0x1b;
/// `38;2;255;255;255` is the longest in use.
const LONGEST: usize = 20;
/// What may stand for the first character.
const WRITTEN: [&[u8]; 8] = [
    b"\x1b", b"\\u001b", b"\\u001B", b"\\x1b", b"\\x1B", b"\\033", b"\\e", b"\\u{1b}",
];

const fn is_parameter(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b';'
}

/// Where the sequence ends whose bracket stands at `at`.
pub fn end(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'[') {
        return None;
    }
    let rest = &text[at + 1..];
    let length = rest
        .iter()
        .take(LONGEST)
        .take_while(|byte| is_parameter(**byte))
        .count();
    matches!(rest.get(length), Some(b'm' | b'K')).then_some(at + length + 2)
}

/// Where the sequence starts that ends before `end`.
pub fn start(text: &[u8], end: usize) -> Option<usize> {
    if !matches!(text.get(end.checked_sub(1)?), Some(b'm' | b'K')) {
        return None;
    }
    let left = &text[..end - 1];
    let length = left
        .iter()
        .rev()
        .take(LONGEST)
        .take_while(|byte| is_parameter(**byte))
        .count();
    let left = left[..left.len() - length].strip_suffix(b"[")?;
    let written = WRITTEN.iter().find(|written| left.ends_with(written))?;
    Some(left.len() - written.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_known_from_both_ends() {
        for text in ["\x1b[32m", "\x1b[m", "\x1b[1;31m", "\x1b[38;2;255;255;255m", "\x1b[0K"] {
            assert_eq!(end(text.as_bytes(), 1), Some(text.len()), "{text:?}");
            for written in ["\x1b", "\\u001b", "\\u001B", "\\x1b", "\\033", "\\e"] {
                let text = format!("x{}", text.replace('\x1b', written));
                assert_eq!(start(text.as_bytes(), text.len()), Some(1), "{text:?}");
            }
        }
        for text in [
            "",
            "m",
            "[m",
            "32m",
            "[32m",
            "x[32m",
            "\x1b[32",
            "\x1b[32x",
            "\x1b32m",
            "\x1b[1111111111111111111111m",
        ] {
            assert_eq!(start(text.as_bytes(), text.len()), None, "{text:?}");
        }
        assert_eq!(end(b"\x1b[1111111111111111111111m", 1), None);
        assert_eq!(end(b"\x1b", 1), None);
    }
}
