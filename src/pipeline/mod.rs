//! What a plugin-creation job does, one file a stage.
//!
//! `creation.rs` goes through a job's life, `examination.rs` through the stages that examine a
//! candidate; `verify.rs` uses the same examination on a project that exists already.

mod ask;
mod bench;
mod boot;
mod build;
mod candidate;
mod check;
mod checkpoint;
mod command;
mod conclusion;
mod creation;
mod deadline;
mod dependencies;
mod describe;
mod ending;
mod examination;
mod generate;
mod inspect;
mod install;
mod lint;
mod metrics;
mod models;
mod observer;
mod package;
mod progress;
mod report;
mod request;
mod scan;
mod shipped;
#[cfg(test)]
mod shipped_tests;
mod stage;
mod tally;
mod tarball;
mod test;
mod trace;
mod type_check;
mod validate;
mod verdict;
mod verify;
mod watch;
mod workshop;

pub use ask::Asker;
pub use deadline::JOB as JOB_DEADLINE;
pub use dependencies::DependencyGuard;
pub use examination::Examiner;
pub use metrics::Metrics;
pub use models::Models;
pub use package::{CreatedPlugin, check_target};
pub use report::{Check, CheckStatus, CreationReport, ReportedFile, Tokens, Verdict, Where};
pub use request::{CreationRequest, DEFAULT_ITERATIONS, Generator, Wish};
pub use scan::REFUSED as REFUSED_SECRET;
pub use stage::Stage;
pub use trace::{TRACEPARENT, span_of, trace_of};
pub use validate::{description as check_description, run as validate};
pub use watch::Telemetry;
pub use workshop::{Ready, Workshop, WorkshopOptions};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::error::{Code, Error, Result};
use crate::queue::{Attempt, AttemptError, Handler};
use crate::specification::Specification;
use crate::toolchain;
use crate::tracer::SpanContext;
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

    /// A value with the texts in it as they may be shown and stored.
    pub fn redact_value(&self, value: Value) -> Value {
        self.asker.redact_value(value)
    }

    /// Text as it may be shown and stored.
    pub fn redact(&self, text: &str) -> String {
        self.asker.redact(text)
    }

    /// An end whose words may be stored: they may hold what a tool or a provider printed.
    fn redacted_error(&self, error: AttemptError) -> AttemptError {
        let clean = |error: Error| self.asker.redacted(&error);
        match error {
            AttemptError::Retry(error) => AttemptError::Retry(clean(error)),
            AttemptError::RetryAfter(error, wait) => AttemptError::RetryAfter(clean(error), wait),
            AttemptError::Wait(error, wait) => AttemptError::Wait(clean(error), wait),
            AttemptError::Abort(error, left) => AttemptError::Abort(clean(error), left),
        }
    }

    /// A report in which no tool's words show a secret.
    fn redacted(&self, mut report: CreationReport) -> CreationReport {
        report.checks = report
            .checks
            .into_iter()
            .map(|check| check.redacted(|text| self.redact(text)))
            .collect();
        report
    }
}

#[async_trait]
impl Handler for Pipeline {
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        let request: CreationRequest = attempt.job.data.read().map_err(|error| {
            let what = "the stored job is not a creation request of this version; create the plugin again";
            AttemptError::Abort(Error::new(Code::StoreCorrupt, what).because(error), None)
        })?;
        let telemetry = &self.examiner.telemetry;
        let started = telemetry.clock.monotonic_ms();
        let waited = (telemetry.clock.now_ms() - attempt.job.run_at).max(0);
        telemetry.metrics.waits.observe(&[], waited as f64 / 1e3, None);
        let mut span = trace::begin(&telemetry.tracer, &attempt.job);
        let state = Checkpoint::from_value(&attempt.job.checkpoint);
        let mut creation = Creation {
            pipeline: self,
            attempt: &attempt,
            request,
            state,
            parent: span.context().cloned(),
            stage: Stage::Validate,
        };
        let trace_id = span.context().map(SpanContext::trace_id).unwrap_or_default();
        let lines = tracing::info_span!("job", job_id = attempt.job.id.as_str(), trace_id = trace_id.as_str());
        let outcome = creation
            .run()
            .instrument(lines.clone())
            .await
            .map_err(|error| self.redacted_error(error));
        lines.in_scope(|| log_end(&outcome, attempt.job.attempts));
        let iterations = creation.state.iteration;
        let how = match &outcome {
            Ok(_) => "completed",
            Err(AttemptError::Abort(error, _)) => {
                span.fail(error);
                "failed"
            }
            Err(AttemptError::Retry(error) | AttemptError::RetryAfter(error, _) | AttemptError::Wait(error, _)) => {
                span.fail(error);
                "retry"
            }
        };
        let exemplar = telemetry.exemplar(span.context());
        let exemplar = exemplar.as_ref().map(|(id, at)| (id.as_str(), *at));
        telemetry
            .metrics
            .attempts
            .observe(&[how], telemetry.seconds_since(started), exemplar);
        if how != "retry" {
            telemetry
                .metrics
                .iterations
                .observe(&[], f64::from(iterations), exemplar);
        }
        span.end();
        outcome
    }
}

fn log_end(outcome: &Result<Value, AttemptError>, attempt: u32) {
    match outcome {
        Ok(_) => tracing::info!(attempt, "a plugin was created"),
        Err(AttemptError::Abort(error, _)) => {
            tracing::warn!(
                attempt,
                code = error.code().as_str(),
                "a creation failed: {}",
                error.message()
            );
        }
        Err(AttemptError::Retry(error) | AttemptError::RetryAfter(error, _) | AttemptError::Wait(error, _)) => {
            tracing::warn!(
                attempt,
                code = error.code().as_str(),
                "an attempt failed: {}",
                error.message()
            );
        }
    }
}

/// Names what was asked for in the report.
fn specification_digest(specification: &Specification) -> String {
    let text = serde_json::to_vec(specification).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}
