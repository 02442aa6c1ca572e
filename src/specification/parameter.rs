//! Parameters of an action: a map, a list with names, or the form of JSON Schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::name;
use super::placeholder::is_identifier;
use super::problem::{Problems, shown};
use super::shape::{Object, kind, member};
use super::types::{Parameter, ParameterKind};

const MAX_PARAMETERS: usize = 30;
const MAX_CHOICES: usize = 100;
const KNOWN: &[&str] = &["type", "description", "required", "enum", "default"];
const KNOWN_IN_LIST: &[&str] = &["name", "type", "description", "required", "enum", "default"];
const KINDS: &[&str] = &["string", "number", "integer", "boolean"];

pub(super) fn read(problems: &mut Problems, action: &Object<'_>) -> BTreeMap<String, Parameter> {
    let mut parameters = BTreeMap::new();
    let path = action.at("parameters");
    match action.get("parameters") {
        None => {}
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate().take(MAX_PARAMETERS + 1) {
                let path = format!("{path}[{index}]");
                let Some(object) = Object::read(problems, &path, item, KNOWN_IN_LIST) else {
                    continue;
                };
                let Some(name) = object.text(problems, "name", 64) else {
                    continue;
                };
                let parameter = read_object(problems, &object, None);
                insert(problems, &mut parameters, &object.at("name"), name, parameter);
            }
        }
        Some(Value::Object(map)) => match json_schema(map) {
            Some((properties, required)) => {
                if let Some(value) = action.get("parameters") {
                    Object::read(problems, &path, value, &["type", "properties", "required"]);
                }
                for name in required.iter().filter(|name| !properties.contains_key(**name)) {
                    problems.add(
                        member(&path, "required"),
                        format!("names {}, which is not in properties", shown(name)),
                        "Add it there, or remove it here",
                    );
                }
                read_map(
                    problems,
                    &member(&path, "properties"),
                    properties,
                    Some(&required),
                    &mut parameters,
                );
            }
            None => read_map(problems, &path, map, None, &mut parameters),
        },
        Some(other) => problems.add(
            &path,
            format!("is {} and must be an object or a list", kind(other)),
            "Write { \"city\": { \"type\": \"string\", \"description\": \"…\", \"required\": true } }",
        ),
    }
    if parameters.len() > MAX_PARAMETERS {
        problems.add(
            path,
            format!("has more than {MAX_PARAMETERS} parameters"),
            "Split the action",
        );
    }
    parameters
}

/// `{ type: "object", properties, required }`, as models like to write it.
fn json_schema(map: &Map<String, Value>) -> Option<(&Map<String, Value>, Vec<&str>)> {
    let Some(Value::Object(properties)) = map.get("properties") else {
        return None;
    };
    if map.get("type").and_then(Value::as_str) != Some("object") {
        return None;
    }
    let required = map
        .get("required")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    Some((properties, required.iter().filter_map(Value::as_str).collect()))
}

fn read_map(
    problems: &mut Problems,
    path: &str,
    map: &Map<String, Value>,
    required: Option<&[&str]>,
    parameters: &mut BTreeMap<String, Parameter>,
) {
    for (name, value) in map.iter().take(MAX_PARAMETERS + 1) {
        let path = member(path, name);
        let required = required.map(|required| required.contains(&name.as_str()));
        let parameter = match value {
            Value::String(text) => read_kind(problems, &path, text).map(|kind| Parameter {
                kind,
                description: String::new(),
                required: required.unwrap_or(false),
                choices: Vec::new(),
                default: None,
            }),
            other => {
                Object::read(problems, &path, other, KNOWN).and_then(|object| read_object(problems, &object, required))
            }
        };
        insert(problems, parameters, &path, name, parameter);
    }
}

fn insert(
    problems: &mut Problems,
    parameters: &mut BTreeMap<String, Parameter>,
    path: &str,
    name: &str,
    parameter: Option<Parameter>,
) {
    if !is_identifier(name) || name.len() > 64 {
        let fix = name::camel(name).map_or_else(
            || "Use letters, digits and _, beginning with a letter".to_owned(),
            |better| format!("Write \"{better}\""),
        );
        problems.add(path, format!("{} cannot be a parameter's name", shown(name)), fix);
    } else if name::PARAMETERS.contains(&name) || name == "result" {
        problems.add(
            path,
            format!("\"{name}\" has a meaning of its own"),
            "Choose another name",
        );
    } else if parameters.contains_key(name) {
        problems.add(path, format!("\"{name}\" is there twice"), "Remove one of them");
    } else if let Some(parameter) = parameter {
        parameters.insert(name.to_owned(), parameter);
    }
}

fn read_object(problems: &mut Problems, object: &Object<'_>, required: Option<bool>) -> Option<Parameter> {
    let kind = match object.optional_text(problems, "type", 20) {
        Some(text) => read_kind(problems, &object.at("type"), text)?,
        None if object.get("type").is_some() => return None,
        None => ParameterKind::String,
    };
    let description = object
        .optional_text(problems, "description", 1000)
        .unwrap_or_default()
        .to_owned();
    let required = match (object.flag(problems, "required"), required) {
        (Some(own), _) => own,
        (None, listed) => listed.unwrap_or(false),
    };
    let choices: Vec<Value> = object
        .list(problems, "enum", MAX_CHOICES)
        .into_iter()
        .filter(|(path, value)| fits(problems, path, kind, value))
        .map(|(_, value)| value.clone())
        .collect();
    if matches!(object.get("enum"), Some(Value::Array(items)) if items.is_empty()) {
        problems.add(
            object.at("enum"),
            "is empty, so that no value would do",
            "Add values, or leave it out",
        );
    }
    let default = object
        .get("default")
        .filter(|value| fits(problems, &object.at("default"), kind, value))
        .cloned();
    if let Some(default) = &default
        && !choices.is_empty()
        && !choices.contains(default)
    {
        problems.add(
            object.at("default"),
            "is not one of the values in enum",
            "Add it there, or choose one of them",
        );
    }
    Some(Parameter {
        kind,
        description,
        required,
        choices,
        default,
    })
}

fn read_kind(problems: &mut Problems, path: &str, text: &str) -> Option<ParameterKind> {
    match text {
        "string" => Some(ParameterKind::String),
        "number" => Some(ParameterKind::Number),
        "integer" => Some(ParameterKind::Integer),
        "boolean" => Some(ParameterKind::Boolean),
        other => {
            let meant = match other {
                "int" => Some("integer"),
                "float" | "double" => Some("number"),
                "text" | "str" | "date" => Some("string"),
                _ => name::closest(other, KINDS),
            };
            let fix = meant.map_or_else(
                || {
                    format!(
                        "Write one of {}; a list or an object can be passed as a string of JSON",
                        KINDS.join(", ")
                    )
                },
                |meant| format!("Did you mean \"{meant}\"?"),
            );
            problems.add(path, format!("{} is not a type of a parameter", shown(other)), fix);
            None
        }
    }
}

/// Whether a value is of the declared type.
fn fits(problems: &mut Problems, path: &str, wanted: ParameterKind, value: &Value) -> bool {
    let (fits, name) = match wanted {
        ParameterKind::String => {
            let fits = value.as_str().is_some_and(|text| {
                !text.trim().is_empty() && text.len() <= 1000 && !text.chars().any(super::problem::is_unsafe)
            });
            (fits, "a text that is not empty")
        }
        ParameterKind::Number => (value.is_number(), "a number"),
        ParameterKind::Integer => {
            let safe = |number: f64| number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0;
            (value.as_f64().is_some_and(safe), "a whole number")
        }
        ParameterKind::Boolean => (value.is_boolean(), "true or false"),
    };
    if !fits {
        problems.add(
            path,
            format!("is {} and must be {name}, as the type says", kind(value)),
            "Change it, or the type",
        );
    }
    fits
}
