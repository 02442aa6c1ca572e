//! The check of dependencies, as JavaScript sees it.

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::error::promise;
use crate::clock::SystemClock;
use crate::engine::dependencies::{self, DependencyRequest, UpdateOptions};
use crate::error::{Code, Error, Result};

/// Ends a check or an update before its time.
#[napi]
#[derive(Default)]
pub struct DependencyCancel {
    token: CancellationToken,
}

#[napi]
impl DependencyCancel {
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends what was begun with it.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.token.cancel();
    }
}

/// Judges the packages of a manifest; the report is JSON.
#[napi]
pub fn check_dependencies<'env>(
    env: &'env Env,
    request: Value,
    cancel: Option<&DependencyCancel>,
) -> napi::Result<PromiseRaw<'env, String>> {
    let token = cancel.map(|cancel| cancel.token.clone()).unwrap_or_default();
    promise(env, async move {
        let request: DependencyRequest = read("checkDependencies", request)?;
        let report = dependencies::check(request, SystemClock::shared(), token).await?;
        written(&report)
    })
}

/// Fetches the archive of advisories and makes the file of it; what it says of itself is JSON.
#[napi]
pub fn update_advisories<'env>(
    env: &'env Env,
    options: Value,
    cancel: Option<&DependencyCancel>,
) -> napi::Result<PromiseRaw<'env, String>> {
    let token = cancel.map(|cancel| cancel.token.clone()).unwrap_or_default();
    promise(env, async move {
        let options: UpdateOptions = read("updateAdvisories", options)?;
        let told = dependencies::update(options, SystemClock::shared(), token).await?;
        written(&told)
    })
}

/// What is here of advisories, as JSON.
#[napi(catch_unwind)]
pub fn advisories_here() -> String {
    dependencies::advisories_here().to_string()
}

fn read<T: serde::de::DeserializeOwned>(what: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        Error::new(
            Code::OptionInvalid,
            format!("an option of {what} is not right: {error}"),
        )
    })
}

fn written(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(Code::Internal, "a report of dependencies cannot be written").because(error))
}
