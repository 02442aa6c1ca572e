//! One call of a job's model: scanned before, behind the breaker, under a deadline.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::deadline;
use super::models::Models;
use super::scan::REFUSED;
use super::watch::Telemetry;
use crate::breaker::{self, Breaker, Outcome};
use crate::error::{Code, Error, Result};
use crate::generation::{ModelReply, ModelRequest};
use crate::queue::AttemptError;
use crate::scanner::Scanner;
use crate::tracer::{Kind, Span, SpanContext, Value};

/// Tokens that an answer may have.
const MAX_TOKENS: u32 = 16_000;

/// Milliseconds. A job that needs a model is woken when there is one; one that was just ending then looks again by itself.
const UNTIL_THERE_IS_ONE: u64 = 60_000;

/// Low, since code has to fit together rather than surprise.
const TEMPERATURE: f64 = 0.1;

/// What a model call passes through.
pub struct Asker {
    pub models: Arc<Models>,
    pub breaker: Option<Arc<Breaker>>,
    pub scanner: Option<Arc<Scanner>>,
    pub telemetry: Telemetry,
}

/// One question of a job.
pub struct Question<'a> {
    pub model_key: Option<&'a str>,
    pub system: String,
    pub prompt: String,
    pub iteration: u32,
}

impl Asker {
    /// Asks the job's model and waits for the answer.
    pub async fn ask(
        &self,
        question: Question<'_>,
        parent: Option<&SpanContext>,
        token: &CancellationToken,
    ) -> Result<ModelReply> {
        let model = self.models.of(question.model_key).ok_or_else(|| {
            Error::new(
                Code::ModelNeeded,
                "the job needs a model again, since the process that brought one is gone; open the engine with `model`",
            )
        })?;
        self.refuse_secrets(&question.prompt)?;
        let started = self.telemetry.clock.monotonic_ms();
        let mut span = self.telemetry.tracer.start("chat", Kind::Client, parent);
        span.set("gen_ai.operation.name", "chat");
        span.set("gen_ai.request.max_tokens", i64::from(MAX_TOKENS));
        span.set("gen_ai.request.temperature", TEMPERATURE);
        span.set("auton8n.iteration", i64::from(question.iteration));
        let request = ModelRequest {
            system: question.system,
            prompt: question.prompt,
            max_tokens: MAX_TOKENS,
            temperature: TEMPERATURE,
            iteration: question.iteration,
            traceparent: span.context().map(SpanContext::traceparent),
        };
        // The call ends with its own token, so that a time-out stops the request and not the job.
        let call = token.child_token();
        let guard = call.clone().drop_guard();
        let answer = async move { model.complete(request, call).await };
        let limit = std::time::Duration::from_millis(deadline::MODEL_CALL);
        let reply = match &self.breaker {
            Some(breaker) => breaker::guard(breaker, &self.telemetry.clock, limit, answer, classify).await,
            None => tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
                Err(Error::new(
                    Code::Timeout,
                    format!("Operation timed out after {} ms", deadline::MODEL_CALL),
                ))
            }),
        };
        drop(guard);
        let reply = reply.map_err(|error| self.redacted(&error));
        self.tell(span, &reply, started);
        reply
    }

    fn tell(&self, mut span: Span, reply: &Result<ModelReply>, started: u64) {
        let Telemetry { metrics, .. } = &self.telemetry;
        let seconds = self.telemetry.seconds_since(started);
        let exemplar = self.telemetry.exemplar(span.context());
        let exemplar = exemplar.as_ref().map(|(id, at)| (id.as_str(), *at));
        match reply {
            Ok(reply) => {
                if let Some(model) = &reply.model {
                    span.rename(&format!("chat {model}"));
                    span.set("gen_ai.request.model", model.as_str());
                }
                if let Some(provider) = &reply.provider {
                    span.set("gen_ai.provider.name", provider.as_str());
                }
                if let Some(usage) = reply.usage {
                    span.set("gen_ai.usage.input_tokens", usage.input_tokens as i64);
                    span.set("gen_ai.usage.output_tokens", usage.output_tokens as i64);
                    metrics.tokens.add(&["input"], usage.input_tokens);
                    metrics.tokens.add(&["output"], usage.output_tokens);
                }
                if let Some(reason) = &reply.finish_reason {
                    span.set(
                        "gen_ai.response.finish_reasons",
                        Value::List(vec![reason.as_str().into()]),
                    );
                }
                metrics.model_calls.observe(&["ok"], seconds, exemplar);
            }
            Err(error) => {
                span.fail(error);
                tracing::warn!(
                    code = error.code().as_str(),
                    seconds,
                    "a call of the model failed: {}",
                    error.message()
                );
                metrics.model_calls.observe(&[error.code().as_str()], seconds, exemplar);
            }
        }
    }

    /// Text without what the scanner takes for a secret.
    pub fn redact(&self, text: &str) -> String {
        self.scanner
            .as_ref()
            .map_or_else(|| text.to_owned(), |scanner| scanner.redact_text(text).into_owned())
    }

    /// The same in every text of a value, names of fields included.
    pub fn redact_value(&self, value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(list) => list.into_iter().map(|one| self.redact_value(one)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, one)| (self.redact(&name), self.redact_value(one)))
                .collect(),
            other => other,
        }
    }

    /// Providers and tools put requests and keys into their errors, and errors are stored and shown.
    pub fn redacted(&self, error: &Error) -> Error {
        Error::new(error.code(), self.redact(error.message())).with_details(self.redact_value(error.details().clone()))
    }

    /// The last look before text leaves for a model.
    fn refuse_secrets(&self, text: &str) -> Result<()> {
        let Some(scanner) = &self.scanner else { return Ok(()) };
        let found = scanner.scan_text(text, None);
        self.telemetry.metrics.scanned("prompt", &found);
        match found.secrets.iter().find(|finding| finding.severity >= REFUSED) {
            None => Ok(()),
            Some(finding) => Err(Error::new(
                Code::SecretFound,
                format!(
                    "the text for the model holds a secret ({}); name a setting instead of its value",
                    finding.rule
                ),
            )),
        }
    }
}

/// What the breaker counts: a wrong key or a bad request says nothing about the provider's health.
fn classify(error: &Error) -> Outcome {
    match error.code() {
        Code::Timeout => Outcome::Timeout,
        Code::ModelRateLimited | Code::ModelUnavailable => Outcome::Failure,
        _ => Outcome::Ignored,
    }
}

/// What a failed call means for the job.
pub fn consequence(error: Error) -> AttemptError {
    match error.code() {
        Code::ModelNeeded => AttemptError::Wait(error, UNTIL_THERE_IS_ONE),
        Code::ModelRateLimited => {
            let wait = error.details()["retryAfterMs"].as_u64();
            match wait {
                Some(wait) => AttemptError::RetryAfter(error, wait),
                None => AttemptError::Retry(error),
            }
        }
        Code::ModelUnavailable | Code::Timeout | Code::BreakerOpen | Code::Cancelled | Code::Closed => {
            AttemptError::Retry(error)
        }
        _ => AttemptError::Abort(error, None),
    }
}
