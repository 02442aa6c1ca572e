//! Words become a specification: by the model, then validated like any other.

use serde_json::Value;

use super::ask::{Question, consequence};
use super::creation::{Allowed, Creation, final_error};
use super::validate;
use crate::error::Error;
use crate::generation::description;
use crate::queue::AttemptError;
use crate::specification::Problem;

const SYSTEM: &str =
    "You turn what a user wants into the JSON specification of an ElizaOS plugin. Answer with the JSON alone.";

/// Asks for a specification; one that has problems is shown to the model once.
pub async fn run(creation: &mut Creation<'_>, text: &str, allowed: &Allowed) -> Result<Value, AttemptError> {
    let first = description::prompt(text).map_err(final_error)?;
    let answer = ask(creation, first).await?;
    let (value, problem) = match description::parse(&answer) {
        Ok(value) => match validate::run(&value, allowed) {
            Ok(_) => return Ok(value),
            Err(error) => (value, error),
        },
        Err(error) => return Err(final_error(error)),
    };
    let second = description::repair(text, &value, &problems_of(&problem)).map_err(final_error)?;
    let answer = ask(creation, second).await?;
    let value = description::parse(&answer).map_err(final_error)?;
    validate::run(&value, allowed).map_err(final_error)?;
    Ok(value)
}

async fn ask(creation: &mut Creation<'_>, prompt: String) -> Result<String, AttemptError> {
    let question = Question {
        model_key: creation.request.model_key.as_deref(),
        system: SYSTEM.to_owned(),
        prompt,
        iteration: creation.state.iteration.max(1),
    };
    let asker = &creation.pipeline.asker;
    let answer = asker
        .ask(question, creation.parent.as_ref(), creation.token())
        .await
        .map_err(consequence)?;
    if let Some(usage) = answer.usage {
        creation.state.tokens.input += usage.input_tokens;
        creation.state.tokens.output += usage.output_tokens;
    }
    Ok(answer.text)
}

/// The validator's list, or the one thing that was wrong.
fn problems_of(error: &Error) -> Vec<Problem> {
    serde_json::from_value(error.details()["problems"].clone()).unwrap_or_else(|_| {
        vec![Problem {
            path: "$".to_owned(),
            message: error.message().to_owned(),
            fix: String::new(),
        }]
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Code;

    #[test]
    fn the_model_is_shown_every_problem_of_the_validator() {
        let listed = json!({ "problems": [{ "path": "$.name", "message": "is missing", "fix": "add it" }] });
        let error = Error::new(Code::SpecificationInvalid, "1 problem").with_details(listed);
        assert_eq!(problems_of(&error)[0].path, "$.name");
        let plain = Error::new(Code::DependencyUnsupported, "no left-pad");
        assert_eq!(problems_of(&plain)[0].message, "no left-pad");
    }
}
