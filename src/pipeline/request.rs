//! What a creation job is asked, as it is stored.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The data of a creation job. It never holds a key: whoever needs a model brings it along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationRequest {
    #[serde(flatten)]
    pub wish: Wish,
    pub generator: Generator,
    /// Generate-to-boot rounds at most.
    pub max_iterations: u32,
    /// Names the model that the job brought along, as long as its process lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_key: Option<String>,
    /// Where the plugin is put; `None`: below the data directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_dir: Option<PathBuf>,
}

/// What the user said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wish {
    /// A specification that `specification::parse` accepted.
    Specification(Value),
    /// Words that a model turns into one.
    Description(String),
}

/// Who writes the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Generator {
    Model,
    Template,
}

/// Rounds at most where the user says nothing.
pub const DEFAULT_ITERATIONS: u32 = 5;
