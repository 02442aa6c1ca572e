//! What an examination works with: tools, engine and boxes, made ready at the first need.

use tokio_util::sync::CancellationToken;

use super::candidate::Candidate;
use super::command::Runner;
use super::examination::Examiner;
use super::install;
use super::watch::Telemetry;
use super::workshop::Ready;
use crate::error::{Code, Error, Result};
use crate::sandbox::Session;
use crate::tracer::{Kind, SpanContext};

/// One examination on its way.
pub(super) struct Bench<'a> {
    pub examiner: &'a Examiner,
    pub candidate: &'a mut Candidate,
    pub ready: Option<Ready>,
    /// The box of the parse-only tools.
    pub tools: Option<Box<dyn Session>>,
    /// The box in which the plugin's code runs.
    pub stage: Option<Box<dyn Session>>,
    pub token: &'a CancellationToken,
    /// The stage that runs.
    pub span: Option<SpanContext>,
}

impl Bench<'_> {
    /// Tools and engine, made ready at the first need.
    pub async fn ready(&mut self) -> Result<Ready> {
        if let Some(ready) = &self.ready {
            return Ok(ready.clone());
        }
        let workshop = self.examiner.workshop.as_ref().ok_or_else(|| {
            Error::new(
                Code::SandboxUnavailable,
                "the sandbox is switched off; open the engine with one to run this check",
            )
        })?;
        let ready = workshop.ready(self.token).await?;
        self.ready = Some(ready.clone());
        Ok(ready)
    }

    /// The box of the parse-only tools, with the project in it.
    pub async fn tools(&mut self) -> Result<&mut Box<dyn Session>> {
        if self.tools.is_none() {
            let ready = self.ready().await?;
            let mut session = start(&self.examiner.telemetry, self.span.as_ref(), &ready).await?;
            session.put(&install::project_files(self.candidate)).await?;
            self.tools = Some(session);
        }
        self.tools.as_mut().ok_or_else(lost)
    }

    /// The box in which the plugin's code runs: sources and the built file, out of the job's reach.
    pub async fn stage(&mut self) -> Result<&mut Box<dyn Session>> {
        if let Some(tools) = self.tools.take() {
            tools.close().await;
        }
        if self.stage.is_none() {
            let ready = self.ready().await?;
            let mut session = start(&self.examiner.telemetry, self.span.as_ref(), &ready).await?;
            session.put(&install::stage_files(self.candidate)).await?;
            self.stage = Some(session);
        }
        self.stage.as_mut().ok_or_else(lost)
    }

    /// Runs tools for the stage that is under way.
    pub fn runner(&self) -> Runner {
        Runner {
            scanner: self.examiner.scanner.clone(),
            telemetry: self.examiner.telemetry.clone(),
            parent: self.span.clone(),
            token: self.token.clone(),
        }
    }

    /// Gives both boxes back.
    pub async fn close(self) {
        for session in [self.tools, self.stage].into_iter().flatten() {
            session.close().await;
        }
    }
}

async fn start(telemetry: &Telemetry, parent: Option<&SpanContext>, ready: &Ready) -> Result<Box<dyn Session>> {
    let mut span = telemetry.tracer.start("sandbox start", Kind::Internal, parent);
    let engine = ready.engine.name();
    span.set("auton8n.sandbox.engine", engine.as_str());
    let started = ready.engine.start(&ready.limits).await;
    telemetry
        .metrics
        .boxes
        .add(&[&engine, if started.is_ok() { "started" } else { "failed" }], 1);
    if let Err(error) = &started {
        span.fail(error);
    }
    started
}

fn lost() -> Error {
    Error::new(
        Code::Internal,
        "a sandbox went away between two steps; please report this",
    )
}
