//! Runs one tool in a box and keeps what the report needs.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::check::stopped;
use super::deadline;
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error, Result};
use crate::sandbox::{Command, Outcome, Session};

/// One tool's command line in a box.
#[derive(Default)]
pub struct Tool {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub judge: Option<Vec<String>>,
    pub stdin: Vec<u8>,
}

/// What a tool left: its outcome, or why it did not end by itself.
pub struct Ran {
    pub argv: Vec<String>,
    pub outcome: Outcome,
    pub stopped: Option<Diagnostic>,
}

/// Runs the tool to its end.
pub async fn run(session: &mut Box<dyn Session>, stage: Stage, tool: Tool, token: &CancellationToken) -> Result<Ran> {
    let timeout_ms = deadline::of(stage);
    let argv = tool.argv.clone();
    let command = Command {
        argv: tool.argv,
        env: tool.env,
        stdin: tool.stdin,
        timeout_ms,
        judge: tool.judge,
    };
    let outcome = session.run(&command, token).await?;
    if token.is_cancelled() {
        return Err(Error::new(Code::Cancelled, format!("{} was cancelled", stage.as_str())));
    }
    let stopped = stopped(stage, &outcome, timeout_ms);
    Ok(Ran { argv, outcome, stopped })
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
