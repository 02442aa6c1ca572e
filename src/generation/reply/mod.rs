//! The form in which a model sends files: a manifest, a block for each file, an end marker.
//!
//! ```text
//! === MANIFEST
//! src/index.ts
//! === FILE src/index.ts
//! (the lines of the file)
//! === END FILE src/index.ts
//! === END OF REPLY
//! ```
//! A line of a file that begins with `=== ` or three backticks, after any number of backslashes, gets one more backslash in
//! front; a file whose last line does not end gets ` NO-NEWLINE` behind its end marker.

mod problem;
mod read;
mod refusal;

pub use problem::{ReplyFault, ReplyProblem};
pub use read::parse;

use std::fmt::Write as _;

use crate::files::FileSet;

const MANIFEST: &str = "=== MANIFEST";
const FILE: &str = "=== FILE ";
const END_FILE: &str = "=== END FILE ";
const NO_NEWLINE: &str = " NO-NEWLINE";
const END: &str = "=== END OF REPLY";

/// What a model is told about the form.
pub const FORMAT: &str = include_str!("format.md");

/// Files in the reply format.
pub fn format(files: &FileSet) -> String {
    let mut text = format!("{MANIFEST}\n");
    for path in files.keys() {
        text.push_str(path);
        text.push('\n');
    }
    for (path, bytes) in files {
        let content = String::from_utf8_lossy(bytes);
        let _ = writeln!(text, "{FILE}{path}");
        let (lines, ending) = match content.strip_suffix('\n') {
            Some(lines) => (Some(lines), ""),
            None if content.is_empty() => (None, ""),
            None => (Some(&*content), NO_NEWLINE),
        };
        for line in lines.into_iter().flat_map(|lines| lines.split('\n')) {
            if needs_escape(line) {
                text.push('\\');
            }
            text.push_str(line);
            text.push('\n');
        }
        let _ = writeln!(text, "{END_FILE}{path}{ending}");
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// Whether a line, without its backslashes in front, looks like a marker or a fence.
fn needs_escape(line: &str) -> bool {
    let bare = line.trim_start_matches('\\');
    bare.starts_with("=== ") || bare.starts_with("```")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use proptest::prelude::*;

    fn files(entries: &[(&str, &str)]) -> FileSet {
        entries
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn two() -> FileSet {
        files(&[("src/index.ts", "export default 1\n"), ("__tests__/a.test.ts", "it\n")])
    }

    #[test]
    fn what_was_formatted_is_read_back() {
        let nasty = "```ts\n=== END OF REPLY\n\\=== FILE x\n\\\\```\r\n\n=== END FILE src/index.ts\n`${'`'}`";
        for content in [
            nasty,
            "",
            "\n",
            "\n\n",
            "a",
            "a\r\n",
            "\\",
            "=== ",
            "```\nx\n```\n",
            "\u{feff}x\n",
        ] {
            let files = files(&[("src/index.ts", content), ("src/b.ts", content)]);
            assert_eq!(parse(&format(&files)).unwrap(), files, "{content:?}");
        }
    }

    #[test]
    fn prose_a_fence_and_windows_line_ends_around_it_do_no_harm() {
        let text = format(&two());
        assert_eq!(
            parse(&format!("Sure, here it is:\n\n```\n{text}```\nHave fun!")).unwrap(),
            two()
        );
        assert_eq!(parse(&text.replace('\n', "\r\n")).unwrap(), two());
        let decorated = text
            .replace("=== MANIFEST", "=== MANIFEST ===")
            .replace("REPLY", "REPLY ===");
        assert_eq!(parse(&decorated).unwrap(), two());
        let fenced = text.replace("export default 1\n", "```typescript\nexport default 1\n```\n");
        assert_eq!(parse(&fenced).unwrap(), two());
        let listed = text.replacen("\nsrc/index.ts\n", "\n- `src/index.ts`\n", 1);
        assert_eq!(parse(&listed).unwrap(), two());
    }

    #[test]
    fn every_cut_is_seen() {
        let text = format(&two());
        for end in 1..text.trim_end().len() {
            assert!(parse(&text[..end]).is_err(), "cut at {end}");
        }
        let problem = parse(&text[..text.len() / 2]).unwrap_err();
        assert_eq!(
            (problem.fault, problem.code()),
            (ReplyFault::CutOff, Code::ModelReplyInvalid)
        );
    }

    #[test]
    fn a_refusal_is_told_from_garbage() {
        let fault = |text: &str| parse(text).unwrap_err().fault;
        assert_eq!(fault("I'm sorry, but I can't help with that."), ReplyFault::Refused);
        assert_eq!(
            fault("I cannot create a plugin that spies on people."),
            ReplyFault::Refused
        );
        assert_eq!(parse("I won't do it").unwrap_err().code(), Code::ModelRefused);
        assert_eq!(fault(""), ReplyFault::Empty);
        assert_eq!(fault("  \n "), ReplyFault::Empty);
        assert_eq!(fault("lorem ipsum"), ReplyFault::NoManifest);
        assert_eq!(
            fault("```ts\nconst text = 'I cannot do it'\n```"),
            ReplyFault::NoManifest
        );
    }

    #[test]
    fn paths_that_are_not_the_models_are_refused() {
        for path in [
            "../x.ts",
            "/etc/passwd",
            "src/../../x.ts",
            "package.json",
            "src/.env",
            "src/x.js",
            "src/x.d.ts",
            "tsconfig.json",
            "README.md",
            "__tests__/x.js",
            "C:\\x.ts",
            "node_modules/x/index.ts",
            "src/node_modules/x.ts",
            "src/a/NODE_MODULES/x.ts",
            "__tests__/node_modules/x.test.ts",
            "src/a b.ts",
            "dist/index.ts",
        ] {
            let set = files(&[("src/index.ts", "1\n"), (path, "x\n")]);
            let problem = parse(&format(&set)).unwrap_err();
            assert_eq!(problem.code(), Code::PathRefused, "{path}");
            assert!(problem.advice.contains("src/"), "{path}");
        }
    }

    #[test]
    fn manifest_and_blocks_must_agree() {
        let text = format(&two());
        let fault = |text: &str| parse(text).unwrap_err().fault;
        let missing = text.replacen("=== MANIFEST\n", "=== MANIFEST\nsrc/more.ts\n", 1);
        assert_eq!(fault(&missing), ReplyFault::MissingFile);
        let extra = text.replacen("__tests__/a.test.ts\n", "", 1);
        assert_eq!(fault(&extra), ReplyFault::ExtraFile);
        let twice = text.replacen(
            "=== END OF REPLY",
            "=== FILE src/index.ts\n=== END FILE src/index.ts\n=== END OF REPLY",
            1,
        );
        assert_eq!(fault(&twice), ReplyFault::Duplicate);
        let cased = files(&[("src/index.ts", "1\n"), ("src/Index.ts", "1\n")]);
        assert_eq!(fault(&format(&cased)), ReplyFault::Duplicate);
        let inside = text.replacen("export default 1", "=== FILE src/b.ts", 1);
        assert_eq!(fault(&inside), ReplyFault::Malformed);
        let stray = text.replacen("=== END OF REPLY", "stray\n=== END OF REPLY", 1);
        assert_eq!(fault(&stray), ReplyFault::Malformed);
        assert_eq!(fault(&format(&files(&[("src/b.ts", "1\n")]))), ReplyFault::MissingFile);
    }

    #[test]
    fn sizes_and_counts_are_bounded() {
        let large = "x".repeat(300 * 1024);
        assert_eq!(
            parse(&format(&files(&[("src/index.ts", &large)]))).unwrap_err().fault,
            ReplyFault::TooLarge
        );
        let many: FileSet = (0..200).map(|n| (format!("src/f{n}.ts"), b"1\n".to_vec())).collect();
        assert_eq!(parse(&format(&many)).unwrap_err().fault, ReplyFault::TooLarge);
        assert_eq!(
            parse(&"=== FILE x\n".repeat(1_000_000)).unwrap_err().fault,
            ReplyFault::TooLarge
        );
    }

    proptest! {
        #[test]
        fn any_text_survives(
            contents in proptest::collection::vec("(=== |```|\\\\|\r|\n|END FILE src/f0.ts|FILE |END OF REPLY|MANIFEST|NO-NEWLINE|[ -~]|\\PC){0,40}", 1..4),
        ) {
            let mut files = FileSet::from([("src/index.ts".to_owned(), b"1\n".to_vec())]);
            for (index, content) in contents.into_iter().enumerate() {
                files.insert(format!("src/f{index}.ts"), content.into_bytes());
            }
            prop_assert_eq!(parse(&format(&files)).unwrap(), files);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "(=== (MANIFEST|FILE |END FILE |END OF REPLY)?|```|src/index.ts|\n|\r\n|\\PC){0,60}") {
            if let Ok(files) = parse(&text) {
                prop_assert!(files.keys().all(|path| crate::files::check_path(path).is_ok()));
            }
        }
    }
}
