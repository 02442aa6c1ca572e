//! Reading JSON by hand, so that every problem is found and has a path.

use serde_json::{Map, Value};

use super::name::closest;
use super::problem::{Problems, is_unsafe, shown};

/// A JSON object at its path, with only known members.
pub(super) struct Object<'a> {
    pub(super) path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The object at `path`; members that are not in `known` are problems.
    pub(super) fn read(problems: &mut Problems, path: &str, value: &'a Value, known: &[&str]) -> Option<Self> {
        let Value::Object(map) = value else {
            problems.add(
                path,
                format!("is {} and must be an object", kind(value)),
                example(known),
            );
            return None;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let fix = closest(key, known).map_or_else(
                || format!("Remove it; known are {}", known.join(", ")),
                |meant| format!("Did you mean \"{meant}\"?"),
            );
            problems.add(member(path, key), format!("is not known: {}", shown(key)), fix);
        }
        Some(Self {
            path: path.to_owned(),
            map,
        })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    pub(super) fn at(&self, key: &str) -> String {
        member(&self.path, key)
    }

    /// A text of 1 to `max` characters that must be there.
    pub(super) fn text(&self, problems: &mut Problems, key: &str, max: usize) -> Option<&'a str> {
        if let Some(value) = self.get(key) {
            let text = text(problems, &self.at(key), value, max)?;
            if text.trim().is_empty() {
                problems.add(self.at(key), "is empty", "Write what it is");
                return None;
            }
            return Some(text);
        }
        problems.add(
            self.at(key),
            "is missing",
            format!("Add \"{key}\", a text of at most {max} characters"),
        );
        None
    }

    /// A text of at most `max` characters, or nothing.
    pub(super) fn optional_text(&self, problems: &mut Problems, key: &str, max: usize) -> Option<&'a str> {
        self.get(key)
            .and_then(|value| text(problems, &self.at(key), value, max))
    }

    /// A truth value, or nothing.
    pub(super) fn flag(&self, problems: &mut Problems, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(flag) => Some(*flag),
            other => {
                problems.add(
                    self.at(key),
                    format!("is {} and must be true or false", kind(other)),
                    "Write true or false, without quotes",
                );
                None
            }
        }
    }

    /// The items of a list with their paths; none where there is no list.
    pub(super) fn list(&self, problems: &mut Problems, key: &str, max: usize) -> Vec<(String, &'a Value)> {
        let path = self.at(key);
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Array(items)) if items.len() > max => {
                problems.add(
                    path,
                    format!("has {} items", items.len()),
                    format!("Keep to {max}, or make two plugins"),
                );
                Vec::new()
            }
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (format!("{path}[{index}]"), item))
                .collect(),
            Some(other) => {
                problems.add(
                    path,
                    format!("is {} and must be a list", kind(other)),
                    "Put it in [ ], or leave it out",
                );
                Vec::new()
            }
        }
    }

    /// The members of a map of texts.
    pub(super) fn texts(&self, problems: &mut Problems, key: &str, max: usize) -> Vec<(&'a String, &'a str)> {
        let path = self.at(key);
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Object(map)) if map.len() > 50 => {
                problems.add(path, format!("has {} members", map.len()), "Keep to 50");
                Vec::new()
            }
            Some(Value::Object(map)) => map
                .iter()
                .filter_map(|(name, value)| Some((name, text(problems, &member(&path, name), value, max)?)))
                .collect(),
            Some(other) => {
                problems.add(
                    path,
                    format!("is {} and must be an object of texts", kind(other)),
                    "Write { \"name\": \"text\" }",
                );
                Vec::new()
            }
        }
    }
}

/// A text of at most `max` characters without control characters.
pub(super) fn text<'a>(problems: &mut Problems, path: &str, value: &'a Value, max: usize) -> Option<&'a str> {
    let Value::String(text) = value else {
        problems.add(
            path,
            format!("is {} and must be a text", kind(value)),
            "Write it in quotes, or leave it out",
        );
        return None;
    };
    let length = text.chars().count();
    if length > max {
        problems.add(path, format!("has {length} characters"), format!("Shorten it to {max}"));
        return None;
    }
    if text.chars().any(is_unsafe) {
        problems.add(
            path,
            "holds control, invisible or text-reordering characters",
            "Remove them",
        );
        return None;
    }
    Some(text)
}

/// `$.a.b` for plain names, `$.a["b c"]` for others.
pub(super) fn member(path: &str, key: &str) -> String {
    let plain =
        !key.is_empty() && key.len() <= 60 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        format!("{path}.{key}")
    } else {
        format!("{path}[{}]", shown(key))
    }
}

pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn example(known: &[&str]) -> String {
    format!("Write an object with {}", known.join(", "))
}
