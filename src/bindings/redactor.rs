//! The redactor of what JavaScript hands over outside of an engine.

use std::sync::{Arc, LazyLock};

use napi_derive::napi;

use crate::scanner::{Scanner, ScannerOptions};
use crate::tracer::Redact;

/// The built-in rules, compiled at the first use.
static SCANNER: LazyLock<Option<Arc<Scanner>>> =
    LazyLock::new(|| Scanner::new(ScannerOptions::default()).ok().map(Arc::new));

/// Takes secrets out of a text.
pub fn redactor() -> Option<Redact> {
    let scanner = SCANNER.as_ref().map(Arc::clone)?;
    let redact: Redact = Arc::new(move |text| scanner.redact_text(text).into_owned());
    Some(redact)
}

/// Takes secrets out of many texts at once.
#[napi(catch_unwind)]
pub fn redact_texts(texts: Vec<String>) -> Vec<String> {
    match redactor() {
        Some(redact) => texts.iter().map(|text| redact(text)).collect(),
        None => texts,
    }
}
