//! What follows a round of checks: another round, an end, an open question, or the plugin in its place.

use std::path::PathBuf;

use serde_json::Value;

use super::candidate::Candidate;
use super::creation::{Creation, Outcome, final_error};
use super::ending::{self, refused};
use super::examination::{Examined, may_help_to_retry};
use super::report::{Check, CheckStatus, CreationReport, Verdict};
use super::request::Generator;
use super::stage::Stage;
use super::{package, verdict};
use crate::error::{Code, Error};
use crate::queue::AttemptError;
use crate::toolchain;
use crate::tracer::SpanContext;

impl Creation<'_> {
    /// Keeps what is to be mended for the next round, or ends the job for good.
    pub(super) fn next_round_or_end(&mut self, checks: Vec<Check>, place: Option<(String, String)>) -> Outcome<()> {
        let diagnostics: Vec<_> = checks.iter().flat_map(|check| check.diagnostics.clone()).collect();
        let files = self.state.candidate().sources;
        let stop = if self.request.generator == Generator::Template {
            Some("a template has no second answer")
        } else if self.state.iteration >= self.request.max_iterations {
            Some("the rounds are used up")
        } else {
            self.state.progress.after(&checks, &files)
        };
        let Some(reason) = stop else {
            self.state.diagnostics = diagnostics;
            self.state.checks.clear();
            self.save();
            return Ok(());
        };
        let first = diagnostics.first().map_or_else(String::new, ToString::to_string);
        let stage = checks
            .iter()
            .find(|check| check.status == CheckStatus::Failed)
            .map_or("a check", |check| check.name.as_str());
        let message = format!(
            "the plugin was refused by {stage} after {} iteration(s), and {reason}: {first} ({} finding(s) in the report)",
            self.state.iteration,
            diagnostics.len()
        );
        let message = self.pipeline.redact(&message);
        let (isolation, engine) = place.unwrap_or_else(|| ("refused".to_owned(), "none".to_owned()));
        let all = ending::with_skipped(&self.state.preamble.iter().cloned().chain(checks).collect::<Vec<_>>());
        let report = self.report(Verdict::Failed, all, &isolation, &engine, &self.state.candidate());
        Err(refused(Error::new(Code::ChecksFailed, message), &report))
    }

    /// The checks could not be carried out: again later, and honestly open when attempts are used up.
    pub(super) fn inconclusive(&self, fault: Error, checks: &[Check], isolation: &str, engine: &str) -> AttemptError {
        if fault.code() == Code::Cancelled || self.attempt.token.is_cancelled() {
            return AttemptError::Retry(fault);
        }
        if let Some(workshop) = self
            .pipeline
            .examiner
            .workshop
            .as_ref()
            .filter(|_| fault.code() == Code::SandboxFailed)
        {
            workshop.forget();
        }
        let report = self.report(
            Verdict::Inconclusive,
            ending::with_skipped(checks),
            isolation,
            engine,
            &self.state.candidate(),
        );
        let report = Some(serde_json::json!({ "report": report }));
        if !may_help_to_retry(&fault) {
            return AttemptError::Abort(fault, report);
        }
        let error = Error::new(
            Code::Inconclusive,
            format!(
                "the checks could not be carried out ({}): {}",
                fault.code().as_str(),
                fault.message()
            ),
        )
        .because(fault);
        if self.attempt.is_last {
            return AttemptError::Abort(error, report);
        }
        AttemptError::Retry(error)
    }

    pub(super) fn deliver(
        &mut self,
        candidate: &Candidate,
        mut checks: Vec<Check>,
        examined: Examined,
        found: Verdict,
    ) -> Outcome<Value> {
        let undecided = checks.iter().any(|check| check.status == CheckStatus::Inconclusive);
        if undecided {
            let fault = Error::new(Code::Inconclusive, "a check stayed open");
            self.state.checks.clear();
            return Err(self.inconclusive(fault, &checks, &examined.isolation, &examined.engine));
        }
        if candidate.built.is_empty() {
            let what = "nothing was built or tested, since the sandbox is switched off; open the engine with a sandbox";
            let report = self.report(
                Verdict::Inconclusive,
                ending::with_skipped(&checks),
                &examined.isolation,
                &examined.engine,
                candidate,
            );
            return Err(refused(Error::new(Code::Inconclusive, what), &report));
        }
        self.tell(Stage::Package);
        let (isolation, engine) = (examined.isolation, examined.engine);
        let watch = self
            .pipeline
            .examiner
            .telemetry
            .stage(Stage::Package, self.parent.as_ref());
        let staged = toolchain::locked_packages(&self.pipeline.lock).and_then(|packages| {
            package::stage(candidate, &self.target(), &self.attempt.job.id, &packages, self.now())
        });
        let delivered = staged.and_then(|parcel| {
            let checks = checks.iter().chain(parcel.checks()).cloned().collect::<Vec<_>>();
            let verdict = if found == Verdict::Passed {
                verdict::of(&checks, &Stage::ALL)
            } else {
                found
            };
            parcel.deliver(self.report(verdict, checks, &isolation, &engine, candidate))
        });
        watch.settle(delivered.as_ref().err());
        let created = delivered.map_err(|error| {
            checks.push(ending::failed(Stage::Package, &error));
            refused(
                error,
                &self.report(Verdict::Failed, checks, &isolation, &engine, candidate),
            )
        })?;
        serde_json::to_value(created).map_err(|error| {
            final_error(Error::new(Code::Internal, "the result could not be written as JSON").because(error))
        })
    }

    fn target(&self) -> PathBuf {
        self.request
            .out_dir
            .clone()
            .unwrap_or_else(|| self.pipeline.plugins_dir.join(&self.attempt.job.id))
    }

    pub(super) fn report(
        &self,
        verdict: Verdict,
        checks: Vec<Check>,
        isolation: &str,
        engine: &str,
        candidate: &Candidate,
    ) -> CreationReport {
        self.pipeline.redacted(CreationReport {
            verdict,
            isolation: isolation.to_owned(),
            checks,
            iterations: self.state.iteration,
            tokens: (self.request.generator == Generator::Model).then_some(self.state.tokens),
            files: package::digests(&candidate.all()),
            specification_sha256: self
                .state
                .specification
                .as_ref()
                .map(super::specification_digest)
                .unwrap_or_default(),
            trace_id: self.parent.as_ref().map(SpanContext::trace_id),
            engine: engine.to_owned(),
            started_at: self.state.started_at,
            finished_at: self.now(),
        })
    }
}
