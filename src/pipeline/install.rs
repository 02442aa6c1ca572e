//! Stage *install*: which packages the plugin may use, and our own configuration beside its sources.
//!
//! Nothing is installed for a job: the packages lie in the box already, fetched once by the lock.

use super::bench::Bench;
use super::candidate::Candidate;
use super::report::{Check, Where};
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::Result;
use crate::files::FileSet;

/// The compiler settings of a check; a plugin's own are never used.
const TSCONFIG: &str = include_str!("../../templates/tsconfig.json");

/// The linter's settings of a check.
const OXLINT: &str = include_str!("../../templates/oxlintrc.json");

/// Makes the compiler prove that the default export is a plugin.
const FACE: &str = "import plugin from './src/index.js'\nimport type { Plugin } from '@elizaos/core'\n\nexport const face: Plugin = plugin\n";

/// Names of our own files in the box; a plugin cannot have them.
pub const TSCONFIG_NAME: &str = "tsconfig.check.json";
pub const OXLINT_NAME: &str = "oxlint.check.json";
pub const FACE_NAME: &str = "face.check.ts";
pub const BUNFIG_NAME: &str = "bunfig.check.toml";

/// Compares the manifest's dependencies with those of the lock, and judges them.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let mut checks = vec![locked(bench).await?];
    if let Some(guard) = &bench.examiner.dependencies {
        let now = bench.examiner.telemetry.clock.now_ms();
        checks.extend(guard.checks(bench.candidate, now)?);
    }
    Ok(checks)
}

async fn locked(bench: &mut Bench<'_>) -> Result<Check> {
    let check = Check::of(Stage::Install, Where::Host);
    if !bench.candidate.sources.contains_key("src/index.ts") {
        let missing = Diagnostic::of(
            "src/index.ts",
            "missing",
            "the plugin's entry src/index.ts is missing; its default export must be the plugin",
        );
        return Ok(check.judged(vec![missing]));
    }
    let Some(workshop) = bench.examiner.workshop.as_ref() else {
        return Ok(check
            .judged(Vec::new())
            .saying("no package was fetched, since the sandbox is switched off"));
    };
    let toolchain = workshop.toolchain(bench.token).await?;
    let allowed = toolchain.allowed_dependencies();
    let diagnostics: Vec<Diagnostic> = declared(bench.candidate)
        .into_iter()
        .filter(|(name, _)| !allowed.contains_key(name))
        .map(|(name, range)| {
            Diagnostic::of(
                "package.json",
                "AUTON8N_DEPENDENCY_UNSUPPORTED",
                format!("{name}@{range} is not among the packages that may be used"),
            )
        })
        .collect();
    Ok(check
        .counting("packages", allowed.len() as u64)
        .saying(&format!("packages of the toolchain lock {}", toolchain.digest))
        .judged(diagnostics))
}

fn declared(candidate: &Candidate) -> Vec<(String, String)> {
    candidate.specification.as_ref().map_or_else(Vec::new, |specification| {
        specification
            .dependencies
            .iter()
            .map(|(name, range)| (name.clone(), range.clone()))
            .collect()
    })
}

/// The plugin as its box sees it: all files, and an empty configuration for the test runner.
pub fn stage_files(candidate: &Candidate) -> FileSet {
    let mut files = candidate.all();
    files.insert(BUNFIG_NAME.to_owned(), Vec::new());
    files
}

/// The project as compilers and linters see it: its files, and our configuration.
pub fn project_files(candidate: &Candidate) -> FileSet {
    let mut files = candidate.project();
    for (name, text) in [(TSCONFIG_NAME, TSCONFIG), (OXLINT_NAME, OXLINT), (FACE_NAME, FACE)] {
        files.insert(name.to_owned(), text.as_bytes().to_vec());
    }
    files
}
