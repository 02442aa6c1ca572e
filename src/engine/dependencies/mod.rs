//! Dependencies of a manifest: what is on the disk and what registries say is gathered here and judged elsewhere.

mod learn;
mod update;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::dependencies::{
    AdvisoryFile, DependencyOptions, DependencyReport, Facts, Known, Manifest, Resolver, Snapshot, Tree, blocked,
    judge, read_lock, read_manifest,
};
use crate::error::{Code, Error, Result};
use crate::toolchain::{RegistryClient, cache_directory};

pub use update::{UpdateOptions, update};

/// What is to be checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DependencyRequest {
    /// The text of a `package.json`.
    pub manifest: String,
    /// The text of its `package-lock.json`.
    #[serde(default)]
    pub lock: Option<String>,
    #[serde(default)]
    pub options: Value,
    /// The folder whose `.npmrc` counts.
    #[serde(default)]
    pub project: Option<PathBuf>,
}

/// Judges the packages of a manifest. It writes nothing, and runs nothing of what it fetches.
pub async fn check(
    request: DependencyRequest,
    clock: SharedClock,
    token: CancellationToken,
) -> Result<DependencyReport> {
    let work = tokio::task::spawn_blocking({
        let token = token.clone();
        move || check_now(&request, &clock, &token)
    });
    let lost = |error| Error::new(Code::Internal, "the check of dependencies stopped; please report it").because(error);
    tokio::select! {
        done = work => done.map_err(lost)?,
        () = token.cancelled() => Err(Error::new(Code::Cancelled, "the check of dependencies was cancelled")),
    }
}

fn check_now(request: &DependencyRequest, clock: &SharedClock, token: &CancellationToken) -> Result<DependencyReport> {
    let mut options = DependencyOptions::from_value(request.options.clone())?;
    let manifest = read_manifest(&request.manifest, &options.omitted()?)?;
    let env = environment();
    let path = options.advisories.clone().unwrap_or_else(|| advisories_path(&env));
    let file = AdvisoryFile::open(&path)?;
    if file.is_none() && options.advisories.is_some() {
        let message = format!(
            "there is no file of advisories at {}; run `auton8n advisories update`",
            path.display()
        );
        return Err(Error::new(Code::AdvisoriesUnusable, message));
    }
    let mut known = Known::new(file);
    let mut facts = Facts {
        asked: !options.offline,
        ..Facts::default()
    };
    let client = RegistryClient::new(&env, request.project.as_deref(), options.registry.as_deref());
    let until = Instant::now() + Duration::from_millis(options.timeout);
    // A lock file may name the registry that npm is configured for.
    options.registry.get_or_insert_with(|| client.registry(""));
    let asking = learn::Asking {
        client: &client,
        options: &options,
        now_ms: clock.now_ms(),
        until,
        token,
    };
    let tree = tree_of(&manifest, request.lock.as_deref(), &asking, &mut facts)?;
    if !options.offline && !tree.nodes.is_empty() {
        asking.advisories(&tree, clock, &mut known);
    }
    judge(&manifest, &tree, &facts, &mut known, &options, clock.now_ms())
}

fn tree_of(manifest: &Manifest, lock: Option<&str>, asking: &learn::Asking<'_>, facts: &mut Facts) -> Result<Tree> {
    if let Some(lock) = lock {
        let tree = read_lock(lock, manifest)?;
        // A lock says everything but when versions were published.
        if facts.asked && asking.options.minimum_age > 0 {
            asking.learn(&learn::names_of(&tree), facts);
        }
        return Ok(tree);
    }
    let mut resolver = Resolver::new(manifest);
    loop {
        if facts.asked {
            let missing = resolver.missing(facts);
            asking.learn(&missing, facts);
        }
        resolver.advance(facts);
        if resolver.is_done() {
            return Ok(resolver.finish(facts));
        }
    }
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Where the file of advisories is kept: `AUTON8N_ADVISORIES`, else in the user's cache folder.
pub fn advisories_path(env: &BTreeMap<String, String>) -> PathBuf {
    if let Some(path) = env.get("AUTON8N_ADVISORIES").filter(|path| !path.is_empty()) {
        return PathBuf::from(path);
    }
    let data = env.get("AUTON8N_DATA_DIR").map_or(".auton8n", String::as_str);
    cache_directory(env, std::env::consts::OS, Path::new(data))
        .join("advisories")
        .join("npm.advisories")
}

/// The path of this process.
pub fn own_advisories_path() -> PathBuf {
    advisories_path(&environment())
}

/// What is here of advisories: their number, size and day.
pub fn advisories_here() -> Value {
    let path = own_advisories_path();
    let shipped = Snapshot::shipped();
    let file = match AdvisoryFile::open(&path) {
        Ok(Some(file)) => json!({
            "path": path,
            "bytes": std::fs::metadata(&path).map(|data| data.len()).unwrap_or_default(),
            "date": file.header.date,
            "advisories": file.header.advisories,
            "packages": file.header.packages,
            "skipped": file.header.skipped,
            "source": file.header.source,
        }),
        Ok(None) => json!({ "path": path, "missing": "run `auton8n advisories update`" }),
        Err(error) => json!({ "path": path, "code": error.code().as_str(), "message": error.message() }),
    };
    json!({
        "file": file,
        "shipped": {
            "date": shipped.date,
            "advisories": shipped.advisories(),
            "packages": shipped.packages.len(),
            "blocked": blocked().len(),
        },
    })
}
