//! The port to a language model: text in, text out.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::error::Result;

/// Whoever answers a prompt. An implementation classifies its failures: `ModelUnauthorized`,
/// `ModelRateLimited` (with `details.retryAfterMs`), `ModelUnavailable`, `ModelRefused`, `ModelFailed`.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// Answers one prompt, or ends soon after `token` is cancelled.
    async fn complete(&self, request: ModelRequest, token: CancellationToken) -> Result<ModelReply>;
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    pub system: String,
    pub prompt: String,
    pub max_tokens: u32,
    pub temperature: f64,
    /// From 1.
    pub iteration: u32,
    /// Names the span of the call, so that what the model does is below it.
    #[serde(default)]
    pub traceparent: Option<String>,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelReply {
    pub text: String,
    pub usage: Option<Usage>,
    pub finish_reason: Option<String>,
    /// Which model answered, where it has a name.
    #[serde(default)]
    pub model: Option<String>,
    /// Who runs it, such as `anthropic`.
    #[serde(default)]
    pub provider: Option<String>,
}

/// Tokens that a call cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}
