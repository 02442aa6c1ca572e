//! What is wrong with a reply, for people and for the model.

use serde_json::json;

use crate::error::{Code, Error};

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFault {
    Empty,
    Refused,
    NoManifest,
    CutOff,
    Malformed,
    MissingFile,
    ExtraFile,
    Duplicate,
    Path,
    TooLarge,
}

/// A reply that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyProblem {
    pub fault: ReplyFault,
    /// What is wrong, for people.
    pub message: String,
    /// What to tell the model.
    pub advice: String,
}

impl ReplyProblem {
    pub(super) fn new(fault: ReplyFault, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            advice: advice.into(),
        }
    }

    /// The code of the error that it becomes.
    pub const fn code(&self) -> Code {
        match self.fault {
            ReplyFault::Refused => Code::ModelRefused,
            ReplyFault::Path => Code::PathRefused,
            _ => Code::ModelReplyInvalid,
        }
    }
}

impl From<ReplyProblem> for Error {
    fn from(problem: ReplyProblem) -> Self {
        let details = json!({ "fault": format!("{:?}", problem.fault), "advice": problem.advice });
        Self::new(problem.code(), problem.message).with_details(details)
    }
}
