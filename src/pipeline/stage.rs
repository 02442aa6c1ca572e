//! The stages, in their order.

use serde::{Deserialize, Serialize};

/// A step of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Validate,
    Scan,
    Generate,
    Inspect,
    Install,
    TypeCheck,
    Lint,
    Build,
    Test,
    Boot,
    Package,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 11] = [
        Self::Validate,
        Self::Scan,
        Self::Generate,
        Self::Inspect,
        Self::Install,
        Self::TypeCheck,
        Self::Lint,
        Self::Build,
        Self::Test,
        Self::Boot,
        Self::Package,
    ];

    /// Its name at the border.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Scan => "scan",
            Self::Generate => "generate",
            Self::Inspect => "inspect",
            Self::Install => "install",
            Self::TypeCheck => "type-check",
            Self::Lint => "lint",
            Self::Build => "build",
            Self::Test => "test",
            Self::Boot => "boot",
            Self::Package => "package",
        }
    }
}
