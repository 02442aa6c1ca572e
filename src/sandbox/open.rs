//! Finding an engine: Docker, Podman, the built-in one, else a refusal. Never the host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::SharedEngine;
#[cfg(target_os = "linux")]
use super::builtin::BuiltIn;
use super::docker::{self, DockerEngine, Endpoint, Found, Surroundings};
use super::layout::BoxInputs;
use super::pool::PoolOptions;
use super::proof::Missing;
use super::ready::REDUCIBLE;
use crate::error::{Code, Error, Result};

/// Which engine may make boxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Docker, else Podman, else the built-in one.
    #[default]
    Auto,
    Docker,
    Podman,
    BuiltIn,
    /// A container engine at this socket.
    Url(String),
}

impl EngineChoice {
    /// Reads `auto`, `docker`, `podman`, `built-in` or a socket's address.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "docker" => Self::Docker,
            "podman" => Self::Podman,
            "built-in" => Self::BuiltIn,
            url if url.starts_with("unix://") || url.starts_with("npipe://") => Self::Url(url.to_owned()),
            other => {
                let shown: String = other.chars().take(80).collect();
                let why = format!(
                    "engine: {shown:?} is none of 'auto', 'docker', 'podman', 'built-in' or the address of a socket (unix://…, npipe://…)"
                );
                return Err(Error::new(Code::OptionInvalid, why));
            }
        })
    }
}

/// How an engine is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxOptions {
    pub engine: EngineChoice,
    /// An image of the engine in place of the one that is made here.
    pub image: Option<String>,
    /// A runtime that the container engine knows, such as `runsc`, in place of its own choice.
    pub runtime: Option<String>,
    /// Limits that may be missing: `memory`, `pids`, `cpus`.
    pub allow_reduced: Vec<String>,
    /// Boxes that wait, made ahead.
    pub pool: PoolOptions,
}

impl SandboxOptions {
    fn check(&self) -> Result<()> {
        match self
            .allow_reduced
            .iter()
            .find(|name| !REDUCIBLE.contains(&name.as_str()))
        {
            Some(name) => {
                let why = format!("allowReduced: {name:?} is none of {REDUCIBLE:?}");
                Err(Error::new(Code::OptionInvalid, why))
            }
            None => Ok(()),
        }
    }
}

/// One engine, as `doctor` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// `docker 20.10.24`, `built-in`, or where it was looked for.
    pub name: String,
    /// The socket, where there is one.
    pub address: Option<String>,
    /// Every limit was tried and binds.
    pub usable: bool,
    /// What does not bind, or why it cannot be used.
    pub problems: Vec<String>,
    pub duration_ms: u64,
}

/// Opens the first engine whose limits bind.
pub async fn open(options: SandboxOptions, inputs: BoxInputs) -> Result<SharedEngine> {
    options.check()?;
    let mut tried = Vec::new();
    for (endpoint, found) in containers(&options.engine, &mut tried).await {
        let name = found.name.clone();
        match DockerEngine::open(found, &inputs, &options).await {
            Ok(engine) => return Ok(Arc::new(engine)),
            Err(error) if error.code() == Code::OptionInvalid => return Err(error),
            Err(error) => tried.push(format!(
                "{name} at {} ({}): {}",
                endpoint.url,
                endpoint.origin,
                told(&error)
            )),
        }
    }
    #[cfg(target_os = "linux")]
    if takes_built_in(&options) {
        match BuiltIn::open(&inputs, &options.allow_reduced).await {
            Ok(engine) => return Ok(Arc::new(engine)),
            Err(error) => tried.push(format!("built-in: {}", told(&error))),
        }
    }
    Err(refusal(&tried))
}

/// An image and a runtime are a container engine's.
#[cfg(target_os = "linux")]
fn takes_built_in(options: &SandboxOptions) -> bool {
    matches!(options.engine, EngineChoice::Auto | EngineChoice::BuiltIn)
        && options.image.is_none()
        && options.runtime.is_none()
}

/// The container engines that answer, in order; Docker before Podman.
async fn containers(choice: &EngineChoice, tried: &mut Vec<String>) -> Vec<(Endpoint, Found)> {
    let mut found = Vec::new();
    for endpoint in places(choice) {
        match docker::find(&endpoint.url).await {
            Ok(engine) => found.push((endpoint, engine)),
            // A known place where nothing is needs no line, unless it was asked for.
            Err(why) if endpoint.asked_for || why != "there is no such socket" => {
                tried.push(format!("{} ({}): {why}", endpoint.url, endpoint.origin));
            }
            Err(_) => {}
        }
    }
    match choice {
        EngineChoice::Docker => found.retain(|(_, engine)| !engine.is_podman),
        EngineChoice::Podman => found.retain(|(_, engine)| engine.is_podman),
        _ => found.sort_by_key(|(endpoint, engine)| (!endpoint.asked_for, engine.is_podman)),
    }
    found
}

fn places(choice: &EngineChoice) -> Vec<Endpoint> {
    match choice {
        EngineChoice::BuiltIn => Vec::new(),
        EngineChoice::Url(url) => {
            vec![Endpoint {
                url: url.clone(),
                origin: "the option engine".to_owned(),
                asked_for: true,
            }]
        }
        _ => docker::endpoints(&Surroundings {
            variable: &|name| std::env::var(name).ok(),
            read: &|path| std::fs::read_to_string(path).ok(),
            home: std::env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from),
            system: std::env::consts::OS,
        }),
    }
}

/// The error and its causes in one line.
fn told(error: &Error) -> String {
    let mut text = error.message().to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn refusal(tried: &[String]) -> Error {
    let what_to_do = match std::env::consts::OS {
        "linux" => {
            "Install Docker (docs.docker.com/engine/install) or Podman 4 or newer and start it; as root the built-in sandbox works too"
        }
        _ => "Install and start Docker Desktop, OrbStack, Colima or Podman",
    };
    let list = if tried.is_empty() {
        "no engine was found".to_owned()
    } else {
        tried.join("; ")
    };
    Error::new(
        Code::SandboxUnavailable,
        format!("No sandbox can run here, and code is never run outside of one. {what_to_do}. Tried: {list}"),
    )
    .with_details(serde_json::json!({ "tried": tried }))
}

/// Every engine that could be used, with what binds, for `doctor`. It leaves nothing behind. All are tried at
/// once, since each takes most of its time in waiting.
pub async fn probe(options: SandboxOptions, inputs: BoxInputs) -> Result<Vec<Candidate>> {
    options.check()?;
    let mut tried = Vec::new();
    let found = containers(&options.engine, &mut tried).await;
    let engines = futures_util::future::join_all(
        found
            .into_iter()
            .map(|(endpoint, found)| probe_container(endpoint, found, &inputs, &options)),
    );
    #[cfg(target_os = "linux")]
    let (mut all, built_in) = tokio::join!(engines, probe_built_in(&inputs, &options));
    #[cfg(not(target_os = "linux"))]
    let (mut all, built_in) = (engines.await, None);
    all.extend(built_in);
    for why in tried {
        all.push(Candidate {
            name: "container engine".to_owned(),
            address: None,
            usable: false,
            problems: vec![why],
            duration_ms: 0,
        });
    }
    Ok(all)
}

async fn probe_container(endpoint: Endpoint, found: Found, inputs: &BoxInputs, options: &SandboxOptions) -> Candidate {
    let started = Instant::now();
    let name = found.name.clone();
    let problems = match DockerEngine::open(found, inputs, options).await {
        Ok(engine) => engine
            .missing()
            .await
            .map_or_else(|error| vec![told(&error)], |missing| lines(&missing)),
        Err(error) => vec![told(&error)],
    };
    candidate(name, Some(endpoint.url), problems, started)
}

#[cfg(target_os = "linux")]
async fn probe_built_in(inputs: &BoxInputs, options: &SandboxOptions) -> Option<Candidate> {
    if !takes_built_in(options) {
        return None;
    }
    let started = Instant::now();
    let problems = match BuiltIn::open(inputs, &options.allow_reduced).await {
        Ok(engine) => lines(engine.missing()),
        Err(error) => vec![told(&error)],
    };
    Some(candidate("built-in".to_owned(), None, problems, started))
}

fn lines(missing: &[Missing]) -> Vec<String> {
    missing.iter().map(|(name, what)| format!("{name}: {what}")).collect()
}

fn candidate(name: String, address: Option<String>, problems: Vec<String>, started: Instant) -> Candidate {
    let duration_ms = started.elapsed().as_millis() as u64;
    Candidate {
        name,
        address,
        usable: problems.is_empty(),
        problems,
        duration_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_named_or_refused() {
        assert_eq!(EngineChoice::parse("built-in").unwrap(), EngineChoice::BuiltIn);
        assert_eq!(
            EngineChoice::parse("unix:///x").unwrap(),
            EngineChoice::Url("unix:///x".to_owned())
        );
        for wrong in ["", "Docker", "tcp://1.2.3.4:2375", "none", "host"] {
            assert_eq!(
                EngineChoice::parse(wrong).unwrap_err().code(),
                Code::OptionInvalid,
                "{wrong}"
            );
        }
    }
}
