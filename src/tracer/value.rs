//! The value of an attribute.

use serde::{Deserialize, Serialize};

/// What an attribute may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
    #[serde(serialize_with = "bits", deserialize_with = "from_bits")]
    Float(f64),
    List(Vec<Value>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// As bits, since JSON has no way to write every float.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn bits<S: serde::Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
    number.to_bits().serialize(to)
}

fn from_bits<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    u64::deserialize(from).map(f64::from_bits)
}
