//! The engine, as JavaScript sees it.

use napi_derive::napi;

/// The addon's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
