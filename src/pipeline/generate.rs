//! Stage *generate*: files from the template, or from a model's reply.

use super::ask::{Asker, Question, consequence};
use super::checkpoint::Checkpoint;
use super::report::{Check, Where};
use super::request::Generator;
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::Code;
use crate::files::FileSet;
use crate::generation::{prompt, reply, template};
use crate::queue::AttemptError;
use crate::specification::Specification;
use crate::tracer::SpanContext;
use tokio_util::sync::CancellationToken;

/// What came of one round.
pub enum Generated {
    Files(FileSet, Check),
    /// The reply could not be used; the next round says so to the model.
    Unusable(Check),
}

/// What a round is made from.
pub struct Round<'a> {
    pub model_key: Option<&'a str>,
    pub generator: Generator,
    pub specification: &'a Specification,
    pub parent: Option<&'a SpanContext>,
    pub token: &'a CancellationToken,
}

/// Makes the files of the checkpoint's present iteration.
pub async fn run(asker: &Asker, round: Round<'_>, state: &mut Checkpoint) -> Result<Generated, AttemptError> {
    let started = asker.telemetry.clock.monotonic_ms();
    let check = Check::of(Stage::Generate, Where::Host);
    if round.generator == Generator::Template {
        let files = template::generate(round.specification);
        let check = check
            .saying("template")
            .counting("files", files.len() as u64)
            .judged(Vec::new());
        return Ok(Generated::Files(
            files,
            check.timed(asker.telemetry.clock.as_ref(), started),
        ));
    }
    let question = Question {
        model_key: round.model_key,
        system: prompt::system(round.specification),
        prompt: prompt_of(asker, round.specification, state),
        iteration: state.iteration,
    };
    let answer = asker
        .ask(question, round.parent, round.token)
        .await
        .map_err(consequence)?;
    if let Some(usage) = answer.usage {
        state.tokens.input += usage.input_tokens;
        state.tokens.output += usage.output_tokens;
    }
    let finish = answer.finish_reason.as_deref().unwrap_or("unknown");
    let check = check.saying(&format!("model, finish reason {finish}"));
    match reply::parse(&answer.text) {
        Ok(files) => {
            state.reply_problem = None;
            let check = check.counting("files", files.len() as u64).judged(Vec::new());
            Ok(Generated::Files(
                files,
                check.timed(asker.telemetry.clock.as_ref(), started),
            ))
        }
        Err(problem) if problem.code() == Code::ModelRefused => Err(AttemptError::Abort(problem.into(), None)),
        Err(problem) => {
            // What is told of a reply are pieces of it: those of one without secrets.
            let problem = reply::parse(&asker.redact(&answer.text)).err().unwrap_or(problem);
            state.reply_problem = Some(prompt::retry_format(&problem));
            let diagnostic = Diagnostic::of("", problem.code().as_str(), problem.message);
            Ok(Generated::Unusable(
                check
                    .judged(vec![diagnostic])
                    .timed(asker.telemetry.clock.as_ref(), started),
            ))
        }
    }
}

/// The first prompt, or one that shows what is to be mended; after a reply that could not be used, why.
fn prompt_of(asker: &Asker, specification: &Specification, state: &Checkpoint) -> String {
    let mut files: FileSet = state.sources.clone().into();
    // A secret that a model wrote was refused; to be mended, its place is shown and not the secret.
    for bytes in files.values_mut() {
        *bytes = asker.redact(&String::from_utf8_lossy(bytes)).into_bytes();
    }
    let request = if files.is_empty() {
        prompt::first(specification)
    } else {
        prompt::repair(specification, &files, &state.diagnostics)
    };
    match &state.reply_problem {
        Some(problem) => format!("{request}\n\n{problem}"),
        None => request,
    }
}
