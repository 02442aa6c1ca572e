//! What is wrong with a specification, all of it at once.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Code, Error};

/// More than these are of no use to anybody.
const MAX_PROBLEMS: usize = 100;
const SHOWN: usize = 5;

/// One thing that is wrong: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// JSON path, such as `$.actions[0].name`.
    pub path: String,
    pub message: String,
    pub fix: String,
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) {
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem {
                path: path.into(),
                message: message.into(),
                fix: fix.into(),
            });
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// One error that lists all of them.
    pub(super) fn into_error(self) -> Error {
        let count = self.list.len();
        let mut message = format!(
            "The specification has {count} problem{}:",
            if count == 1 { "" } else { "s" }
        );
        for problem in self.list.iter().take(SHOWN) {
            let _ = write!(message, "\n  {} {}. {}", problem.path, problem.message, problem.fix);
        }
        if count > SHOWN {
            let _ = write!(message, "\n  and {} more in details.problems", count - SHOWN);
        }
        Error::new(Code::SpecificationInvalid, message).with_details(json!({ "problems": self.list }))
    }
}

/// A piece of the user's text for a message: short, and without characters that disturb a terminal.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text
        .chars()
        .take(60)
        .map(|c| if is_unsafe(c) { '\u{fffd}' } else { c })
        .collect();
    if cut.chars().count() < text.chars().count() {
        format!("\"{cut}…\"")
    } else {
        format!("\"{cut}\"")
    }
}

/// Control characters other than tab and line feed, and those that reorder or hide text.
pub(super) fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
