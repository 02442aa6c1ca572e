//! What is wrong with generated code, and where: for the report, and for the model that mends it.

use serde::{Deserialize, Serialize};

/// One problem at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// The file, relative to the package; empty where it concerns the whole.
    pub file: String,
    /// From 1; 0 where unknown.
    pub line: u32,
    /// From 1; 0 where unknown.
    pub column: u32,
    /// The tool's own code, such as `TS2322` or `no-debugger`.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl Diagnostic {
    /// A problem of a whole file or package.
    pub fn of(file: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            code: code.into(),
            message: message.into(),
        }
    }

    /// Puts it at a place.
    #[must_use]
    pub const fn at(mut self, line: u32, column: u32) -> Self {
        self.line = line;
        self.column = column;
        self
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.line > 0 {
                write!(f, ":{}:{}", self.line, self.column)?;
            }
            f.write_str(" ")?;
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}
