//! npm's own rules for ranges, where the library that reads them has others.
//!
//! `tests/ranges.json` holds what npm's `semver` says of some hundred ranges; `tests/ranges.rs` compares.

use nodejs_semver::Range;

/// Letters of a range; npm's own limit for a version is 256.
const MAX_RANGE: usize = 2_000;
/// A range that nothing satisfies.
const NOTHING: &str = "<0.0.0-0";
const OPERATORS: [char; 6] = ['^', '~', '>', '<', '=', 'v'];

/// A range as npm reads it; `None` where npm refuses it too.
pub fn parse_range(text: &str) -> Option<Range> {
    if text.len() > MAX_RANGE {
        return None;
    }
    let mut parts = Vec::new();
    for part in text.split("||") {
        let part = plain(part);
        // An impossible set of comparators is nothing; the library takes it for everything.
        if !part.contains(" - ") {
            let mut together: Option<Range> = None;
            let mut possible = true;
            for comparator in part.split_whitespace() {
                let one = Range::parse(comparator).ok()?;
                together = match together {
                    None => Some(one),
                    Some(before) => {
                        let both = before.intersect(&one);
                        possible = both.is_some();
                        if !possible {
                            break;
                        }
                        both
                    }
                };
            }
            if !possible {
                continue;
            }
        }
        parts.push(part);
    }
    let joined = if parts.is_empty() {
        NOTHING.to_owned()
    } else {
        parts.join("||")
    };
    Range::parse(joined).ok()
}

/// One set of comparators, each without spaces in it, and any version as `*`.
fn plain(part: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in part.split_whitespace() {
        let operator_alone = |word: &String| !word.is_empty() && word.chars().all(|letter| OPERATORS.contains(&letter));
        match words.last_mut().filter(|last| operator_alone(last)) {
            Some(last) => last.push_str(word),
            None => words.push(word.to_owned()),
        }
    }
    for word in &mut words {
        let version = word.trim_start_matches(OPERATORS);
        if matches!(version, "x" | "X" | "*") {
            let operator = &word[..word.len() - version.len()];
            let meant = if matches!(operator, ">" | "<") { NOTHING } else { "*" };
            meant.clone_into(word);
        }
    }
    words.join(" ")
}
