//! Finds long runs of token characters without looking at every byte.

use std::ops::Range;

/// Shorter runs are not looked at: every contextual token is as long.
pub const SHORTEST: usize = 32;
/// Longer runs are data; a key file in base64 stays below.
const LONGEST: usize = 16 * 1024;

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-')
}

/// Calls back for each run of 32 to 16,384 token characters, its `=` of padding included.
pub fn each(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    let mut before = 0;
    let mut at = SHORTEST - 1;
    while at < text.len() {
        if !is_token(text[at]) {
            before = at + 1;
            at += SHORTEST;
            continue;
        }
        let start = at
            - text[before..at]
                .iter()
                .rev()
                .take_while(|byte| is_token(**byte))
                .count();
        let length = text[at..].iter().take_while(|byte| is_token(**byte)).count();
        let end = at + length;
        if end - start >= SHORTEST && end - start <= LONGEST {
            let padding = text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
            found(start..end + padding);
        }
        before = end;
        at = end + SHORTEST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_found_whatever_stands_before_it() {
        for before in 0..70 {
            let text = format!("{}\"{}==\" {}", " ;".repeat(before), "a".repeat(32), "b".repeat(40));
            let mut runs = Vec::new();
            each(text.as_bytes(), |run| runs.push(run));
            let start = before * 2 + 1;
            assert_eq!(runs, [start..start + 34, start + 36..start + 76], "{before}");
        }
    }

    #[test]
    fn blobs_and_short_words_are_no_runs() {
        let text = format!("{} {}", "a".repeat(31), "c".repeat(17_000));
        let mut runs = 0;
        each(text.as_bytes(), |_| runs += 1);
        assert_eq!(runs, 0);
    }
}
