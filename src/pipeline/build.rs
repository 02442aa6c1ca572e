//! Stage *build*: one ESM file by esbuild, and the fixed face of a plugin as its declaration.

use super::command::{self, Tool};
use super::examination::Bench;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::error::{Code, Error, Result};
use crate::generation::scaffold;
use crate::inspection::tools::parse_esbuild;

const OUTPUT: &str = "out/dist/index.js";

/// Bundles in the box of the tools. What it made is taken out at once, before any code of the plugin runs.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let esbuild = bench.ready().await?.toolchain.tools().esbuild.clone();
    let mut argv = vec![esbuild];
    argv.extend(command::args([
        "src/index.ts",
        "--bundle",
        "--format=esm",
        "--platform=node",
        "--target=node20",
        "--packages=external",
        "--log-level=warning",
        "--color=false",
        "--outfile=out/dist/index.js",
    ]));
    let tool = Tool {
        argv,
        env: [("GOMAXPROCS".to_owned(), "1".to_owned())].into(),
        ..Tool::default()
    };
    let token = bench.token;
    let session = bench.tools().await?;
    let ran = command::run(session, Stage::Build, tool, token).await?;
    let check = Check::of(Stage::Build, Where::Sandbox).ran(&ran.argv, &ran.outcome);
    if let Some(stopped) = ran.stopped {
        return Ok(vec![check.judged(vec![stopped])]);
    }
    if ran.outcome.exit_code != Some(0) {
        let diagnostics = parse_esbuild(&ran.outcome.stderr.text());
        if diagnostics.is_empty() {
            return Err(command::unexplained(Stage::Build, &ran.outcome));
        }
        return Ok(vec![check.judged(diagnostics)]);
    }
    let mut taken = session.collect(&["out/dist".to_owned()]).await?;
    let Some(bytes) = taken.remove(OUTPUT) else {
        return Err(Error::new(
            Code::Inconclusive,
            "the build ended without an error, but its output is not there",
        ));
    };
    let size = bytes.len() as u64;
    bench.candidate.built.clear();
    bench.candidate.built.insert("dist/index.js".to_owned(), bytes);
    bench.candidate.built.insert(
        "dist/index.d.ts".to_owned(),
        scaffold::plugin_face().as_bytes().to_vec(),
    );
    Ok(vec![check.counting("bytes", size).judged(Vec::new())])
}
