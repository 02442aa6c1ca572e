//! What a plugin-creation job does, one file a stage.
//!
//! `creation.rs` goes through a job's life, `examination.rs` through the stages that examine a
//! candidate; `verify.rs` uses the same examination on a project that exists already.

mod ask;
mod boot;
mod build;
mod candidate;
mod check;
mod checkpoint;
mod command;
mod creation;
mod deadline;
mod describe;
mod examination;
mod generate;
mod inspect;
mod install;
mod lint;
mod models;
mod observer;
mod package;
mod progress;
mod report;
mod request;
mod scan;
mod stage;
mod tarball;
mod test;
mod type_check;
mod validate;
mod verdict;
mod verify;
mod workshop;

pub use ask::Asker;
pub use deadline::JOB as JOB_DEADLINE;
pub use examination::Examiner;
pub use models::Models;
pub use package::{CreatedPlugin, check_target};
pub use report::{Check, CheckStatus, CreationReport, ReportedFile, Tokens, Verdict, Where};
pub use request::{CreationRequest, DEFAULT_ITERATIONS, Generator, Wish};
pub use stage::Stage;
pub use validate::{description as check_description, run as validate};
pub use workshop::{Ready, Workshop, WorkshopOptions};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};
use crate::queue::{Attempt, AttemptError, Handler};
use crate::specification::Specification;
use crate::toolchain;
use crate::tracer::Kind;
use checkpoint::Checkpoint;
use creation::Creation;

/// The queue's name for creations.
pub const QUEUE: &str = "creations";

/// The name of a creation job.
pub const JOB_NAME: &str = "create_plugin";

/// All that creation jobs share.
pub struct Pipeline {
    pub examiner: Examiner,
    pub asker: Asker,
    /// Where plugins are put whose user named no place.
    pub plugins_dir: PathBuf,
    /// The toolchain's lock file.
    pub lock: PathBuf,
}

impl Pipeline {
    /// Names and versions of the packages that a plugin may depend on.
    pub fn allowed_dependencies(&self) -> Result<BTreeMap<String, String>> {
        toolchain::allowed_dependencies(&self.lock)
    }

    /// Examines a project that exists already.
    pub async fn verify(
        &self,
        directory: &Path,
        specification: Option<Specification>,
        token: &CancellationToken,
    ) -> Result<CreationReport> {
        verify::run(self, directory, specification, token).await
    }

    /// Text as it may be shown and stored.
    fn redact(&self, text: &str) -> String {
        self.examiner
            .scanner
            .as_ref()
            .map_or_else(|| text.to_owned(), |scanner| scanner.redact_text(text).into_owned())
    }

    /// A report in which no tool's words show a secret.
    fn redacted(&self, mut report: CreationReport) -> CreationReport {
        for check in &mut report.checks {
            check.detail = check.detail.as_deref().map(|detail| self.redact(detail));
            for diagnostic in &mut check.diagnostics {
                diagnostic.message = self.redact(&diagnostic.message);
            }
        }
        report
    }
}

#[async_trait]
impl Handler for Pipeline {
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        let request: CreationRequest = serde_json::from_value(attempt.job.data.clone()).map_err(|error| {
            let what = "the stored job is not a creation request of this version; create the plugin again";
            AttemptError::Abort(Error::new(Code::StoreCorrupt, what).because(error), None)
        })?;
        let mut span = self.examiner.tracer.start("create plugin", Kind::Internal, None);
        span.set("auton8n.job.id", attempt.job.id.as_str());
        span.set("auton8n.job.attempt", i64::from(attempt.job.attempts));
        let state = Checkpoint::from_value(&attempt.job.checkpoint);
        let mut creation = Creation {
            pipeline: self,
            attempt: &attempt,
            request,
            state,
            parent: span.context().cloned(),
        };
        let outcome = creation.run().await;
        match &outcome {
            Ok(_) => span.end(),
            Err(
                AttemptError::Retry(error)
                | AttemptError::RetryAfter(error, _)
                | AttemptError::Wait(error, _)
                | AttemptError::Abort(error, _),
            ) => {
                span.fail(error);
            }
        }
        outcome
    }
}

/// Names what was asked for in the report.
fn specification_digest(specification: &Specification) -> String {
    let text = serde_json::to_vec(specification).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}
