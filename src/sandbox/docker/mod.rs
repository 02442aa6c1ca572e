//! Docker and Podman, through one driver.

mod container;
mod endpoint;
mod image;
mod sweep;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bollard::{API_DEFAULT_VERSION, Docker};

pub use endpoint::{Endpoint, Surroundings, endpoints};

use super::layout::{self, BoxInputs};
use super::owner::Owner;
use super::proof::{self, Bootable, Missing};
use super::run::{Isolation, Limits};
use super::session::KeeperSession;
use super::{SandboxEngine, SandboxOptions, Session};
use crate::error::{Code, Error, Result};
use container::{Abilities, Container};

/// An engine on this machine answers a ping at once.
const ANSWER: Duration = Duration::from_secs(5);
/// Starting a container takes a third of a second; a busy machine gets its time.
const START: Duration = Duration::from_mins(1);
/// Seconds that one call may take; the image is the longest.
const CALL: u64 = 300;

/// What Linux says of a full disk; the engines pass it on.
const FULL: &str = "no space left on device";

/// An error of the engine, in our words and with its own.
fn fault(what: &str, error: bollard::errors::Error) -> Error {
    let what = if words(&error).contains(FULL) {
        format!("{what}: the disk of the engine is full; make room on it and try again")
    } else {
        what.to_owned()
    };
    Error::new(Code::SandboxFailed, what).because(error)
}

/// An engine that answered, before it was given an image or proven.
#[derive(Debug)]
pub struct Found {
    docker: Docker,
    /// `docker 20.10.24`, `podman 4.3.1`.
    pub name: String,
    pub is_podman: bool,
    /// What decides whether an earlier proof still holds.
    fingerprint: String,
    /// The names of its runtimes.
    runtimes: Vec<String>,
}

/// Asks whether an engine answers at `url`. The error says why not, for people.
pub async fn find(url: &str) -> std::result::Result<Found, String> {
    let docker = connect(url)?;
    let within =
        |error: tokio::time::error::Elapsed| format!("it did not answer within {} s ({error})", ANSWER.as_secs());
    let docker = tokio::time::timeout(ANSWER, docker.negotiate_version())
        .await
        .map_err(within)?
        .map_err(|error| words(&error))?;
    let version = tokio::time::timeout(ANSWER, docker.version())
        .await
        .map_err(within)?
        .map_err(|error| words(&error))?;
    let info = tokio::time::timeout(ANSWER, docker.info())
        .await
        .map_err(within)?
        .map_err(|error| words(&error))?;
    if info.os_type.as_deref().is_some_and(|system| system != "linux") {
        return Err("it runs Windows containers; switch it to Linux containers".to_owned());
    }
    let is_podman = version
        .components
        .iter()
        .flatten()
        .any(|component| component.name.contains("Podman"));
    let number = version.version.unwrap_or_default();
    // Distributions add their own mark, such as +dfsg1.
    let number = number.split('+').next().unwrap_or_default();
    let name = format!("{} {number}", if is_podman { "podman" } else { "docker" });
    let fingerprint = format!(
        "{name} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        info.cgroup_driver,
        info.cgroup_version,
        info.kernel_version,
        info.security_options,
        info.default_runtime,
        info.memory_limit,
        info.pids_limit,
        info.cpu_cfs_quota
    );
    let mut runtimes: Vec<String> = info.runtimes.unwrap_or_default().into_keys().collect();
    runtimes.sort_unstable();
    Ok(Found {
        docker,
        name,
        is_podman,
        fingerprint,
        runtimes,
    })
}

fn name_of(engine: &str, runtime: Option<&str>) -> String {
    runtime.map_or_else(|| engine.to_owned(), |runtime| format!("{engine} with {runtime}"))
}

fn words(error: &bollard::errors::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    if text.to_lowercase().contains("permission denied") {
        text.push_str("; its socket is for root and for the users of its group, which is often `docker`");
    }
    text
}

fn connect(url: &str) -> std::result::Result<Docker, String> {
    if let Some(path) = url.strip_prefix("unix://") {
        if !std::path::Path::new(path).exists() {
            return Err("there is no such socket".to_owned());
        }
        #[cfg(unix)]
        return Docker::connect_with_unix(url, CALL, API_DEFAULT_VERSION).map_err(|error| words(&error));
        #[cfg(not(unix))]
        return Err("unix sockets are not used on this system".to_owned());
    }
    #[cfg(windows)]
    if url.starts_with("npipe://") {
        return Docker::connect_with_named_pipe(url, CALL, API_DEFAULT_VERSION).map_err(|error| words(&error));
    }
    // Sources would leave this machine, in clear text.
    Err("only an engine of this machine is used, over unix:// or npipe://".to_owned())
}

/// A container engine that is ready to make boxes.
pub struct DockerEngine {
    docker: Docker,
    name: String,
    abilities: Abilities,
    image: String,
    owner: Owner,
    /// Names this engine's containers among those of the process.
    id: String,
    isolation: Isolation,
    allowed: Vec<String>,
    closed: AtomicBool,
}

impl DockerEngine {
    /// Sweeps, makes or finds the image, and proves once that the limits bind.
    pub async fn open(found: Found, inputs: &BoxInputs, options: &SandboxOptions) -> Result<Self> {
        let runtime = options.runtime.clone();
        let allowed = &options.allow_reduced;
        if let Some(runtime) = &runtime
            && !found.runtimes.contains(runtime)
        {
            let why = format!(
                "runtime: {} has no {runtime:?}, but {}",
                found.name,
                found.runtimes.join(", ")
            );
            return Err(Error::new(Code::SandboxUnavailable, why));
        }
        sweep::sweep(&found.docker).await?;
        let mut engine = Self {
            docker: found.docker,
            name: name_of(&found.name, options.runtime.as_deref()),
            abilities: Abilities::of(found.is_podman, runtime)?,
            image: String::new(),
            owner: Owner::this(),
            id: uuid::Uuid::now_v7().simple().to_string(),
            isolation: Isolation::Full,
            allowed: allowed.clone(),
            closed: AtomicBool::new(false),
        };
        if let Some(image) = &options.image {
            if !image::exists(&engine.docker, image).await? {
                return Err(Error::new(
                    Code::SandboxUnavailable,
                    format!("image: {} does not have {image}", engine.name),
                ));
            }
            engine.image.clone_from(image);
            engine.isolation = proof::isolation(&proof::prove(&engine).await?, allowed)?;
            return Ok(engine);
        }
        let tag = engine.provide(inputs).await?;
        // A second tag says that the limits were proven with this image on this very engine.
        let proven = proof::tag(&tag, &format!("{} {:?}", found.fingerprint, options.runtime));
        engine.image = format!("{}:{proven}", image::NAME);
        if !image::exists(&engine.docker, &engine.image).await? {
            engine.image = format!("{}:{tag}", image::NAME);
            engine.isolation = proof::isolation(&proof::prove(&engine).await?, allowed)?;
            if engine.isolation == Isolation::Full {
                image::tag(&engine.docker, &tag, &proven).await?;
            }
        }
        Ok(engine)
    }

    /// The tag of the image of these parts, made and tested where it is not there yet.
    async fn provide(&mut self, inputs: &BoxInputs) -> Result<String> {
        let parts = inputs.clone();
        let (plan, recipe) = tokio::task::spawn_blocking(move || -> Result<_> {
            let plan = layout::plan(&parts)?;
            let recipe = layout::recipe(&plan)?;
            Ok((plan, recipe))
        })
        .await
        .map_err(|error| Error::new(Code::Internal, "the box could not be laid out").because(error))??;
        if image::exists(&self.docker, &format!("{}:{recipe}", image::NAME)).await? {
            return Ok(recipe);
        }
        let candidate = format!("candidate-{}", uuid::Uuid::now_v7().simple());
        image::import(&self.docker, plan, &recipe, &candidate).await?;
        self.image = format!("{}:{candidate}", image::NAME);
        let tested = proof::self_test(self).await;
        // Another process may have made it meanwhile: a name that moves on leaves an image without one.
        if tested.is_ok() && !image::exists(&self.docker, &format!("{}:{recipe}", image::NAME)).await? {
            image::tag(&self.docker, &candidate, &recipe).await?;
        }
        image::discard(&self.docker, &candidate).await;
        tested?;
        image::prune(&self.docker).await;
        Ok(recipe)
    }

    /// What does not bind, for `doctor`.
    pub async fn missing(&self) -> Result<Vec<Missing>> {
        proof::prove(self).await
    }
}

#[async_trait]
impl SandboxEngine for DockerEngine {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn isolation(&self) -> Isolation {
        self.isolation.clone()
    }

    async fn start(&self, limits: &Limits) -> Result<Box<dyn Session>> {
        proof::start(self, &self.name, limits, &self.allowed).await
    }

    async fn close(&self) {
        if !self.closed.swap(true, Ordering::SeqCst) {
            sweep::remove_all(&self.docker, &self.id).await;
        }
    }
}

#[async_trait]
impl Bootable for DockerEngine {
    async fn boot(&self, limits: &Limits) -> Result<(KeeperSession, super::ready::Ready)> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::new(Code::Closed, "the sandbox is closed"));
        }
        let body = container::body(&self.image, limits, (&self.owner, &self.id), &self.abilities);
        let started = tokio::time::timeout(START, Container::start(&self.docker, body)).await;
        let (container, wire) = started.map_err(|_| {
            let why = format!("{} did not start a container within {} s", self.name, START.as_secs());
            Error::new(Code::SandboxFailed, why)
        })??;
        KeeperSession::open(wire, Box::new(container), limits.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    #[test]
    fn who_may_not_use_the_socket_is_told_who_may() {
        let words = |kind: io::ErrorKind| super::words(&io::Error::from(kind).into());
        assert!(words(io::ErrorKind::PermissionDenied).contains("group"));
        assert!(!words(io::ErrorKind::ConnectionRefused).contains("group"));
    }
}
