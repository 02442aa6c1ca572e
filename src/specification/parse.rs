//! From JSON to a specification: the only way in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::http::{self, Scope};
use super::name;
use super::placeholder::{is_identifier, is_variable};
use super::problem::{Problems, shown};
use super::shape::{self, Object, kind};
use super::types::{Action, EnvironmentVariable, Evaluator, Provider, Service, ServiceMethod, Specification};
use super::{dependency, parameter};
use crate::error::Result;

const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 24;
const MAX_DESCRIPTION: usize = 4000;
const MAX_COMPONENTS: usize = 50;

const ROOT: &[&str] = &[
    "name", "description", "version", "actions", "providers", "services", "evaluators", "dependencies",
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
    let fix = format!("Keep it to {} KB: shorten descriptions, or make two plugins", MAX_BYTES / 1024);
    problems.add("$", format!("is too large (over {} KB)", bytes.min(MAX_BYTES * 4) / 1024), fix);
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
    let name = root.text(problems, "name", 100).filter(|name| check_name(problems, &root.at("name"), name));
    let description = root.text(problems, "description", MAX_DESCRIPTION);
    let version = root.optional_text(problems, "version", 100).filter(|version| {
        let fits = nodejs_semver::Version::parse(version).is_ok() && version.starts_with(|c: char| c.is_ascii_digit());
        if !fits {
            problems.add(root.at("version"), format!("{} is not a semver version", shown(version)), "Write it like 1.0.0");
        }
        fits
    });
    let (environment_variables, named) = read_variables(problems, &root);
    let none = BTreeMap::new();
    let mut specification = Specification {
        name: String::new(),
        description: String::new(),
        version: version.map(str::to_owned),
        actions: Vec::new(),
        providers: Vec::new(),
        services: Vec::new(),
        evaluators: Vec::new(),
        dependencies: dependency::read(problems, &root),
        environment_variables: Vec::new(),
    };
    for (object, name, description) in components(problems, &root, &ACTIONS) {
        let parameters = parameter::read(problems, &object);
        let scope = Scope { parameters: &parameters, variables: &environment_variables, named: &named };
        let http = http::read(problems, &object, &scope);
        specification.actions.push(Action { name, description, parameters, http });
    }
    for (object, name, description) in components(problems, &root, &PROVIDERS) {
        let data_structure = object.get("dataStructure").cloned();
        if let Some(wrong) = data_structure.as_ref().filter(|value| value.is_null() || value.is_boolean() || value.is_number()) {
            problems.add(object.at("dataStructure"), format!("is {} and must be an object", kind(wrong)), "Describe the data, such as { \"price\": \"number\" }");
        }
        let scope = Scope { parameters: &none, variables: &environment_variables, named: &named };
        let http = http::read(problems, &object, &scope);
        specification.providers.push(Provider { name, description, data_structure, http });
    }
    for (object, name, description) in components(problems, &root, &SERVICES) {
        let methods = read_methods(problems, &object);
        specification.services.push(Service { name, description, methods });
    }
    for (object, name, description) in components(problems, &root, &EVALUATORS) {
        let triggers = read_triggers(problems, &object);
        specification.evaluators.push(Evaluator { name, description, triggers });
    }
    let lists = [&ACTIONS, &PROVIDERS, &SERVICES, &EVALUATORS];
    let empty = |key: &str| root.get(key).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty));
    if lists.iter().all(|list| empty(list.key)) {
        problems.add("$", "asks for no action, provider, service or evaluator", "Add at least one, such as \"actions\": [{ \"name\": …, \"description\": … }]");
    }
    specification.name = name?.to_owned();
    specification.description = description?.trim().to_owned();
    specification.environment_variables = environment_variables;
    Some(specification)
}

fn check_name(problems: &mut Problems, path: &str, name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem = base.strip_prefix("elizaos-").unwrap_or(base).strip_prefix("plugin-").unwrap_or_default();
    let tidy = stem.starts_with(|c: char| c.is_ascii_alphanumeric()) && stem.ends_with(|c: char| c.is_ascii_alphanumeric());
    if name::PLUGINS.contains(&name) {
        problems.add(path, format!("\"{name}\" is a package of ElizaOS itself"), "Choose another name, in a scope of yours");
        return false;
    }
    if dependency::is_package_name(name) && tidy {
        return true;
    }
    let plain: String = base.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let plain = plain.trim_matches('-').trim_start_matches("plugin-").trim_matches('-');
    let suggestion = if plain.is_empty() { "name" } else { plain };
    let fix = format!("Write it in lower case like plugin-{suggestion} or @your-scope/plugin-{suggestion}");
    problems.add(path, format!("{} is not a name of a plugin's package", shown(name)), fix);
    false
}

/// One of the four lists of components.
struct List {
    key: &'static str,
    known: &'static [&'static str],
    reserved: &'static [&'static str],
    write: fn(&str) -> Option<String>,
    style: &'static str,
}

const ACTIONS: List = List {
    key: "actions",
    known: &["name", "description", "parameters", "http"],
    reserved: name::reserved_action_names(),
    write: name::upper_snake,
    style: "GET_WEATHER",
};
const PROVIDERS: List = List {
    key: "providers",
    known: &["name", "description", "dataStructure", "http"],
    reserved: name::PROVIDERS,
    write: name::upper_snake,
    style: "WEATHER_NOW",
};
const SERVICES: List = List {
    key: "services",
    known: &["name", "description", "methods"],
    reserved: name::SERVICES,
    write: name::lower_snake,
    style: "weather_watch",
};
const EVALUATORS: List = List {
    key: "evaluators",
    known: &["name", "description", "triggers"],
    reserved: name::EVALUATORS,
    write: name::upper_snake,
    style: "WEATHER_MENTIONED",
};

/// The items of a list with their names as ElizaOS writes them, and their descriptions.
fn components<'a>(problems: &mut Problems, root: &Object<'a>, list: &List) -> Vec<(Object<'a>, String, String)> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut found = Vec::new();
    for (path, item) in root.list(problems, list.key, MAX_COMPONENTS) {
        let Some(object) = Object::read(problems, &path, item, list.known) else { continue };
        let given = object.text(problems, "name", 64);
        let description = object.text(problems, "description", MAX_DESCRIPTION);
        let at = object.at("name");
        let mut name = given.and_then(|given| {
            let written = (list.write)(given).filter(|name| name.len() >= 2);
            if written.is_none() {
                let fix = format!("Use letters, digits and _, beginning with a letter, like {}", list.style);
                problems.add(&at, format!("{} cannot be a name", shown(given)), fix);
            }
            written
        });
        if let Some(taken) = name.take_if(|name| list.reserved.contains(&name.as_str())) {
            problems.add(&at, format!("\"{taken}\" is a name of ElizaOS itself"), "Choose a name that says more");
        }
        if let Some(name) = &name
            && let Some(first) = seen.insert(name.clone(), path.clone())
        {
            problems.add(&at, format!("\"{name}\" is there already, at {first}"), "Rename one of them");
        }
        // Its other members are still read, so that their problems are told too.
        found.push((object, name.unwrap_or_default(), description.unwrap_or_default().trim().to_owned()));
    }
    found
}

fn read_variables(problems: &mut Problems, root: &Object<'_>) -> (Vec<EnvironmentVariable>, BTreeSet<String>) {
    let mut named = BTreeSet::new();
    let mut variables = Vec::new();
    for (path, item) in root.list(problems, "environmentVariables", MAX_COMPONENTS) {
        let Some(object) = Object::read(problems, &path, item, &["name", "description", "required", "sensitive"]) else { continue };
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
            problems.add(at, format!("\"{name}\" steers the process itself"), "Choose a name of the plugin's own");
        } else if !named.insert(name.to_owned()) {
            problems.add(at, format!("\"{name}\" is there twice"), "Remove one of them");
        }
        named.insert(name.to_owned());
        // Where it is not said, a name that sounds like a secret is taken for one.
        let sounds = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"].iter().any(|word| name.contains(word));
        variables.push(EnvironmentVariable {
            name: name.to_owned(),
            description: description.unwrap_or_default().trim().to_owned(),
            required,
            sensitive: sensitive.unwrap_or(sounds),
        });
    }
    (variables, named)
}

fn read_methods(problems: &mut Problems, service: &Object<'_>) -> Vec<ServiceMethod> {
    let mut methods: Vec<ServiceMethod> = Vec::new();
    for (path, item) in service.list(problems, "methods", MAX_COMPONENTS) {
        let (at, given, description) = if let Value::String(_) = item {
            (path.clone(), shape::text(problems, &path, item, 64), None)
        } else {
            let Some(object) = Object::read(problems, &path, item, &["name", "description"]) else { continue };
            let name = object.text(problems, "name", 64);
            (object.at("name"), name, object.optional_text(problems, "description", MAX_DESCRIPTION))
        };
        let Some(given) = given else { continue };
        let plain = is_identifier(given) && given.starts_with(|c: char| c.is_ascii_lowercase()) && !given.contains('_');
        let Some(name) = (if plain { Some(given.to_owned()) } else { name::camel(given) }) else {
            problems.add(at, format!("{} cannot be a name of a method", shown(given)), "Write it like getForecast");
            continue;
        };
        if name::METHODS.contains(&name.as_str()) || is_keyword(&name) {
            problems.add(at, format!("\"{name}\" has a meaning of its own"), "Choose another name");
        } else if methods.iter().any(|method| method.name == name) {
            problems.add(at, format!("\"{name}\" is there twice"), "Remove one of them");
        } else {
            methods.push(ServiceMethod { name, description: description.unwrap_or_default().trim().to_owned() });
        }
    }
    methods
}

/// Words that are legal as a method's name and confuse readers and linters.
fn is_keyword(name: &str) -> bool {
    matches!(name, "delete" | "new" | "function" | "class" | "return" | "await" | "async" | "get" | "set" | "static")
}

fn read_triggers(problems: &mut Problems, evaluator: &Object<'_>) -> Vec<String> {
    let items = match evaluator.get("triggers") {
        Some(text @ Value::String(_)) => vec![(evaluator.at("triggers"), text)],
        _ => evaluator.list(problems, "triggers", MAX_COMPONENTS),
    };
    let mut triggers: Vec<String> = Vec::new();
    for (path, item) in items {
        let Some(text) = shape::text(problems, &path, item, 200) else { continue };
        if text.trim().is_empty() {
            problems.add(path, "is empty and would fit every message", "Write a word or a phrase, or leave triggers out");
        } else if !triggers.iter().any(|trigger| trigger == text.trim()) {
            triggers.push(text.trim().to_owned());
        }
    }
    triggers
}
