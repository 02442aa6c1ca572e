//! How an engine error becomes a JavaScript error, and how a future becomes a promise.

use std::future::Future;

use napi::bindgen_prelude::JsObjectValue;
use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::{Env, JsError, JsValue};

use crate::error::Error;

/// napi's status, with our codes in its place.
pub type BorderError = napi::Error<&'static str>;

impl From<Error> for BorderError {
    fn from(error: Error) -> Self {
        BorderError::new(error.code().as_str(), message_of(&error))
    }
}

/// The message, then each cause on a line of its own.
pub fn message_of(error: &Error) -> String {
    let mut text = error.message().to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str("\n  caused by: ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// A promise that settles with the future's value, or rejects with an error that has `code` and
/// `details`. An `async fn` of napi cannot carry a code, so it is built on the JavaScript thread.
pub fn promise<'env, T>(
    env: &'env Env,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, T>>
where
    T: ToNapiValue + Send + 'static,
{
    let boxed: std::pin::Pin<Box<dyn Future<Output = napi::Result<Result<T, Error>>> + Send>> =
        Box::pin(async move { Ok(future.await) });
    env.spawn_future_with_callback(boxed, |env, outcome| match outcome {
        Ok(value) => Ok(value),
        Err(error) => Err(rejection(env, error)),
    })
}

/// The error object itself, so that the rejection hands it over untouched.
fn rejection(env: &Env, error: Error) -> napi::Error {
    let details = error.details().clone();
    let unknown = JsError::from(BorderError::from(error)).into_unknown(*env);
    if !details.is_null()
        && let Ok(mut object) = unknown.coerce_to_object()
    {
        // Without its details the error still says what happened.
        let _ = object.set_named_property("details", details);
    }
    napi::Error::from(unknown)
}
