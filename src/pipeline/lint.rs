//! Stage *lint*: oxlint with our rules; a plugin's own configuration is never read.

use super::command::{self, Tool};
use super::examination::Bench;
use super::install::OXLINT_NAME;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::error::Result;
use crate::inspection::tools::parse_oxlint;

/// Lints in the box of the tools.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let oxlint = bench.ready().await?.toolchain.tools().oxlint.clone();
    let tool = Tool {
        argv: vec![
            "/sandbox/bin/node".into(),
            oxlint,
            "-c".into(),
            OXLINT_NAME.into(),
            "--disable-nested-config".into(),
            "--format".into(),
            "json".into(),
            "src".into(),
            "__tests__".into(),
        ],
        ..Tool::default()
    };
    let token = bench.token;
    let ran = command::run(bench.tools().await?, Stage::Lint, tool, token).await?;
    let check = Check::of(Stage::Lint, Where::Sandbox).ran(&ran.argv, &ran.outcome);
    if let Some(stopped) = ran.stopped {
        return Ok(vec![check.judged(vec![stopped])]);
    }
    let Ok((diagnostics, counts)) = parse_oxlint(&ran.outcome.stdout.text()) else {
        return Err(command::unexplained(Stage::Lint, &ran.outcome));
    };
    if diagnostics.is_empty() && ran.outcome.exit_code != Some(0) {
        return Err(command::unexplained(Stage::Lint, &ran.outcome));
    }
    Ok(vec![
        check
            .counting("files", counts.files)
            .counting("rules", counts.rules)
            .judged(diagnostics),
    ])
}
