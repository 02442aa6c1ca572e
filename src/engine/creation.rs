//! From what a user asks for to a job that may be stored: validated, scanned, without a secret.

use std::path::Path;

use serde_json::json;

use super::backend::Creation;
use crate::error::{Code, Error, Result};
use crate::pipeline::{
    self, CreationRequest, DEFAULT_ITERATIONS, Generator, JOB_DEADLINE, JOB_NAME, Pipeline, REFUSED_SECRET, Wish,
    check_target,
};
use crate::queue::{JobOptions, NewJob};
use crate::scanner::Severity;

const MAX_ITERATIONS: u32 = 50;
const MAX_METADATA: usize = 16 << 10;
const MAX_USER_ID: usize = 256;
/// A day: no attempt takes longer.
const LONGEST: u64 = 86_400_000;

/// Checks all of it and makes the job. `model_key` names the model that the caller brought.
pub fn job_of(pipeline: &Pipeline, creation: Creation, model_key: Option<String>, has_default: bool) -> Result<NewJob> {
    let has_model = model_key.is_some() || has_default;
    let generator = generator_of(&creation, has_model)?;
    let wish = checked(pipeline, creation.wish)?;
    if matches!(wish, Wish::Description(_)) && !has_model {
        return Err(Error::new(
            Code::ModelNeeded,
            "words become a specification by a model; give `model` or `apiKey`, or give a specification",
        ));
    }
    let out_dir =
        creation.out_dir.map(std::path::absolute).transpose().map_err(|error| {
            Error::new(Code::OptionInvalid, "`outDir` is not a path that can be used").because(error)
        })?;
    if let Some(path) = &out_dir {
        // A path cannot be stored without a part of it, so whatever is found is a reason to refuse it.
        refuse_from(pipeline, Severity::Low, &path.to_string_lossy(), "`outDir`")?;
        check_target(path)?;
    }
    let iterations = creation.max_iterations.unwrap_or(DEFAULT_ITERATIONS);
    within("maxIterations", u64::from(iterations), 1, u64::from(MAX_ITERATIONS))?;
    let timeout = creation.timeout.unwrap_or(JOB_DEADLINE);
    within("timeout", timeout, 1, LONGEST)?;
    if creation
        .user_id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > MAX_USER_ID)
    {
        return Err(Error::new(
            Code::OptionInvalid,
            format!("`userId` must have 1 to {MAX_USER_ID} bytes"),
        ));
    }
    if let Some(metadata) = &creation.metadata {
        let text = metadata.to_string();
        if text.len() > MAX_METADATA {
            return Err(Error::new(
                Code::OptionInvalid,
                format!("`metadata` has more than {MAX_METADATA} bytes as JSON"),
            ));
        }
        refuse_secrets(pipeline, &text, "`metadata`")?;
    }
    if let Some(id) = &creation.user_id {
        refuse_secrets(pipeline, id, "`userId`")?;
    }
    let request = CreationRequest {
        wish,
        generator,
        max_iterations: iterations,
        model_key,
        out_dir,
    };
    Ok(NewJob {
        name: JOB_NAME.to_owned(),
        data: json!(request).into(),
        options: JobOptions {
            priority: creation.priority.unwrap_or_default(),
            timeout: Some(timeout),
            fair_key: creation.user_id.map(|id| pipeline.redact(&id)),
            metadata: creation.metadata.map(|metadata| pipeline.redact_value(metadata)),
            ..JobOptions::default()
        },
        reference: None,
    })
}

fn generator_of(creation: &Creation, has_model: bool) -> Result<Generator> {
    match creation.generator {
        Some(Generator::Model) if !has_model => Err(Error::new(
            Code::ModelNeeded,
            "`generator: 'model'` needs `model` or `apiKey`; give one, or use `generator: 'template'`",
        )),
        Some(generator) => Ok(generator),
        None => Ok(if has_model {
            Generator::Model
        } else {
            Generator::Template
        }),
    }
}

/// What is wrong is told now, not by a job that fails later; and no secret is ever stored: what is no reason to
/// refuse it is taken out.
fn checked(pipeline: &Pipeline, wish: Wish) -> Result<Wish> {
    match wish {
        Wish::Specification(value) => {
            // Before it is validated: what is wrong with it is told with pieces of it.
            refuse_secrets(pipeline, &value.to_string(), "the specification")?;
            let value = pipeline.redact_value(value);
            let (specification, _) = pipeline::validate(&value, &pipeline.allowed_dependencies()?)?;
            Ok(Wish::Specification(json!(specification)))
        }
        Wish::Description(text) => {
            pipeline::check_description(&text)?;
            refuse_secrets(pipeline, &text, "the description")?;
            Ok(Wish::Description(pipeline.redact(&text)))
        }
    }
}

fn refuse_secrets(pipeline: &Pipeline, text: &str, what: &str) -> Result<()> {
    refuse_from(pipeline, REFUSED_SECRET, text, what)
}

fn refuse_from(pipeline: &Pipeline, least: Severity, text: &str, what: &str) -> Result<()> {
    let Some(scanner) = &pipeline.examiner.scanner else {
        return Ok(());
    };
    let found = scanner.scan_text(text, None);
    pipeline.examiner.telemetry.metrics.scanned("request", &found);
    match found.secrets.iter().find(|finding| finding.severity >= least) {
        None => Ok(()),
        Some(finding) => Err(Error::new(
            Code::SecretFound,
            format!(
                "{what} holds a secret ({}); take it out, and name an environment variable instead of its value",
                finding.rule
            ),
        )),
    }
}

fn within(name: &str, value: u64, low: u64, high: u64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::new(
        Code::OptionInvalid,
        format!("`{name}` must be {low} to {high}, not {value}"),
    ))
}

/// The folder of plugins whose user named no place.
pub fn plugins_dir(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join("plugins")
}
