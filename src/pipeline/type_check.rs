//! Stage *type-check*: TypeScript 7 over the real types of `@elizaos/core`, strict, with our settings.

use super::command::{self, Tool};
use super::examination::Bench;
use super::install::TSCONFIG_NAME;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::error::Result;
use crate::inspection::tools::parse_tsc;

/// Compiles without output in the box of the tools.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let tsc = bench.ready().await?.toolchain.tools().tsc.clone();
    let tool = Tool {
        argv: vec![
            tsc,
            "-p".into(),
            TSCONFIG_NAME.into(),
            "--noEmit".into(),
            "--pretty".into(),
            "false".into(),
            "--singleThreaded".into(),
        ],
        env: [
            ("GOGC".to_owned(), "off".to_owned()),
            ("GOMEMLIMIT".to_owned(), "400MiB".to_owned()),
        ]
        .into(),
        ..Tool::default()
    };
    let token = bench.token;
    let ran = command::run(bench.tools().await?, Stage::TypeCheck, tool, token).await?;
    let mut diagnostics: Vec<_> = ran.stopped.into_iter().collect();
    if diagnostics.is_empty() {
        diagnostics = parse_tsc(&ran.outcome.stdout.text());
        if diagnostics.is_empty() && ran.outcome.exit_code != Some(0) {
            return Err(command::unexplained(Stage::TypeCheck, &ran.outcome));
        }
    }
    let errors = diagnostics.len() as u64;
    Ok(vec![
        Check::of(Stage::TypeCheck, Where::Sandbox)
            .ran(&ran.argv, &ran.outcome)
            .counting("errors", errors)
            .judged(diagnostics),
    ])
}
