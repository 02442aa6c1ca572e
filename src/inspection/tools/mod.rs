//! What the tools print, as diagnostics. Pure functions over hostile text: each is bounded, none panics.

mod esbuild;
mod junit;
mod oxlint;
mod tsc;

pub use esbuild::parse_esbuild;
pub use junit::{TestReport, parse_junit};
pub use oxlint::{LintCounts, parse_oxlint};
pub use tsc::parse_tsc;

use crate::diagnostic::Diagnostic;

/// Diagnostics kept of one tool: more help neither people nor models.
const MAX_DIAGNOSTICS: usize = 200;
/// Bytes kept of one message.
const MAX_MESSAGE: usize = 2000;
/// Bytes kept of a path or a code.
const MAX_WORD: usize = 300;

/// Adds a diagnostic unless there are enough.
fn keep(diagnostics: &mut Vec<Diagnostic>, file: &str, place: (u32, u32), code: &str, message: &str) {
    if diagnostics.len() < MAX_DIAGNOSTICS {
        let diagnostic = Diagnostic::of(relative(file), clip(code, MAX_WORD), clip(message, MAX_MESSAGE));
        diagnostics.push(diagnostic.at(place.0, place.1));
    }
}

/// At most `limit` bytes, no control characters but line breaks and tabs, no space around.
fn clip(text: &str, limit: usize) -> String {
    let text = text.trim();
    let end = if text.len() <= limit {
        text.len()
    } else {
        text.floor_char_boundary(limit)
    };
    let mut clipped: String = text[..end]
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    if end < text.len() {
        clipped.push('…');
    }
    clipped
}

/// A path as the package knows it: tools that print absolute paths print the box's.
fn relative(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let inside = if path.starts_with('/') {
        let starts = ["/src/", "/__tests__/", "/node_modules/"];
        let start = starts.iter().filter_map(|folder| path.find(folder)).min();
        start.map_or(path, |start| &path[start + 1..])
    } else {
        path
    };
    clip(inside, MAX_WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_the_packages_own() {
        for (path, expected) in [
            ("src/a.ts", "src/a.ts"),
            ("./src/a.ts", "src/a.ts"),
            ("/sandbox/work/src/a.ts", "src/a.ts"),
            ("/sandbox/work/__tests__/src/a.ts", "__tests__/src/a.ts"),
            ("src\\a.ts", "src/a.ts"),
            ("../node_modules/x/index.d.ts", "../node_modules/x/index.d.ts"),
            ("/sandbox/node_modules/x/src/a.ts", "node_modules/x/src/a.ts"),
        ] {
            assert_eq!(relative(path), expected);
        }
    }

    #[test]
    fn long_and_strange_text_is_cut() {
        assert_eq!(clip("a\u{1b}[31mb\nc\0", 100), "a[31mb\nc");
        assert_eq!(clip(&"ä".repeat(100), 5), "ää…");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_a_parser(text in "\\PC{0,200}", cut in 0_usize..400) {
            let samples = [tsc::SAMPLE, oxlint::SAMPLE, esbuild::SAMPLE, junit::SAMPLE];
            for sample in samples.into_iter().map(|sample| {
                let cut = sample.floor_char_boundary(cut.min(sample.len()));
                format!("{}{text}{}", &sample[..cut], &sample[cut..])
            }) {
                let _ = parse_tsc(&sample);
                let _ = parse_oxlint(&sample);
                let _ = parse_esbuild(&sample);
                let _ = parse_junit(&sample);
            }
        }
    }

    #[test]
    fn a_flood_is_bounded() {
        let flood = "src/a.ts(1,1): error TS1: x\n".repeat(100_000);
        assert_eq!(parse_tsc(&flood).len(), MAX_DIAGNOSTICS);
        let flood = "✘ [ERROR] x\n\n    src/a.ts:1:1:\n".repeat(100_000);
        assert_eq!(parse_esbuild(&flood).len(), MAX_DIAGNOSTICS);
    }
}
