//! The scanner, as JavaScript sees it. Scans and redaction are synchronous: a text takes microseconds.

#![expect(
    clippy::needless_pass_by_value,
    reason = "napi hands strings and options over by value"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Uint8Array};
use napi_derive::napi;
use serde_json::{Value, json};

use super::error::{BorderError, promise};
use crate::error::{Code, Error};
use crate::scanner::{CustomRuleData, DirectoryOptions, ScanResult, Scanner, ScannerOptions};

/// Runs a synchronous call so that a fault of ours is an error, not the end of the process.
fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, BorderError> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| {
            Err(Error::new(
                Code::Internal,
                "the scanner failed on this input; please report it",
            ))
        })
        .map_err(BorderError::from)
}

/// Options of a method, or their defaults.
fn parsed<T: serde::de::DeserializeOwned>(what: &str, value: Value) -> Result<T, Error> {
    serde_json::from_value(value)
        .map_err(|error| Error::new(Code::OptionInvalid, format!("{what} is invalid: {error}")))
}

/// A result as one text: it is parsed faster than it could be built field by field.
fn encoded(result: &ScanResult) -> Result<String, Error> {
    serde_json::to_string(result)
        .map_err(|error| Error::new(Code::Internal, "a scan's result cannot be written").because(error))
}

/// Finds secrets and takes them out of texts.
#[napi]
pub struct NativeScanner {
    inner: Arc<Scanner>,
}

#[napi]
impl NativeScanner {
    /// A scanner; a wrong option is `AUTON8N_OPTION_INVALID`.
    #[napi(constructor)]
    pub fn new(options: Value) -> Result<Self, BorderError> {
        guarded(|| {
            let options = if options.is_null() { json!({}) } else { options };
            Ok(Self {
                inner: Arc::new(Scanner::new(ScannerOptions::from_json(options)?)?),
            })
        })
    }

    /// Scans one text; the result is JSON.
    #[napi]
    pub fn scan_text(&self, text: String, file: Option<String>) -> Result<String, BorderError> {
        guarded(|| encoded(&self.inner.scan_text(&text, file.as_deref())))
    }

    /// Scans files, given as names and texts in turn; the result is JSON.
    #[napi]
    pub fn scan_files(&self, names_and_texts: Vec<String>) -> Result<String, BorderError> {
        guarded(|| {
            let pairs = names_and_texts
                .chunks_exact(2)
                .map(|pair| (pair[0].as_str(), pair[1].as_bytes()));
            encoded(&self.inner.scan_files(pairs))
        })
    }

    /// Scans files of which the bytes are given, as those of a folder; the result is JSON.
    #[napi]
    pub fn scan_blobs(&self, names: Vec<String>, blobs: Vec<Uint8Array>) -> Result<String, BorderError> {
        guarded(|| {
            let pairs = names.iter().map(String::as_str).zip(blobs.iter().map(AsRef::as_ref));
            encoded(&self.inner.scan_blobs(pairs))
        })
    }

    /// Scans variables, given as names and values in turn; the result is JSON.
    #[napi]
    pub fn scan_environment(&self, names_and_values: Vec<String>) -> Result<String, BorderError> {
        guarded(|| {
            let pairs = names_and_values
                .chunks_exact(2)
                .map(|pair| (pair[0].as_str(), pair[1].as_str()));
            encoded(&self.inner.scan_environment(pairs))
        })
    }

    /// Scans a tree of files on other threads; the result is JSON.
    #[napi]
    pub fn scan_directory<'env>(
        &self,
        env: &'env Env,
        path: String,
        options: Value,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let scanner = Arc::clone(&self.inner);
        promise(env, async move {
            let options = if options.is_null() {
                DirectoryOptions::default()
            } else {
                parsed("an option of scanDirectory", options)?
            };
            let scan = tokio::task::spawn_blocking(move || scanner.scan_directory(&PathBuf::from(path), &options));
            let result = scan
                .await
                .map_err(|error| Error::new(Code::Internal, "the scan of a directory failed").because(error))??;
            encoded(&result)
        })
    }

    /// A secret without its middle.
    #[napi]
    pub fn redact_secret(&self, secret: String) -> Result<String, BorderError> {
        guarded(|| Ok(self.inner.redact_secret(&secret)))
    }

    /// A text without its secrets; null where it has none, so that a clean one is not copied back.
    #[napi]
    pub fn redact_text(&self, text: String) -> Result<Option<String>, BorderError> {
        guarded(|| match self.inner.redact_text(&text) {
            std::borrow::Cow::Borrowed(_) => Ok(None),
            std::borrow::Cow::Owned(clean) => Ok(Some(clean)),
        })
    }

    /// Adds a rule; a bad pattern is `AUTON8N_PATTERN_INVALID` with its position.
    #[napi]
    pub fn add_pattern(&self, rule: Value) -> Result<(), BorderError> {
        guarded(|| {
            let rule: CustomRuleData = parsed("a pattern", rule)?;
            self.inner.add_pattern(&rule)
        })
    }

    /// All rules that are used, as JSON.
    #[napi]
    pub fn patterns(&self) -> Result<String, BorderError> {
        guarded(|| {
            serde_json::to_string(&self.inner.patterns())
                .map_err(|error| Error::new(Code::Internal, "the rules cannot be written").because(error))
        })
    }
}
