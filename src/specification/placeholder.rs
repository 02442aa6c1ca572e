//! `{parameter}` and `${VARIABLE}` in texts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::types::Http;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder<'a> {
    Parameter(&'a str),
    Variable(&'a str),
}

/// The placeholders of a text, in order. Braces around anything but a name are plain text.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|offset| at + offset) {
        let inner = &text[open + 1..];
        at = open + 1;
        let Some(close) = inner.find('}') else { break };
        let name = &inner[..close];
        let variable = text[..open].ends_with('$');
        if variable && is_variable(name) {
            found.push(Placeholder::Variable(name));
        } else if is_identifier(name) {
            found.push(Placeholder::Parameter(name));
        } else {
            continue;
        }
        at = open + 1 + close + 1;
    }
    found
}

/// The placeholders in all strings of a JSON value; names of members are plain text.
pub fn placeholders_in_json(value: &Value) -> Vec<Placeholder<'_>> {
    match value {
        Value::String(text) => placeholders(text),
        Value::Array(items) => items.iter().flat_map(placeholders_in_json).collect(),
        Value::Object(map) => map.values().flat_map(placeholders_in_json).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Http {
    /// The environment variables that the request names, sorted.
    pub fn variables(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        let texts = std::iter::once(&self.url)
            .chain(self.query.values())
            .chain(self.headers.values());
        let body = self.body.as_ref().map(placeholders_in_json).unwrap_or_default();
        for placeholder in texts.flat_map(|text| placeholders(text)).chain(body) {
            if let Placeholder::Variable(name) = placeholder {
                names.insert(name.to_owned());
            }
        }
        names.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_found_and_other_braces_are_text() {
        assert_eq!(
            placeholders("a{city}/${KEY}{ x }{}{{y}}{1}"),
            [
                Placeholder::Parameter("city"),
                Placeholder::Variable("KEY"),
                Placeholder::Parameter("y")
            ]
        );
        assert_eq!(placeholders("{open"), []);
        assert_eq!(placeholders("é{ü}{a}"), [Placeholder::Parameter("a")]);
    }
}
