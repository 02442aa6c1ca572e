//! How much a span may hold. What is more is dropped and counted.

use super::value::Value;

/// The most that a span may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attributes of a span, an event or a link.
    pub attributes: usize,
    pub events: usize,
    pub links: usize,
    /// Bytes of a name or a text; longer ones are cut.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attributes: 128,
            events: 128,
            links: 128,
            text: 16_384,
        }
    }
}

impl Limits {
    /// The text, cut where it is too long.
    pub fn cut(&self, mut text: String) -> String {
        if text.len() > self.text {
            text.truncate(text.floor_char_boundary(self.text));
        }
        text
    }

    /// The value, with texts cut and lists shortened.
    pub fn fit(&self, value: Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.cut(text)),
            Value::List(values) => Value::List(
                values
                    .into_iter()
                    .take(self.attributes)
                    .map(|value| self.fit(value))
                    .collect(),
            ),
            value => value,
        }
    }

    /// Sets an attribute; false where it had to be dropped.
    pub fn set(&self, attributes: &mut Vec<(String, Value)>, key: &str, value: Value) -> bool {
        if let Some((_, old)) = attributes.iter_mut().find(|(known, _)| known == key) {
            *old = self.fit(value);
        } else if key.is_empty() || attributes.len() >= self.attributes {
            return false;
        } else {
            attributes.push((self.cut(key.to_owned()), self.fit(value)));
        }
        true
    }
}
