//! One attempt of a creation job: from the last finished stage to a plugin or a reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::candidate::{Candidate, StoredFiles};
use super::checkpoint::Checkpoint;
use super::examination::{Examined, may_help_to_retry};
use super::generate::{self, Generated, Round};
use super::observer::Watcher;
use super::package;
use super::report::{Check, CheckStatus, CreationReport, Verdict};
use super::request::{CreationRequest, Generator, Wish};
use super::stage::Stage;
use super::{Pipeline, describe, scan, validate, verdict};
use crate::error::{Code, Error};
use crate::generation::scaffold;
use crate::queue::{Attempt, AttemptError};
use crate::tracer::SpanContext;

type Outcome<T> = Result<T, AttemptError>;

/// One attempt on its way.
pub(super) struct Creation<'a> {
    pub pipeline: &'a Pipeline,
    pub attempt: &'a Attempt,
    pub request: CreationRequest,
    pub state: Checkpoint,
    pub parent: Option<SpanContext>,
}

impl Creation<'_> {
    /// Goes on from the checkpoint to the end.
    pub async fn run(&mut self) -> Outcome<Value> {
        if self.state.started_at == 0 {
            self.state.started_at = self.now();
        }
        self.prepare().await?;
        loop {
            if !self.state.has_files() || !self.state.diagnostics.is_empty() {
                if let Some(problem) = self.generate().await? {
                    self.next_round_or_end(vec![problem], None)?;
                    continue;
                }
            }
            let (candidate, examined) = self.examine().await;
            let checks = self
                .state
                .preamble
                .iter()
                .chain(&examined.checks)
                .cloned()
                .collect::<Vec<_>>();
            if let Some(fault) = examined.fault {
                return Err(self.inconclusive(fault, checks, &examined.isolation, &examined.engine));
            }
            match verdict::of(&checks, &Stage::ALL[..Stage::ALL.len() - 1]) {
                Verdict::Failed => {
                    let Examined {
                        checks,
                        isolation,
                        engine,
                        ..
                    } = examined;
                    self.next_round_or_end(checks, Some((isolation, engine)))?;
                }
                found => return self.deliver(&candidate, checks, examined, found),
            }
        }
    }

    /// *validate* and *scan*: a description becomes a specification on the way.
    async fn prepare(&mut self) -> Outcome<()> {
        if self.state.specification.is_some() {
            return Ok(());
        }
        self.tell(Stage::Validate);
        let allowed = self
            .pipeline
            .allowed_dependencies()
            .map_err(|error| AttemptError::Abort(error, None))?;
        let scanner = self.pipeline.examiner.scanner.as_deref();
        let value = match self.request.wish.clone() {
            Wish::Specification(value) => value,
            Wish::Description(text) => {
                scan::run(scanner, &text).map_err(final_error)?;
                self.tell(Stage::Generate);
                describe::run(self, &text, &allowed).await?
            }
        };
        let (specification, validated) = validate::run(&value, &allowed).map_err(final_error)?;
        self.tell(Stage::Scan);
        let scanned = scan::run(scanner, &value.to_string()).map_err(final_error)?;
        self.state.preamble = vec![validated, scanned];
        self.state.specification = Some(specification);
        self.save();
        Ok(())
    }

    /// *generate*: `Some` is a reply that could not be used.
    async fn generate(&mut self) -> Outcome<Option<Check>> {
        self.state.iteration += 1;
        self.tell(Stage::Generate);
        let Some(specification) = self.state.specification.clone() else {
            return Err(final_error(Error::new(
                Code::Internal,
                "a creation reached generate without a specification",
            )));
        };
        let round = Round {
            model_key: self.request.model_key.as_deref(),
            generator: self.request.generator,
            specification: &specification,
            parent: self.parent.as_ref(),
            token: &self.attempt.token,
        };
        let made = generate::run(&self.pipeline.asker, round, &mut self.state).await;
        if made.is_err() {
            // The round did not take place: the next attempt asks again under the same number.
            self.state.iteration -= 1;
        }
        match made? {
            Generated::Unusable(check) => {
                self.log(&format!(
                    "iteration {}: the reply could not be used",
                    self.state.iteration
                ));
                Ok(Some(check))
            }
            Generated::Files(sources, check) => {
                self.state.scaffold = StoredFiles::from(&scaffold::scaffold(&specification, &sources));
                self.state.sources = StoredFiles::from(&sources);
                self.state.built = StoredFiles::default();
                self.state.diagnostics.clear();
                self.state.checks = vec![check];
                self.save();
                Ok(None)
            }
        }
    }

    async fn examine(&mut self) -> (Candidate, Examined) {
        let mut candidate = self.state.candidate();
        let done = self.state.checks.clone();
        let watcher = Watcher::new(self.attempt.reporter.as_ref(), self.state.clone());
        let examined = self
            .pipeline
            .examiner
            .examine(
                &mut candidate,
                done,
                &watcher,
                self.parent.as_ref(),
                &self.attempt.token,
            )
            .await;
        self.state = watcher.into_state();
        (candidate, examined)
    }

    /// Keeps what is to be mended for the next round, or ends the job for good.
    fn next_round_or_end(&mut self, checks: Vec<Check>, place: Option<(String, String)>) -> Outcome<()> {
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
        let all = self.with_skipped(self.state.preamble.iter().cloned().chain(checks).collect());
        let report = self.report(Verdict::Failed, all, &isolation, &engine, &self.state.candidate());
        Err(AttemptError::Abort(
            Error::new(Code::ChecksFailed, message),
            Some(serde_json::json!({ "report": report })),
        ))
    }

    /// The checks could not be carried out: again later, and honestly open when attempts are used up.
    fn inconclusive(&self, fault: Error, checks: Vec<Check>, isolation: &str, engine: &str) -> AttemptError {
        if fault.code() == Code::Cancelled || self.attempt.token.is_cancelled() {
            return AttemptError::Retry(fault);
        }
        let report = self.report(
            Verdict::Inconclusive,
            self.with_skipped(checks),
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
        if self.attempt.job.attempts > self.attempt.job.options.retries {
            return AttemptError::Abort(error, report);
        }
        AttemptError::Retry(error)
    }

    fn deliver(
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
            return Err(self.inconclusive(fault, checks, &examined.isolation, &examined.engine));
        }
        self.tell(Stage::Package);
        let parcel = package::stage(candidate, &self.target(), &self.attempt.job.id).map_err(final_error)?;
        checks.push(parcel.check().clone());
        let verdict = if found == Verdict::Passed {
            verdict::of(&checks, &Stage::ALL)
        } else {
            found
        };
        let report = self.report(verdict, checks, &examined.isolation, &examined.engine, candidate);
        let created = parcel.deliver(report).map_err(final_error)?;
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

    fn report(
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

    /// Adds every stage that was not reached, so that a report never hides one.
    fn with_skipped(&self, mut checks: Vec<Check>) -> Vec<Check> {
        for stage in Stage::ALL {
            if !checks.iter().any(|check| check.name == stage.as_str()) {
                checks.push(Check::skipped(
                    stage,
                    super::examination::place_of(stage),
                    "not reached",
                ));
            }
        }
        checks
    }

    pub(super) fn tell(&self, stage: Stage) {
        super::observer::tell(self.attempt.reporter.as_ref(), stage, self.state.iteration);
    }

    fn log(&self, line: &str) {
        self.attempt.reporter.log(&self.pipeline.redact(line));
    }

    fn save(&self) {
        self.attempt.reporter.checkpoint(self.state.to_value());
    }

    fn now(&self) -> i64 {
        self.pipeline.examiner.clock.now_ms()
    }

    pub(super) fn token(&self) -> &CancellationToken {
        &self.attempt.token
    }
}

/// An error after which another attempt would end the same way.
pub(super) fn final_error(error: Error) -> AttemptError {
    AttemptError::Abort(error, None)
}

/// Names and ranges that a plugin may depend on.
pub(super) type Allowed = BTreeMap<String, String>;
