//! Stage *validate*: the specification, and the dependencies it names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::{Check, Where};
use super::stage::Stage;
use crate::error::{Code, Error, Result};
use crate::specification::{self, Specification};

/// Bytes of a description in words.
const MAX_DESCRIPTION: usize = 20_000;

/// Parses the specification and refuses packages that are not in the toolchain lock.
pub fn run(value: &Value, allowed: &BTreeMap<String, String>) -> Result<(Specification, Check)> {
    let specification = specification::parse(value)?;
    refuse_unknown_packages(&specification, allowed)?;
    let check = Check::of(Stage::Validate, Where::Host)
        .counting("actions", specification.actions.len() as u64)
        .counting("providers", specification.providers.len() as u64)
        .counting("services", specification.services.len() as u64)
        .counting("evaluators", specification.evaluators.len() as u64)
        .judged(Vec::new());
    Ok((specification, check))
}

fn refuse_unknown_packages(specification: &Specification, allowed: &BTreeMap<String, String>) -> Result<()> {
    let unknown: Vec<&str> = specification
        .dependencies
        .keys()
        .filter(|name| !allowed.contains_key(*name))
        .map(String::as_str)
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = allowed.keys().map(String::as_str).collect();
    Err(Error::new(
        Code::DependencyUnsupported,
        format!(
            "a plugin cannot depend on {} yet; it may use {}",
            unknown.join(", "),
            known.join(", ")
        ),
    ))
}

/// Checks a description before anything is done with it.
pub fn description(text: &str) -> Result<()> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Error::new(
            Code::OptionInvalid,
            "the description is empty; say what the plugin should do",
        ));
    }
    if text.len() > MAX_DESCRIPTION {
        return Err(Error::new(
            Code::OptionInvalid,
            format!(
                "the description has {} bytes; at most {MAX_DESCRIPTION} are taken",
                text.len()
            ),
        ));
    }
    Ok(())
}
