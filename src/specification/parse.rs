//! From JSON to a specification: the only way in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::part::MAX_DESCRIPTION;
use super::problem::{Problems, shown};
use super::scope::Scope;
use super::shape::{Object, kind};
use super::types::{Action, Evaluator, Provider, Service, Specification};
use super::{dependency, http, list, name, parameter, part};
use crate::error::Result;

const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 24;

const ROOT: &[&str] = &[
    "name",
    "description",
    "version",
    "actions",
    "providers",
    "services",
    "evaluators",
    "dependencies",
    "environmentVariables",
];

/// The specification in a JSON text.
pub fn parse_json(text: &str) -> Result<Specification> {
    let mut problems = Problems::default();
    // Spaces for reading may double it; far more than that is not even parsed.
    if text.len() > MAX_BYTES * 4 {
        too_large(&mut problems, text.len());
        return Err(problems.into_error());
    }
    match serde_json::from_str(text) {
        Ok(value) => parse(&value),
        Err(error) => {
            let fix = "Check commas, quotes and brackets there; nesting may be 24 levels deep";
            problems.add("$", format!("is not JSON: {error}"), fix);
            Err(problems.into_error())
        }
    }
}

/// The specification in a JSON value; its error lists every problem with path and remedy.
pub fn parse(value: &Value) -> Result<Specification> {
    let mut problems = Problems::default();
    let mut bytes = 0;
    let fits = measure(value, 0, &mut bytes);
    if fits != Some(true) {
        if fits.is_none() {
            problems.add("$", "is nested too deeply", format!("Keep to {MAX_DEPTH} levels"));
        } else {
            too_large(&mut problems, bytes);
        }
        return Err(problems.into_error());
    }
    let specification = read(&mut problems, value);
    match specification {
        Some(specification) if problems.is_empty() => Ok(specification),
        _ => Err(problems.into_error()),
    }
}

fn too_large(problems: &mut Problems, bytes: usize) {
    let fix = format!(
        "Keep it to {} KB: shorten descriptions, or make two plugins",
        MAX_BYTES / 1024
    );
    problems.add(
        "$",
        format!("is too large (over {} KB)", bytes.min(MAX_BYTES * 4) / 1024),
        fix,
    );
}

/// Whether it is small enough; nothing where it is nested too deeply. Stops at the first excess.
fn measure(value: &Value, depth: usize, bytes: &mut usize) -> Option<bool> {
    if depth > MAX_DEPTH {
        return None;
    }
    *bytes += 2;
    match value {
        Value::String(text) => *bytes += text.len(),
        Value::Array(items) => {
            for item in items {
                if !measure(item, depth + 1, bytes)? {
                    return Some(false);
                }
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                *bytes += key.len() + 3;
                if !measure(item, depth + 1, bytes)? {
                    return Some(false);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => *bytes += 4,
    }
    Some(*bytes <= MAX_BYTES)
}

fn read(problems: &mut Problems, value: &Value) -> Option<Specification> {
    let root = Object::read(problems, "$", value, ROOT)?;
    let name = root
        .text(problems, "name", 100)
        .filter(|name| check_name(problems, &root.at("name"), name));
    let description = root.text(problems, "description", MAX_DESCRIPTION);
    let version = version(problems, &root);
    let (environment_variables, named) = part::variables(problems, &root);
    let none = BTreeMap::new();
    let mut specification = Specification {
        name: String::new(),
        description: String::new(),
        version,
        actions: Vec::new(),
        providers: Vec::new(),
        services: Vec::new(),
        evaluators: Vec::new(),
        dependencies: dependency::read(problems, &root),
        environment_variables: Vec::new(),
    };
    for (object, name, description) in list::read(problems, &root, &list::ACTIONS) {
        let parameters = parameter::read(problems, &object);
        let scope = Scope {
            parameters: &parameters,
            variables: &environment_variables,
            named: &named,
        };
        let http = http::read(problems, &object, &scope);
        specification.actions.push(Action {
            name,
            description,
            parameters,
            http,
        });
    }
    for (object, name, description) in list::read(problems, &root, &list::PROVIDERS) {
        let data_structure = data_structure(problems, &object);
        let scope = Scope {
            parameters: &none,
            variables: &environment_variables,
            named: &named,
        };
        let http = http::read(problems, &object, &scope);
        specification.providers.push(Provider {
            name,
            description,
            data_structure,
            http,
        });
    }
    for (object, name, description) in list::read(problems, &root, &list::SERVICES) {
        let methods = part::methods(problems, &object);
        specification.services.push(Service {
            name,
            description,
            methods,
        });
    }
    for (object, name, description) in list::read(problems, &root, &list::EVALUATORS) {
        let triggers = part::triggers(problems, &object);
        specification.evaluators.push(Evaluator {
            name,
            description,
            triggers,
        });
    }
    check_not_empty(problems, &root);
    specification.name = name?.to_owned();
    specification.description = description?.trim().to_owned();
    specification.environment_variables = environment_variables;
    Some(specification)
}

fn version(problems: &mut Problems, root: &Object<'_>) -> Option<String> {
    let version = root.optional_text(problems, "version", 100)?;
    let fits = nodejs_semver::Version::parse(version).is_ok() && version.starts_with(|c: char| c.is_ascii_digit());
    if !fits {
        let what = format!("{} is not a semver version", shown(version));
        problems.add(root.at("version"), what, "Write it like 1.0.0");
    }
    fits.then(|| version.to_owned())
}

fn data_structure(problems: &mut Problems, provider: &Object<'_>) -> Option<Value> {
    let value = provider.get("dataStructure")?;
    if value.is_null() || value.is_boolean() || value.is_number() {
        let what = format!("is {} and must be an object", kind(value));
        let fix = "Describe the data, such as { \"price\": \"number\" }";
        problems.add(provider.at("dataStructure"), what, fix);
    }
    Some(value.clone())
}

fn check_not_empty(problems: &mut Problems, root: &Object<'_>) {
    let lists = [&list::ACTIONS, &list::PROVIDERS, &list::SERVICES, &list::EVALUATORS];
    let empty = |key: &str| {
        root.get(key)
            .is_none_or(|value| value.as_array().is_some_and(Vec::is_empty))
    };
    if lists.iter().all(|list| empty(list.key)) {
        problems.add(
            "$",
            "asks for no action, provider, service or evaluator",
            "Add at least one, such as \"actions\": [{ \"name\": …, \"description\": … }]",
        );
    }
}

fn check_name(problems: &mut Problems, path: &str, name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem = base
        .strip_prefix("elizaos-")
        .unwrap_or(base)
        .strip_prefix("plugin-")
        .unwrap_or_default();
    let tidy =
        stem.starts_with(|c: char| c.is_ascii_alphanumeric()) && stem.ends_with(|c: char| c.is_ascii_alphanumeric());
    if name::PLUGINS.contains(&name) {
        problems.add(
            path,
            format!("\"{name}\" is a package of ElizaOS itself"),
            "Choose another name, in a scope of yours",
        );
        return false;
    }
    if dependency::is_package_name(name) && tidy {
        return true;
    }
    let plain: String = base
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let plain = plain.trim_matches('-').trim_start_matches("plugin-").trim_matches('-');
    let suggestion = if plain.is_empty() { "name" } else { plain };
    let fix = format!("Write it in lower case like plugin-{suggestion} or @your-scope/plugin-{suggestion}");
    problems.add(
        path,
        format!("{} is not a name of a plugin's package", shown(name)),
        fix,
    );
    false
}
