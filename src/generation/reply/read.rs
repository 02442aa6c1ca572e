//! Reading a reply, strictly where it matters and patiently where it does not.

use std::collections::BTreeSet;

use super::refusal::without_manifest;
use super::{END, END_FILE, FILE, MANIFEST, NO_NEWLINE, ReplyFault, ReplyProblem, needs_escape};
use crate::files::{FileSet, check_path};

const MAX_REPLY: usize = 2 * 1024 * 1024;
const MAX_FILES: usize = 100;
const MAX_FILE: usize = 256 * 1024;
const MAX_TOTAL: usize = 1024 * 1024;

type Outcome<T> = Result<T, ReplyProblem>;

/// The files of a reply. Prose or a fence around it is skipped; everything else must fit.
pub fn parse(text: &str) -> Outcome<FileSet> {
    if text.len() > MAX_REPLY {
        let message = format!("The model's answer has {} bytes; {MAX_REPLY} are allowed.", text.len());
        return Err(ReplyProblem::new(
            ReplyFault::TooLarge,
            message,
            "Write less: at most 1 MB of files.",
        ));
    }
    // Where it was cut off, the last line is half a line, and must not be read as something else.
    let whole = text.split('\n').any(|line| marker(line) == END);
    let read = if whole {
        text
    } else {
        text.rsplit_once('\n').map_or(text, |(before, _)| before)
    };
    let mut lines = read.split('\n');
    let Some(first) = lines.by_ref().find(|line| marker(line) == MANIFEST) else {
        return Err(without_manifest(text));
    };
    let mut lines = Lines {
        lines,
        windows: first.ends_with('\r'),
    };
    let mut manifest = BTreeSet::new();
    let mut files = FileSet::new();
    let mut total = 0;
    let mut next = read_manifest(&mut lines, &mut manifest)?;
    loop {
        if marker(next) == END {
            break;
        }
        let Some(path) = next.strip_prefix(FILE).map(path_of) else {
            if next.trim().is_empty() {
                next = lines.next().ok_or_else(cut_off)?;
                continue;
            }
            let message = format!("The model's answer has text between its files: {:?}.", head(next));
            return Err(malformed(message, "Nothing may stand between the file blocks."));
        };
        check(path)?;
        if files.keys().any(|known| known.eq_ignore_ascii_case(path)) {
            let message = format!("The model's answer has {path} twice.");
            return Err(ReplyProblem::new(
                ReplyFault::Duplicate,
                message,
                format!("Send {path} once; names must differ in more than case."),
            ));
        }
        let content = read_file(&mut lines, path)?;
        total += content.len();
        if content.len() > MAX_FILE || total > MAX_TOTAL || files.len() >= MAX_FILES {
            let message = format!(
                "The model's answer is too large (at {path}): 100 files, 256 KB each and 1 MB together are allowed."
            );
            return Err(ReplyProblem::new(
                ReplyFault::TooLarge,
                message,
                "Write fewer and smaller files.",
            ));
        }
        files.insert(path.to_owned(), content.into_bytes());
        next = lines.next().ok_or_else(cut_off)?;
    }
    agree(&manifest, &files)?;
    Ok(files)
}

struct Lines<'a> {
    lines: std::str::Split<'a, char>,
    /// Whether each line ends in CR LF.
    windows: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.next()?;
        Some(if self.windows {
            line.strip_suffix('\r').unwrap_or(line)
        } else {
            line
        })
    }
}

/// A marker line without the decoration that models add.
fn marker(line: &str) -> &str {
    let line = line.trim_end();
    line.strip_suffix(" ===").map_or(line, str::trim_end)
}

fn path_of(rest: &str) -> &str {
    marker(rest).trim().trim_matches('`')
}

/// Reads the manifest and returns the marker after it.
fn read_manifest<'a>(lines: &mut Lines<'a>, manifest: &mut BTreeSet<String>) -> Outcome<&'a str> {
    for line in lines {
        if line.starts_with("===") {
            return Ok(line);
        }
        let entry = line.trim().trim_start_matches(['-', '*']).trim().trim_matches('`');
        if entry.is_empty() {
            continue;
        }
        check(entry)?;
        manifest.insert(entry.to_owned());
        if manifest.len() > MAX_FILES {
            return Err(ReplyProblem::new(
                ReplyFault::TooLarge,
                "The model's manifest lists more than 100 files.",
                "Write fewer files.",
            ));
        }
    }
    Err(cut_off())
}

/// Reads up to the end marker of the file.
fn read_file(lines: &mut Lines<'_>, path: &str) -> Outcome<String> {
    let mut content: Vec<&str> = Vec::new();
    for line in lines {
        if let Some(rest) = line.strip_prefix(END_FILE) {
            let named = marker(rest);
            let (named, ending) = named
                .strip_suffix(NO_NEWLINE)
                .map_or((named, "\n"), |named| (named, ""));
            if path_of(named) != path {
                let message = format!("In the model's answer {path} ends as {:?}.", head(named));
                return Err(malformed(
                    message,
                    format!("End the block with the line `{END_FILE}{path}`."),
                ));
            }
            return Ok(joined(&content, ending));
        }
        if line.starts_with("=== ") {
            let message = format!("In the model's answer {path} does not end before {:?}.", head(line));
            let advice = format!(
                "End {path} with `{END_FILE}{path}`; a line of code that begins with `=== ` gets a backslash in front."
            );
            return Err(malformed(message, advice));
        }
        content.push(line);
    }
    Err(cut_off())
}

fn joined(lines: &[&str], ending: &str) -> String {
    // Some models put a fence around each file; an own line of that kind has a backslash in front.
    let lines = match lines {
        [first, inner @ .., last] if first.starts_with("```") && last.trim_end() == "```" => inner,
        _ => lines,
    };
    if lines.is_empty() {
        return String::new();
    }
    let bare = |line: &&str| {
        if needs_escape(line) {
            line.strip_prefix('\\').unwrap_or(line)
        } else {
            line
        }
        .to_owned()
    };
    lines.iter().map(bare).collect::<Vec<_>>().join("\n") + ending
}

fn check(path: &str) -> Outcome<()> {
    // Endings in other case are not what the tools look for.
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    let declares = path.to_ascii_lowercase().contains(".d.");
    let ours = path.starts_with("src/") || path.starts_with("__tests__/");
    let writable = ours && ending == Some("ts") && !declares;
    let packages = path.split('/').any(|part| part.eq_ignore_ascii_case("node_modules"));
    let why = match check_path(path) {
        Err(error) => error.message().to_owned(),
        Ok(()) if packages => format!("the path {:?} is refused: no tool looks into node_modules", head(path)),
        Ok(()) if !writable => format!(
            "the path {:?} is refused: a model writes only src/**/*.ts and __tests__/**/*.ts",
            head(path)
        ),
        Ok(()) => return Ok(()),
    };
    let advice = "Write only files src/**/*.ts and __tests__/**/*.ts (no .d.ts); everything else of the package is there and locked.";
    Err(ReplyProblem::new(
        ReplyFault::Path,
        format!("The model's answer names a file that it may not write: {why}."),
        advice,
    ))
}

fn agree(manifest: &BTreeSet<String>, files: &FileSet) -> Outcome<()> {
    if let Some(path) = manifest.iter().find(|path| !files.contains_key(*path)) {
        let message = format!("The model's manifest lists {path}, but the answer does not hold it.");
        return Err(ReplyProblem::new(
            ReplyFault::MissingFile,
            message,
            format!("Send a block for {path}, or take it off the manifest."),
        ));
    }
    if let Some(path) = files.keys().find(|path| !manifest.contains(*path)) {
        let message = format!("The model's answer holds {path}, which its manifest does not list.");
        return Err(ReplyProblem::new(
            ReplyFault::ExtraFile,
            message,
            format!("List {path} in the manifest, or leave it out."),
        ));
    }
    if !files.contains_key("src/index.ts") {
        let message = "The model's answer has no src/index.ts.";
        return Err(ReplyProblem::new(
            ReplyFault::MissingFile,
            message,
            "Send src/index.ts with the plugin as its default export.",
        ));
    }
    Ok(())
}

fn cut_off() -> ReplyProblem {
    let message = "The model's answer was cut off: its end marker is missing. Allow more output tokens, or ask for a smaller plugin.";
    ReplyProblem::new(
        ReplyFault::CutOff,
        message,
        format!("The answer was cut off. Write shorter files and end with `{END}`."),
    )
}

fn malformed(message: String, advice: impl Into<String>) -> ReplyProblem {
    ReplyProblem::new(ReplyFault::Malformed, message, advice)
}

fn head(text: &str) -> String {
    text.chars().take(80).collect()
}
