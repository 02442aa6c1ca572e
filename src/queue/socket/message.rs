//! One line: a question, an answer, or a notice.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Code, Error};

/// The shape of every line; which fields are there says what it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub params: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub result: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// As much of a line as can be read whatever it holds.
#[derive(Debug, Deserialize)]
pub struct Head {
    pub id: Option<u64>,
    pub method: Option<IgnoredAny>,
}

/// An error on its way to another process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failure {
    code: String,
    message: String,
    #[serde(default)]
    details: Value,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let mut message = error.message().to_owned();
        if let Some(cause) = std::error::Error::source(error) {
            message = format!("{message}\n  caused by: {cause}");
        }
        Self {
            code: error.code().as_str().to_owned(),
            message,
            details: error.details().clone(),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let known = Code::ALL.iter().find(|code| code.as_str() == failure.code);
        Error::new(known.copied().unwrap_or(Code::StoreUnavailable), failure.message).with_details(failure.details)
    }
}
