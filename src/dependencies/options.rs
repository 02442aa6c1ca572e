//! What a check of dependencies may be told.

use std::path::PathBuf;

use serde::Deserialize;

use super::allow::Allowed;
use super::manifest::Kind;
use crate::error::{Code, Error, Result};

/// A day: what npm's and pnpm's own guards use as the smallest age that makes sense.
pub const DEFAULT_MINIMUM_AGE_MS: u64 = 86_400_000;
const DEFAULT_TIMEOUT_MS: u64 = 60_000;

/// What a check of dependencies may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DependencyOptions {
    /// Nobody is asked: what is on this machine has to do.
    pub offline: bool,
    /// Asked instead of the registries of the npm configuration.
    pub registry: Option<String>,
    /// The file of advisories; without it, the one that `advisories update` keeps.
    pub advisories: Option<PathBuf>,
    /// How long a version must have been public, in milliseconds. 0 switches the rule off.
    pub minimum_age: u64,
    /// What is accepted: `name`, `name@range`, or either behind a code, as in `install-script:esbuild`.
    pub allow: Vec<String>,
    /// Scopes that are the user's own: no package of them looks like another.
    pub scopes: Vec<String>,
    /// Kinds of dependencies that are left out: `dev`, `optional`, `peer`.
    pub omit: Vec<String>,
    /// Milliseconds that asking the registry may take in all.
    pub timeout: u64,
}

impl Default for DependencyOptions {
    fn default() -> Self {
        Self {
            offline: false,
            registry: None,
            advisories: None,
            minimum_age: DEFAULT_MINIMUM_AGE_MS,
            allow: Vec::new(),
            scopes: Vec::new(),
            omit: Vec::new(),
            timeout: DEFAULT_TIMEOUT_MS,
        }
    }
}

impl DependencyOptions {
    /// Reads options as the border hands them over; a wrong one is named.
    pub fn from_value(value: serde_json::Value) -> Result<Self> {
        if value.is_null() {
            return Ok(Self::default());
        }
        let options: Self = serde_json::from_value(value).map_err(|error| {
            let message = format!("an option of checkDependencies is not right: {error}");
            Error::new(Code::OptionInvalid, message)
        })?;
        options.omitted()?;
        options.allowed()?;
        if options.timeout == 0 {
            let message = "`timeout` of checkDependencies must be at least 1 millisecond; use `offline` to ask nobody";
            return Err(Error::new(Code::OptionInvalid, message));
        }
        if let Some(registry) = &options.registry
            && !registry.starts_with("http://")
            && !registry.starts_with("https://")
        {
            let message = "`registry` of checkDependencies must be an http or https address";
            return Err(Error::new(Code::OptionInvalid, message));
        }
        Ok(options)
    }

    /// The kinds that are left out.
    pub fn omitted(&self) -> Result<Vec<Kind>> {
        let kind = |name: &String| match name.as_str() {
            "dev" => Ok(Kind::Dev),
            "optional" => Ok(Kind::Optional),
            "peer" => Ok(Kind::Peer),
            _ => Err(Error::new(
                Code::OptionInvalid,
                "`omit` of checkDependencies takes 'dev', 'optional' and 'peer'",
            )),
        };
        self.omit.iter().map(kind).collect()
    }

    /// What is accepted.
    pub(super) fn allowed(&self) -> Result<Allowed> {
        Allowed::read(&self.allow)
    }
}
