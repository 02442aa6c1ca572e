//! The checks of a candidate, one stage after the other. Creating and verifying share it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::bench::Bench;
use super::candidate::Candidate;
use super::dependencies::DependencyGuard;
use super::report::{Check, CheckStatus, Where};
use super::stage::Stage;
use super::watch::Telemetry;
use super::workshop::Workshop;
use super::{boot, build, check, inspect, install, lint, test, type_check};
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error};
use crate::scanner::Scanner;
use crate::tracer::SpanContext;

/// The stages that examine a candidate, in order.
pub const STAGES: [Stage; 7] = [
    Stage::Inspect,
    Stage::Install,
    Stage::TypeCheck,
    Stage::Lint,
    Stage::Build,
    Stage::Test,
    Stage::Boot,
];

/// Told of each stage as it starts and ends.
pub trait Observer: Send + Sync {
    /// The stage starts.
    fn started(&self, stage: Stage);

    /// The stage ended; `checks` are all so far.
    fn finished(&self, candidate: &Candidate, checks: &[Check]);
}

/// What examining needs.
pub struct Examiner {
    pub scanner: Option<Arc<Scanner>>,
    /// `None`: switched off, so nothing that needs a sandbox runs.
    pub workshop: Option<Arc<Workshop>>,
    /// `None`: switched off, so only the lock decides what a plugin may depend on.
    pub dependencies: Option<DependencyGuard>,
    pub telemetry: Telemetry,
}

/// How it went.
pub struct Examined {
    pub checks: Vec<Check>,
    /// `full`, `reduced: …` or `refused`.
    pub isolation: String,
    /// The engine's name, or `none`.
    pub engine: String,
    /// Why it could not be decided, where the fault is not the plugin's.
    pub fault: Option<Error>,
}

impl Examined {
    /// What the plugin's author has to mend.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.checks
            .iter()
            .flat_map(|check| check.diagnostics.iter().cloned())
            .collect()
    }
}

impl Examiner {
    /// Runs every stage that has no check in `done` yet. A failed stage ends it, but lint runs beside
    /// type-check, so that one repair sees the findings of both.
    pub async fn examine(
        &self,
        candidate: &mut Candidate,
        done: Vec<Check>,
        observer: &dyn Observer,
        parent: Option<&SpanContext>,
        token: &CancellationToken,
    ) -> Examined {
        let mut checks = done;
        let mut bench = Bench {
            examiner: self,
            candidate,
            ready: None,
            tools: None,
            stage: None,
            token,
            span: None,
        };
        let mut fault = None;
        for stage in STAGES {
            if checks
                .iter()
                .any(|check| check.name == stage.as_str() && check.status == CheckStatus::Passed)
            {
                continue;
            }
            checks.retain(|check| !belongs_to(check, stage));
            if token.is_cancelled() {
                fault = Some(Error::new(Code::Cancelled, "the examination was cancelled"));
                break;
            }
            if let Some(reason) = self.reason_to_skip(stage, &checks) {
                checks.push(Check::skipped(stage, place_of(stage), &reason));
                continue;
            }
            observer.started(stage);
            let (added, error) = self.run_stage(&mut bench, stage, parent).await;
            checks.extend(added.into_iter().map(|check| check.redacted(|text| self.redact(text))));
            observer.finished(bench.candidate, &checks);
            if error.is_some() {
                fault = error;
                break;
            }
        }
        let (isolation, engine) = bench.ready.as_ref().map_or_else(
            || ("refused".to_owned(), "none".to_owned()),
            |ready| (ready.engine.isolation().to_string(), ready.engine.name()),
        );
        bench.close().await;
        Examined {
            checks,
            isolation,
            engine,
            fault,
        }
    }

    fn redact(&self, text: &str) -> String {
        let scanner = self.scanner.as_ref();
        scanner.map_or_else(|| text.to_owned(), |scanner| scanner.redact_text(text).into_owned())
    }

    /// Why a stage does not run, where it does not.
    fn reason_to_skip(&self, stage: Stage, checks: &[Check]) -> Option<String> {
        let blocked = checks.iter().find(|check| {
            check.status == CheckStatus::Failed && !(stage == Stage::Lint && check.name == Stage::TypeCheck.as_str())
        });
        if let Some(check) = blocked {
            return Some(format!("not run, since {} failed", check.name));
        }
        (place_of(stage) == Where::Sandbox && self.workshop.is_none())
            .then(|| "not run, since the sandbox is switched off".to_owned())
    }

    async fn run_stage(
        &self,
        bench: &mut Bench<'_>,
        stage: Stage,
        parent: Option<&SpanContext>,
    ) -> (Vec<Check>, Option<Error>) {
        let mut watch = self.telemetry.stage(stage, parent);
        bench.span = watch.context().cloned();
        let clock = self.telemetry.clock.as_ref();
        let started = clock.monotonic_ms();
        let lines = tracing::info_span!("stage", stage = stage.as_str());
        let work = async {
            match stage {
                Stage::Inspect => Ok(inspect::run(bench)),
                Stage::Install => install::run(bench).await,
                Stage::TypeCheck => type_check::run(bench).await,
                Stage::Lint => lint::run(bench).await,
                Stage::Build => build::run(bench).await,
                Stage::Test => test::run(bench).await,
                _ => boot::run(bench).await,
            }
        };
        let result = work.instrument(lines.clone()).await;
        let _in_stage = lines.entered();
        match result {
            Ok(mut checks) => {
                let mut outcome = "passed";
                if let Some(first) = checks.first_mut() {
                    first.duration_ms = clock.monotonic_ms().saturating_sub(started);
                    outcome = status_name(first.status);
                    if let Some(code) = first.exit_code {
                        watch.set("process.exit.code", i64::from(code));
                    }
                }
                watch.end(outcome);
                (checks, None)
            }
            Err(error) => {
                let check = Check::of(stage, place_of(stage))
                    .inconclusive(&error)
                    .timed(clock, started);
                watch.fail(&error, "inconclusive");
                (vec![check], Some(error))
            }
        }
    }
}

/// Whether a check is the stage's own or one within it.
pub(super) fn belongs_to(check: &Check, stage: Stage) -> bool {
    check
        .name
        .strip_prefix(stage.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
}

const fn status_name(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "failed",
        CheckStatus::Inconclusive => "inconclusive",
        CheckStatus::Skipped => "skipped",
    }
}

/// Where a stage runs.
pub const fn place_of(stage: Stage) -> Where {
    match stage {
        Stage::TypeCheck | Stage::Lint | Stage::Build | Stage::Test | Stage::Boot => Where::Sandbox,
        _ => Where::Host,
    }
}

/// Whether an error says that checking failed, not that the plugin did.
pub fn may_help_to_retry(error: &Error) -> bool {
    check::is_ours(error.code())
}
