//! Values and answers that the generated tests use.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::specification::{Action, Http, Parameter, ParameterKind, Placeholder, Specification, Step, placeholders};

/// The value of every setting in the tests.
pub(super) const SETTING: &str = "drawn";

/// A value that the parameter allows; a text has characters that must be encoded.
pub(super) fn value(name: &str, parameter: &Parameter) -> Value {
    if let Some(first) = parameter.choices.first() {
        return first.clone();
    }
    match parameter.kind {
        ParameterKind::String => json!(format!("some {name} & more")),
        ParameterKind::Number => json!(12.5),
        ParameterKind::Integer => json!(7),
        ParameterKind::Boolean => json!(true),
    }
}

/// A value that it does not allow.
pub(super) fn wrong(parameter: &Parameter) -> Value {
    if parameter.choices.is_empty() && parameter.kind == ParameterKind::String {
        return json!({ "not": "a text" });
    }
    json!("no such value, surely")
}

pub(super) fn values(action: &Action) -> BTreeMap<String, Value> {
    action
        .parameters
        .iter()
        .map(|(name, parameter)| (name.clone(), value(name, parameter)))
        .collect()
}

/// A value as JavaScript's `String` writes it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// The variables without which the request is not made.
pub(super) fn needs(specification: &Specification, http: &Http) -> Vec<String> {
    let required = |name: &String| {
        specification
            .environment_variables
            .iter()
            .any(|variable| variable.required && variable.name == *name)
    };
    http.variables().into_iter().filter(required).collect()
}

/// A text with its placeholders filled.
pub(super) fn filled(template: &str, values: &BTreeMap<String, Value>, encode: bool) -> String {
    let mut result = template.to_owned();
    // Each is replaced at its own place, from the left, so that a value is not read as a placeholder.
    let mut at = 0;
    for placeholder in placeholders(template) {
        let (mark, value) = match placeholder {
            Placeholder::Parameter(name) => (format!("{{{name}}}"), values.get(name).map(text).unwrap_or_default()),
            Placeholder::Variable(name) => (format!("${{{name}}}"), SETTING.to_owned()),
        };
        let value = if encode { encoded(&value) } else { value };
        if let Some(found) = result[at..].find(&mark).map(|offset| at + offset) {
            result.replace_range(found..found + mark.len(), &value);
            at = found + value.len();
        }
    }
    result
}

/// The body with its placeholders filled, the way the plugin does it.
pub(super) fn filled_json(template: &Value, values: &BTreeMap<String, Value>) -> Value {
    match template {
        Value::String(text) => {
            let whole = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
                .and_then(|name| values.get(name));
            whole
                .cloned()
                .unwrap_or_else(|| Value::String(filled(text, values, false)))
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| filled_json(item, values)).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, item)| (key.clone(), filled_json(item, values)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// An answer that has `result` at its place.
pub(super) fn answer(http: &Http, result: &Value) -> Value {
    http.place()
        .into_iter()
        .rev()
        .fold(result.clone(), |inner, step| match step {
            Step::Key(key) => Value::Object(Map::from_iter([(key, inner)])),
            Step::Index(index) => {
                let mut items = vec![Value::Null; index as usize];
                items.push(inner);
                Value::Array(items)
            }
        })
}

/// As `encodeURIComponent` does it.
fn encoded(text: &str) -> String {
    let mut result = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            result.push(char::from(byte));
        } else {
            let _ = write!(result, "%{byte:02X}");
        }
    }
    result
}
