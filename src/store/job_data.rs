//! The data of a job: JSON that goes through the engine as it was written, and is read only where somebody looks
//! into it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// JSON as text. Formats other than JSON, and `serde(flatten)`, cannot read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobData(Box<RawValue>);

impl JobData {
    /// Text that has to be JSON.
    pub fn from_text(text: String) -> serde_json::Result<Self> {
        RawValue::from_string(text).map(Self)
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Reads it.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.text())
    }

    /// As a value; null where its numbers cannot be held.
    pub fn value(&self) -> Value {
        self.read().unwrap_or_default()
    }
}

impl Default for JobData {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl From<Value> for JobData {
    fn from(value: Value) -> Self {
        RawValue::from_string(value.to_string()).map_or_else(|_| Self::default(), Self)
    }
}

/// The same value may be written in several ways.
impl PartialEq for JobData {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() || self.value() == other.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_goes_through_as_it_was_written() {
        let text = r#"{"z":1.50,"a":[null,"\u0000é"],"n":123456789012345678901234567890}"#;
        let data = JobData::from_text(text.to_owned()).unwrap();
        assert_eq!(data.text(), text);
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
        let within: std::collections::HashMap<String, JobData> = serde_json::from_str(r#"{ "a" : [1, 2] }"#).unwrap();
        assert_eq!(within["a"].value(), json!([1, 2]));
        assert!(JobData::from_text("{".to_owned()).is_err());
    }

    #[test]
    fn it_goes_through_values_too() {
        let data = JobData::from(json!({ "a": 1 }));
        let value = serde_json::to_value(&data).unwrap();
        assert_eq!(value, json!({ "a": 1 }));
        assert_eq!(serde_json::from_value::<JobData>(value).unwrap(), data);
        assert_eq!(JobData::default().value(), Value::Null);
    }
}
