//! esbuild's messages: `✘ [ERROR] text`, and below it `file:line:column:`, columns from 0.

use super::{MAX_DIAGNOSTICS, keep};
use crate::diagnostic::Diagnostic;

/// The errors in what esbuild printed; warnings are left to the linter.
pub fn parse_esbuild(text: &str) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((_, message)) = line.split_once("[ERROR] ").filter(|(mark, _)| mark.len() < 8) else {
            continue;
        };
        if diagnostics.len() == MAX_DIAGNOSTICS {
            break;
        }
        // The place follows after an empty line, where there is one.
        while lines.peek().is_some_and(|line| line.trim().is_empty()) {
            lines.next();
        }
        let place = lines.peek().and_then(|line| place_of(line));
        let (file, at) = place.unwrap_or(("", (0, 0)));
        keep(&mut diagnostics, file, at, "build", message);
    }
    diagnostics
}

fn place_of(line: &str) -> Option<(&str, (u32, u32))> {
    let place = line.strip_prefix("    ")?.strip_suffix(':')?;
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((
        file,
        (line.parse().ok()?, column.parse::<u32>().ok()?.saturating_add(1)),
    ))
}

#[cfg(test)]
pub(super) const SAMPLE: &str = "\
▲ [WARNING] Using direct eval with a bundler is not recommended [direct-eval]

    src/bad.ts:8:35:
      8 │ export function f(x: any) { return eval(x) }

✘ [ERROR] Could not resolve \"not-there\"

    src/bad.ts:1:24:
      1 │ import { nothing } from 'not-there'
        ╵                         ~~~~~~~~~~~

  You can mark the path \"not-there\" as external.

✘ [ERROR] Must use \"outdir\" when there are multiple input files

2 errors
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_with_their_places() {
        let shown: Vec<_> = parse_esbuild(SAMPLE).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "src/bad.ts:1:25 build: Could not resolve \"not-there\"",
                "build: Must use \"outdir\" when there are multiple input files"
            ]
        );
    }
}
