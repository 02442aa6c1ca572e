//! How bad it is when a secret of a kind leaks.

use serde::{Deserialize, Serialize};

/// From a harmless test key to one that opens everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A test key, or something that only looks like a secret.
    #[default]
    Low,
    /// Limited use, or needs something else beside it.
    Medium,
    /// Opens one system.
    High,
    /// Opens an account, a wallet or all data.
    Critical,
}

impl Severity {
    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}
