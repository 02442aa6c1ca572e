//! Small values under keys, which the processes on a store share: such as where a circuit breaker stands.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Code, Error, Result};

/// Characters of a key, and bytes of a value.
const MOST_KEY: usize = 1_100;
const MOST_VALUE: usize = 16 << 10;

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedState {
    pub key: String,
    /// Grows with each change, from 1.
    pub version: i64,
    pub value: Value,
    /// Milliseconds since it was written, by the store's time.
    pub age: i64,
}

/// The value as text; `OPTION_INVALID` where it is too large, or its key is.
pub fn checked(key: &str, value: &Value) -> Result<String> {
    let text = value.to_string();
    if key.is_empty() || key.chars().count() > MOST_KEY || key.contains('\0') || text.len() > MOST_VALUE {
        return Err(Error::new(
            Code::OptionInvalid,
            format!(
                "a shared state has a key of 1 to {MOST_KEY} characters without NUL and at most {MOST_VALUE} bytes"
            ),
        ));
    }
    Ok(text)
}
