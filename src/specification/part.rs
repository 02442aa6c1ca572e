//! Variables, methods and triggers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::name;
use super::placeholder::{is_identifier, is_variable};
use super::problem::{Problems, shown};
use super::shape::{self, Object};
use super::types::{EnvironmentVariable, ServiceMethod};

pub(super) const MAX_DESCRIPTION: usize = 4000;
pub(super) const MAX_COMPONENTS: usize = 50;

pub(super) fn variables(problems: &mut Problems, root: &Object<'_>) -> (Vec<EnvironmentVariable>, BTreeSet<String>) {
    let mut named = BTreeSet::new();
    let mut variables = Vec::new();
    for (path, item) in root.list(problems, "environmentVariables", MAX_COMPONENTS) {
        let Some(object) = Object::read(problems, &path, item, &["name", "description", "required", "sensitive"])
        else {
            continue;
        };
        let name = object.text(problems, "name", 64);
        let description = object.text(problems, "description", MAX_DESCRIPTION);
        let required = object.flag(problems, "required").unwrap_or(false);
        let sensitive = object.flag(problems, "sensitive");
        let Some(name) = name else { continue };
        let at = object.at("name");
        if !is_variable(name) {
            let fix = name::upper_snake(name).map_or_else(
                || "Use capitals, digits and _, beginning with a letter".to_owned(),
                |better| format!("Write \"{better}\""),
            );
            problems.add(at, format!("{} is not UPPER_SNAKE_CASE", shown(name)), fix);
            continue;
        }
        if name::VARIABLES.contains(&name) {
            problems.add(
                at,
                format!("\"{name}\" steers the process itself"),
                "Choose a name of the plugin's own",
            );
        } else if !named.insert(name.to_owned()) {
            problems.add(at, format!("\"{name}\" is there twice"), "Remove one of them");
        }
        named.insert(name.to_owned());
        // Where it is not said, a name that sounds like a secret is taken for one.
        let sounds = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"]
            .iter()
            .any(|word| name.contains(word));
        variables.push(EnvironmentVariable {
            name: name.to_owned(),
            description: description.unwrap_or_default().trim().to_owned(),
            required,
            sensitive: sensitive.unwrap_or(sounds),
        });
    }
    (variables, named)
}

pub(super) fn methods(problems: &mut Problems, service: &Object<'_>) -> Vec<ServiceMethod> {
    let mut methods: Vec<ServiceMethod> = Vec::new();
    for (path, item) in service.list(problems, "methods", MAX_COMPONENTS) {
        let (at, given, description) = if let Value::String(_) = item {
            (path.clone(), shape::text(problems, &path, item, 64), None)
        } else {
            let Some(object) = Object::read(problems, &path, item, &["name", "description"]) else {
                continue;
            };
            let name = object.text(problems, "name", 64);
            (
                object.at("name"),
                name,
                object.optional_text(problems, "description", MAX_DESCRIPTION),
            )
        };
        let Some(given) = given else { continue };
        let plain = is_identifier(given) && given.starts_with(|c: char| c.is_ascii_lowercase()) && !given.contains('_');
        let Some(name) = (if plain {
            Some(given.to_owned())
        } else {
            name::camel(given)
        }) else {
            problems.add(
                at,
                format!("{} cannot be a name of a method", shown(given)),
                "Write it like getForecast",
            );
            continue;
        };
        if name::METHODS.contains(&name.as_str()) || is_keyword(&name) {
            problems.add(
                at,
                format!("\"{name}\" has a meaning of its own"),
                "Choose another name",
            );
        } else if methods.iter().any(|method| method.name == name) {
            problems.add(at, format!("\"{name}\" is there twice"), "Remove one of them");
        } else {
            methods.push(ServiceMethod {
                name,
                description: description.unwrap_or_default().trim().to_owned(),
            });
        }
    }
    methods
}

/// Words that are legal as a method's name and confuse readers and linters.
fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "delete" | "new" | "function" | "class" | "return" | "await" | "async" | "get" | "set" | "static"
    )
}

pub(super) fn triggers(problems: &mut Problems, evaluator: &Object<'_>) -> Vec<String> {
    let items = match evaluator.get("triggers") {
        Some(text @ Value::String(_)) => vec![(evaluator.at("triggers"), text)],
        _ => evaluator.list(problems, "triggers", MAX_COMPONENTS),
    };
    let mut triggers: Vec<String> = Vec::new();
    for (path, item) in items {
        let Some(text) = shape::text(problems, &path, item, 200) else {
            continue;
        };
        if text.trim().is_empty() {
            problems.add(
                path,
                "is empty and would fit every message",
                "Write a word or a phrase, or leave triggers out",
            );
        } else if !triggers.iter().any(|trigger| trigger == text.trim()) {
            triggers.push(text.trim().to_owned());
        }
    }
    triggers
}
