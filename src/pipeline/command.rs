//! Runs one tool in a box and keeps what the report needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::check::stopped;
use super::deadline;
use super::stage::Stage;
use super::watch::Telemetry;
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error, Result};
use crate::sandbox::{Command, Outcome, Session};
use crate::scanner::Scanner;
use crate::tracer::{Kind, SpanContext};

/// One tool's command line in a box.
#[derive(Default)]
pub struct Tool {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub judge: Option<Vec<String>>,
    pub stdin: Vec<u8>,
}

/// Who runs a tool: what tells of it, the span it belongs to, what takes secrets out of its words, and what stops it.
pub struct Runner {
    pub scanner: Option<Arc<Scanner>>,
    pub telemetry: Telemetry,
    pub parent: Option<SpanContext>,
    pub token: CancellationToken,
}

impl Runner {
    /// What a plugin put together when it ran may be a secret. It is taken out of a tool's words before anything
    /// shortens them, or half of it would be left.
    pub fn redact(&self, text: &str) -> String {
        let scanner = self.scanner.as_ref();
        scanner.map_or_else(|| text.to_owned(), |scanner| scanner.redact_text(text).into_owned())
    }
}

/// What a tool left: its outcome, or why it did not end by itself.
pub struct Ran {
    pub argv: Vec<String>,
    pub outcome: Outcome,
    pub stopped: Option<Diagnostic>,
}

/// Runs the tool to its end.
pub async fn run(session: &mut Box<dyn Session>, stage: Stage, tool: Tool, runner: &Runner) -> Result<Ran> {
    let timeout_ms = deadline::of(stage);
    let argv = tool.argv.clone();
    let command = Command {
        argv: tool.argv,
        env: tool.env,
        stdin: tool.stdin,
        timeout_ms,
        judge: tool.judge,
    };
    let mut span = runner
        .telemetry
        .tracer
        .start("sandbox run", Kind::Internal, runner.parent.as_ref());
    span.set("process.command", argv.first().map_or("", String::as_str));
    let started = runner.telemetry.clock.monotonic_ms();
    let ended = session.run(&command, &runner.token).await;
    let seconds = runner.telemetry.seconds_since(started);
    let how = ended.as_ref().map_or("error", how_it_ended);
    let exemplar = runner.telemetry.exemplar(span.context());
    let exemplar = exemplar.as_ref().map(|(id, at)| (id.as_str(), *at));
    runner
        .telemetry
        .metrics
        .runs
        .observe(&[stage.as_str(), how], seconds, exemplar);
    span.set("auton8n.sandbox.outcome", how);
    let mut outcome = ended.inspect_err(|error| span.fail(error))?;
    for output in [&mut outcome.stdout, &mut outcome.stderr] {
        output.bytes = runner.redact(&output.text()).into_bytes();
    }
    if let Some(code) = outcome.exit_code {
        span.set("process.exit.code", i64::from(code));
    }
    if let Some(peak) = outcome.peak_memory {
        span.set("auton8n.sandbox.peak_memory", peak as i64);
        runner
            .telemetry
            .metrics
            .memory
            .observe(&[stage.as_str()], peak as f64, exemplar);
    }
    span.end();
    if runner.token.is_cancelled() {
        return Err(Error::new(Code::Cancelled, format!("{} was cancelled", stage.as_str())));
    }
    let stopped = stopped(stage, &outcome, timeout_ms);
    Ok(Ran { argv, outcome, stopped })
}

/// One word for the end of a command, the kernel's reasons first.
const fn how_it_ended(outcome: &Outcome) -> &'static str {
    if outcome.oom_killed {
        "out-of-memory"
    } else if outcome.timed_out {
        "timeout"
    } else if outcome.signal.is_some() {
        "signal"
    } else {
        "exit"
    }
}

/// Strings of a command line.
pub fn args<const N: usize>(parts: [&str; N]) -> Vec<String> {
    parts.into_iter().map(str::to_owned).collect()
}

/// A tool that failed without a word that we understand: the tool's fault, not the plugin's.
pub fn unexplained(stage: Stage, outcome: &Outcome) -> Error {
    let printed = format!("{}{}", outcome.stdout.text(), outcome.stderr.text());
    Error::new(
        Code::Inconclusive,
        format!(
            "{} ended with exit code {:?} and nothing that explains it: {}",
            stage.as_str(),
            outcome.exit_code,
            super::check::cut(printed.trim(), 500)
        ),
    )
}
