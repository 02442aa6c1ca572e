//! Words become a specification: by the model, then validated like any other.

use serde_json::Value;

use super::ask::{Question, consequence};
use super::creation::{Allowed, Creation, final_error};
use super::validate;
use crate::error::{Code, Error};
use crate::generation::description;
use crate::queue::AttemptError;

/// Asks for a specification; one that has problems is shown to the model once.
pub async fn run(creation: &mut Creation<'_>, text: &str, allowed: &Allowed) -> Result<Value, AttemptError> {
    let mut prompt = description::prompt(text);
    let mut last = None;
    for _ in 0..2 {
        let question = Question {
            model_key: creation.request.model_key.as_deref(),
            system: description::system(),
            prompt: prompt.clone(),
            iteration: creation.state.iteration.max(1),
        };
        let answer = creation
            .pipeline
            .asker
            .ask(question, creation.parent.as_ref(), creation.token())
            .await
            .map_err(consequence)?;
        if let Some(usage) = answer.usage {
            creation.state.tokens.input += usage.input_tokens;
            creation.state.tokens.output += usage.output_tokens;
        }
        let problem = match description::parse(&answer.text) {
            Ok(value) => match validate::run(&value, allowed) {
                Ok(_) => return Ok(value),
                Err(error) => error,
            },
            Err(error) => error,
        };
        prompt = description::repair(text, &answer.text, &problem);
        last = Some(problem);
    }
    let error = last.unwrap_or_else(|| Error::new(Code::Internal, "no question was asked"));
    Err(final_error(error))
}
