//! Values as TypeScript source.

use std::fmt::Write as _;

use serde_json::Value;

/// A value as a literal, its members on lines of their own, `indent` levels in.
pub(super) fn literal(value: &Value, indent: usize) -> String {
    let pad = "  ".repeat(indent + 1);
    let end = "  ".repeat(indent);
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            let line = items.iter().map(|item| literal(item, 0)).collect::<Vec<_>>().join(", ");
            format!("[{line}]")
        }
        Value::Array(items) => {
            let lines: Vec<String> = items.iter().map(|item| literal(item, indent + 1)).collect();
            format!("[\n{pad}{},\n{end}]", lines.join(&format!(",\n{pad}")))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let line = |(key, item): (&String, &Value)| format!("{}: {}", member(key), literal(item, indent + 1));
            let lines: Vec<String> = map.iter().map(line).collect();
            format!("{{\n{pad}{},\n{end}}}", lines.join(&format!(",\n{pad}")))
        }
        other => other.to_string(),
    }
}

/// A text in single quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('\'');
    for c in text.chars() {
        match c {
            '\'' => result.push_str("\\'"),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(result, "\\u{{{:x}}}", u32::from(c));
            }
            c => result.push(c),
        }
    }
    result.push('\'');
    result
}

/// The name of a member.
fn member(key: &str) -> String {
    if key == "__proto__" {
        // Without the brackets it would set the prototype.
        return "['__proto__']".to_owned();
    }
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { key.to_owned() } else { quoted(key) }
}

/// Fills `%%name%%` in one pass, so that a value is never taken for a template.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut result = String::with_capacity(template.len() * 2);
    for (index, part) in template.split("%%").enumerate() {
        if index % 2 == 0 {
            result.push_str(part);
        } else if let Some((_, value)) = values.iter().find(|(name, _)| *name == part) {
            result.push_str(value);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_cannot_leave_their_quotes() {
        assert_eq!(quoted("a'b\\\n\u{2028}${x}`"), "'a\\'b\\\\\\n\\u{2028}${x}`'");
        assert_eq!(
            literal(&json!({ "__proto__": 1, "a-b": [], "c": {} }), 0),
            "{\n  ['__proto__']: 1,\n  'a-b': [],\n  c: {},\n}"
        );
    }

    #[test]
    fn a_value_is_never_taken_for_a_template() {
        assert_eq!(fill("a %%x%% %%y%%", &[("x", "%%y%%"), ("y", "1")]), "a %%y%% 1");
    }
}
