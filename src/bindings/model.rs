//! A model that is a JavaScript function: one awaited promise a question, text in, text out.

use std::sync::Arc;

use async_trait::async_trait;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::engine::{EngineListener, ModelCallback};
use crate::error::{Code, Error, Result};
use crate::generation::{Model, ModelReply, ModelRequest, Usage};

/// Asks JavaScript, and tells it when the answer is no longer wanted.
pub struct JsModel {
    callback: ModelCallback,
    listener: Arc<EngineListener>,
}

impl JsModel {
    /// A model behind `callback`; `listener` hears of questions that were given up.
    pub const fn new(callback: ModelCallback, listener: Arc<EngineListener>) -> Self {
        Self { callback, listener }
    }
}

#[async_trait]
impl Model for JsModel {
    async fn complete(&self, request: ModelRequest, token: CancellationToken) -> Result<ModelReply> {
        let call_id = Uuid::now_v7().to_string();
        let question = json!({
            "system": request.system,
            "prompt": request.prompt,
            "maxTokens": request.max_tokens,
            "temperature": request.temperature,
            "iteration": request.iteration,
            "callId": call_id,
            "traceparent": request.traceparent,
        });
        let asked = async { self.callback.call_async_catch(question).await?.await };
        let answer = tokio::select! {
            answer = asked => answer,
            () = token.cancelled() => {
                let hint = vec![json!({ "type": "model-cancelled", "callId": call_id })];
                // Where the hint is lost, the call ends by its own time-out.
                let _ = self.listener.call(hint, ThreadsafeFunctionCallMode::NonBlocking);
                return Err(Error::new(Code::Cancelled, "the call of the model was given up"));
            }
        };
        // A model's own error may hold the prompt, so its words do not travel on.
        let value = answer.map_err(|_| Error::new(Code::ModelFailed, "the model function could not be called"))?;
        match serde_json::from_value(value) {
            Ok(Answer::Text {
                text,
                usage,
                finish_reason,
                model,
                provider,
            }) => {
                let usage = usage.map(|usage| Usage {
                    input_tokens: usage.input_tokens,
                    output_tokens: usage.output_tokens,
                });
                Ok(ModelReply {
                    text,
                    usage,
                    finish_reason,
                    model,
                    provider,
                })
            }
            Ok(Answer::Failed { error }) => Err(error.into()),
            Err(_) => Err(Error::new(
                Code::ModelFailed,
                "the model function answered neither a text nor an error",
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Failed {
        error: Failure,
    },
    #[serde(rename_all = "camelCase")]
    Text {
        text: String,
        #[serde(default)]
        usage: Option<Tokens>,
        #[serde(default)]
        finish_reason: Option<String>,
        #[serde(default)]
        model: Option<String>,
        #[serde(default)]
        provider: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    code: String,
    message: String,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let code = [
            Code::ModelUnauthorized,
            Code::ModelRateLimited,
            Code::ModelUnavailable,
            Code::ModelRefused,
            Code::Timeout,
            Code::Cancelled,
        ]
        .into_iter()
        .find(|code| code.as_str() == failure.code)
        .unwrap_or(Code::ModelFailed);
        let error = Self::new(code, failure.message);
        match failure.retry_after_ms {
            Some(wait) => error.with_details(json!({ "retryAfterMs": wait })),
            None => error,
        }
    }
}
