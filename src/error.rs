//! The one error of the engine: a stable code, what happened and what to do.

use std::fmt;

use serde_json::Value;

/// A result whose error is the engine's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The boxed error that caused another.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)+) => {
        /// What went wrong, as a name that programs may compare. The README has the same table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code there is, in the order of the README's table.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// The name that crosses the border: `AUTON8N_…`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => concat!("AUTON8N_", $text),)+ }
            }
        }
    };
}

codes! {
    /// An option has a wrong type, is out of range or is not known.
    OptionInvalid => "OPTION_INVALID",
    /// The specification has problems; `details.problems` lists all of them.
    SpecificationInvalid => "SPECIFICATION_INVALID",
    /// A secret stands where none may stand.
    SecretFound => "SECRET_FOUND",
    /// A scanner pattern cannot be used.
    PatternInvalid => "PATTERN_INVALID",
    /// A scanner's baseline cannot be used.
    BaselineInvalid => "BASELINE_INVALID",
    /// A path cannot be read or written.
    FileUnreadable => "FILE_UNREADABLE",
    /// A path leaves its package, or is not one that may be written.
    PathRefused => "PATH_REFUSED",
    /// The data directory cannot be made or written.
    DataDirUnwritable => "DATA_DIR_UNWRITABLE",
    /// The owner of the data directory cannot be reached.
    StoreBusy => "STORE_BUSY",
    /// The store's file is damaged; it was kept aside.
    StoreCorrupt => "STORE_CORRUPT",
    /// The disk of the store is full.
    StoreFull => "STORE_FULL",
    /// The store was written by a newer version.
    StoreNewer => "STORE_NEWER",
    /// The store cannot be reached, or answered with an error.
    StoreUnavailable => "STORE_UNAVAILABLE",
    /// This kind of store is not in this version.
    StoreUnsupported => "STORE_UNSUPPORTED",
    /// There is no job of that id.
    JobNotFound => "JOB_NOT_FOUND",
    /// A live job has the same unique key.
    JobDuplicate => "JOB_DUPLICATE",
    /// A job that this one waits for failed or was cancelled.
    DependencyFailed => "DEPENDENCY_FAILED",
    /// The job is not in a state in which that can be done.
    JobState => "JOB_STATE",
    /// The job's handler rejected.
    HandlerFailed => "HANDLER_FAILED",
    /// The handler asked for no further attempt.
    JobAborted => "JOB_ABORTED",
    /// The job's lease was lost to another worker.
    LeaseLost => "LEASE_LOST",
    /// The queue, the engine or the sandbox is closed.
    Closed => "CLOSED",
    /// The job or the call was cancelled.
    Cancelled => "CANCELLED",
    /// Something took longer than it may.
    Timeout => "TIMEOUT",
    /// A circuit breaker refused the call.
    BreakerOpen => "BREAKER_OPEN",
    /// Too many creations for this user, or at once.
    RateLimited => "RATE_LIMITED",
    /// A job of an earlier process needs a model again.
    ModelNeeded => "MODEL_NEEDED",
    /// The model's provider refused the key.
    ModelUnauthorized => "MODEL_UNAUTHORIZED",
    /// The model's provider asks to wait.
    ModelRateLimited => "MODEL_RATE_LIMITED",
    /// The model's provider is overloaded or broken.
    ModelUnavailable => "MODEL_UNAVAILABLE",
    /// The model call failed for another reason.
    ModelFailed => "MODEL_FAILED",
    /// The model declined to do it.
    ModelRefused => "MODEL_REFUSED",
    /// The model's answer is not in the reply format, or was cut off.
    ModelReplyInvalid => "MODEL_REPLY_INVALID",
    /// A dependency is outside of what may be used.
    DependencyUnsupported => "DEPENDENCY_UNSUPPORTED",
    /// The file of advisories, or the archive it is made of, cannot be used.
    AdvisoriesUnusable => "ADVISORIES_UNUSABLE",
    /// The plugin failed its checks; the report says which.
    ChecksFailed => "CHECKS_FAILED",
    /// The checks could not be carried out.
    Inconclusive => "INCONCLUSIVE",
    /// No engine may run a sandbox here.
    SandboxUnavailable => "SANDBOX_UNAVAILABLE",
    /// The sandbox's engine failed.
    SandboxFailed => "SANDBOX_FAILED",
    /// The tools are not here and cannot be fetched.
    ToolchainUnavailable => "TOOLCHAIN_UNAVAILABLE",
    /// Spans could not be exported.
    ExportFailed => "EXPORT_FAILED",
    /// A fault of the engine itself: please report it.
    Internal => "INTERNAL",
}

/// An error with its code, a message for people and the cause.
///
/// The message never holds a secret: whatever comes from outside passes the redactor first.
#[derive(Debug)]
pub struct Error {
    // Boxed, so that a `Result` stays small.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    code: Code,
    message: String,
    details: Value,
    cause: Option<Cause>,
}

impl Error {
    /// An error that says what happened and what to do.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                details: Value::Null,
                cause: None,
            }),
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.inner.cause = Some(cause.into());
        self
    }

    /// Adds facts for programs, such as the list of problems.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.inner.details = details;
        self
    }

    /// The code that programs compare.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// What happened and what to do, without the cause.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Facts for programs; `null` where there are none.
    pub fn details(&self) -> &Value {
        &self.inner.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(names.iter().all(|name| name.starts_with("AUTON8N_")));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn an_error_keeps_its_cause_and_details() {
        let error = Error::new(Code::FileUnreadable, "cannot read x")
            .because(std::io::Error::other("gone"))
            .with_details(serde_json::json!({ "path": "x" }));
        assert_eq!(error.to_string(), "cannot read x");
        assert_eq!(
            std::error::Error::source(&error).map(ToString::to_string).as_deref(),
            Some("gone")
        );
        assert_eq!(error.details()["path"], "x");
    }
}
