//! How an engine is opened.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Code, Error, Result};

/// What crosses the border when an engine is opened. Each part may be `false` (switched off) or an
/// object of its own options.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EngineOptions {
    /// Holds the store, the plugins and the socket.
    pub data_dir: PathBuf,
    #[serde(default)]
    pub store: Option<String>,
    /// Creations at once. Default 2.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// Where the tools are kept. Default: the user's cache folder.
    #[serde(default)]
    pub toolchain_dir: Option<PathBuf>,
    /// The static program that is process 1 of a box.
    pub keeper_path: PathBuf,
    /// The installed package: lock file, harness.
    pub package_root: PathBuf,
    /// The Node binary for the box; `None` where the host is not Node.
    #[serde(default)]
    pub node_path: Option<PathBuf>,
    #[serde(default)]
    pub sandbox: Part,
    #[serde(default)]
    pub scanner: Part,
    #[serde(default)]
    pub dependencies: Part,
    #[serde(default)]
    pub breaker: Part,
    #[serde(default)]
    pub tracing: Part,
    #[serde(default)]
    pub queue: Part,
}

/// A part of the engine: switched off, or on with its options.
#[derive(Clone, Debug, Default)]
pub struct Part {
    off: bool,
    options: Value,
}

impl Part {
    /// Its options, or `None` where it is switched off.
    pub fn options(&self) -> Option<Value> {
        (!self.off).then(|| self.options.clone())
    }

    /// Whether it is switched off.
    pub const fn is_off(&self) -> bool {
        self.off
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self {
                off: true,
                options: Value::Null,
            }),
            Value::Bool(true) | Value::Null => Ok(Self::default()),
            options @ Value::Object(_) => Ok(Self { off: false, options }),
            _ => Err(serde::de::Error::custom(
                "a part of the engine is `false` or an object of options",
            )),
        }
    }
}

impl EngineOptions {
    /// Reads what a user gave; a key that is not known or a wrong type is an error.
    pub fn from_value(value: Value) -> Result<Self> {
        serde_json::from_value(value).map_err(|error| {
            Error::new(
                Code::OptionInvalid,
                format!("the engine's options are not right: {error}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(extra: &Value) -> Result<EngineOptions> {
        let mut value = json!({ "dataDir": "d", "keeperPath": "k", "packageRoot": "p" });
        for (key, part) in extra.as_object().unwrap() {
            value[key] = part.clone();
        }
        EngineOptions::from_value(value)
    }

    #[test]
    fn a_part_is_off_only_when_it_is_false() {
        assert!(with(&json!({ "sandbox": false })).unwrap().sandbox.is_off());
        assert_eq!(with(&json!({})).unwrap().sandbox.options(), Some(Value::Null));
        assert_eq!(
            with(&json!({ "sandbox": { "cpus": 2 } })).unwrap().sandbox.options(),
            Some(json!({ "cpus": 2 }))
        );
    }

    #[test]
    fn a_misspelt_key_and_a_wrong_type_are_refused() {
        for extra in [
            json!({ "concurency": 2 }),
            json!({ "concurrency": "2" }),
            json!({ "sandbox": 7 }),
        ] {
            assert_eq!(with(&extra).unwrap_err().code(), Code::OptionInvalid, "{extra}");
        }
    }
}
