//! Validation of a specification, and the reply format, for JavaScript.
//!
//! Values come as JSON text: a deeply nested or cyclic JavaScript object would overflow the stack here, while
//! `JSON.stringify` refuses it.

use std::collections::HashMap;

use napi_derive::napi;
use serde_json::Value;

use super::error::BorderError;
use crate::error::{Code, Error};
use crate::generation::reply;
use crate::specification;

/// What validation said.
#[napi(object)]
pub struct SpecificationCheck {
    pub ok: bool,
    /// The specification in its normal form, where it is valid.
    pub specification: Option<Value>,
    /// All problems: `path`, `message`, `fix`.
    pub problems: Vec<SpecificationProblem>,
}

/// One thing that is wrong with a specification.
#[napi(object)]
pub struct SpecificationProblem {
    pub path: String,
    pub message: String,
    pub fix: String,
}

impl From<specification::Problem> for SpecificationProblem {
    fn from(problem: specification::Problem) -> Self {
        Self {
            path: problem.path,
            message: problem.message,
            fix: problem.fix,
        }
    }
}

/// Validates the specification in a JSON text.
#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands over owned values")]
pub fn validate_specification(json: String) -> Result<SpecificationCheck, BorderError> {
    match specification::parse_json(&json) {
        Ok(valid) => {
            let value = serde_json::to_value(&valid)
                .map_err(|error| Error::new(Code::Internal, "the specification could not be written").because(error))?;
            Ok(SpecificationCheck {
                ok: true,
                specification: Some(value),
                problems: Vec::new(),
            })
        }
        Err(error) => {
            let problems = error.details().get("problems").cloned().unwrap_or_default();
            let problems: Vec<specification::Problem> = serde_json::from_value(problems).unwrap_or_default();
            Ok(SpecificationCheck {
                ok: false,
                specification: None,
                problems: problems.into_iter().map(SpecificationProblem::from).collect(),
            })
        }
    }
}

/// Files in the reply format.
#[napi]
pub fn format_reply(files: HashMap<String, String>) -> String {
    reply::format(
        &files
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes()))
            .collect(),
    )
}
