//! One box as a container.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::container::LogOutput;
use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, ResourcesUlimits,
};
use bollard::query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, StartContainerOptions};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::fault;
use super::sweep::{ENGINE, OWNER, remove};
use crate::error::Result;
use crate::sandbox::owner::Owner;
use crate::sandbox::run::Limits;
use crate::sandbox::seccomp;
use crate::sandbox::session::Cage;
use crate::sandbox::wire::Wire;

/// How long a user of a box waits for its removal.
const REMOVAL: Duration = Duration::from_secs(10);

/// Files and folders that a tmpfs may hold.
const INODES: u32 = 20_000;

/// What the engine can do; it decides how a container is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Podman refuses a resolver without a network, and an owner or a number of files of a tmpfs.
    pub is_podman: bool,
    /// Podman takes a profile of system calls only as a file on its machine; the keeper installs these instead.
    pub filters: Option<Vec<String>>,
    /// The user's choice among the engine's runtimes.
    pub runtime: Option<String>,
}

impl Abilities {
    pub fn of(is_podman: bool, runtime: Option<String>) -> Result<Self> {
        let filters = if is_podman {
            Some(seccomp::filters()?.iter().map(hex::encode).collect())
        } else {
            None
        };
        Ok(Self {
            is_podman,
            filters,
            runtime,
        })
    }
}

/// What a container of a box is made of: every limit and every lock.
pub fn body(
    image: &str,
    limits: &Limits,
    (owner, engine): (&Owner, &str),
    abilities: &Abilities,
) -> ContainerCreateBody {
    let docker = !abilities.is_podman;
    let tmpfs = |size: u64, mode: &str, owner: &str| {
        let inodes = if docker {
            format!(",nr_inodes={INODES}")
        } else {
            String::new()
        };
        let owner = if docker { owner } else { "" };
        format!("rw,noexec,nosuid,nodev,size={size},mode={mode}{owner}{inodes}")
    };
    let ulimit = |name: &str, value| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value),
        hard: Some(value),
    };
    let mut ulimits = vec![ulimit("core", 0), ulimit("nofile", 1024)];
    if abilities.is_podman {
        // Its own default can be above what its service may give, and then nothing starts.
        ulimits.push(ulimit("nproc", 16_384));
    }
    let memory = Some(limits.memory as i64);
    let host = HostConfig {
        memory,
        memory_swap: memory,
        nano_cpus: Some((limits.cpus * 1e9) as i64),
        pids_limit: Some(i64::from(limits.pids)),
        network_mode: Some("none".to_owned()),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([
            ("/tmp".to_owned(), tmpfs(limits.tmpfs, "1777", "")),
            (
                "/sandbox/work".to_owned(),
                tmpfs(limits.work, "0755", ",uid=65533,gid=65533"),
            ),
        ])),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(["SETUID", "SETGID", "KILL"].map(str::to_owned).to_vec()),
        security_opt: Some(match &abilities.filters {
            None => vec!["no-new-privileges".to_owned(), format!("seccomp={}", seccomp::PROFILE)],
            // The keeper adds ours to the engine's own.
            Some(_) => vec!["no-new-privileges".to_owned()],
        }),
        ipc_mode: Some("none".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        ulimits: Some(ulimits),
        dns: docker.then(|| vec!["127.0.0.1".to_owned()]),
        auto_remove: Some(true),
        init: Some(false),
        privileged: Some(false),
        runtime: abilities.runtime.clone(),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(vec!["/sandbox/bin/keeper".to_owned()]),
        cmd: Some(
            std::iter::once("serve".to_owned())
                .chain(abilities.filters.iter().flatten().cloned())
                .collect(),
        ),
        user: Some("0:0".to_owned()),
        hostname: Some("box".to_owned()),
        working_dir: Some("/".to_owned()),
        network_disabled: Some(true),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        // The keeper sees the end of its input when we are gone, however we went.
        stdin_once: Some(true),
        labels: Some(HashMap::from([
            (OWNER.to_owned(), owner.label()),
            (ENGINE.to_owned(), engine.to_owned()),
        ])),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

/// A container that is removed when it is dropped.
pub struct Container {
    docker: Docker,
    id: String,
    removed: bool,
}

impl Container {
    /// Creates, attaches and starts it; on failure nothing stays.
    pub async fn start(docker: &Docker, body: ContainerCreateBody) -> Result<(Self, Wire)> {
        let name = format!("auton8n-{}", uuid::Uuid::now_v7().simple());
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let id = docker
            .create_container(Some(options), body)
            .await
            .map_err(|error| fault("the engine did not make a container", error))?
            .id;
        let container = Self {
            docker: docker.clone(),
            id,
            removed: false,
        };
        match container.attach_and_start().await {
            Ok(wire) => Ok((container, wire)),
            Err(error) => {
                Box::new(container).remove().await;
                Err(error)
            }
        }
    }

    async fn attach_and_start(&self) -> Result<Wire> {
        let options = AttachContainerOptionsBuilder::new()
            .stdin(true)
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let attached = self
            .docker
            .attach_container(&self.id, Some(options))
            .await
            .map_err(|error| fault("cannot attach to the container", error))?;
        self.docker
            .start_container(&self.id, None::<StartContainerOptions>)
            .await
            .map_err(|error| fault("the container did not start", error))?;
        let output = attached
            .output
            .map_err(std::io::Error::other)
            .try_filter_map(|message| async move {
                match message {
                    LogOutput::StdOut { message } | LogOutput::Console { message } => Ok(Some(message)),
                    // The keeper's last words; a box that is fine writes none.
                    LogOutput::StdErr { message } => {
                        let words = String::from_utf8_lossy(&message)
                            .trim()
                            .chars()
                            .take(400)
                            .collect::<String>();
                        Err(std::io::Error::other(words))
                    }
                    LogOutput::StdIn { .. } => Ok(None::<Bytes>),
                }
            });
        let reader: Pin<Box<dyn AsyncRead + Send>> = Box::pin(StreamReader::new(Box::pin(output)));
        Ok(Wire::new(reader, attached.input))
    }
}

#[async_trait]
impl Cage for Container {
    async fn remove(mut self: Box<Self>) {
        // Where this fails the box ends all the same when its input closes, and the next start sweeps. An engine
        // that hangs must not hold up whoever used the box.
        let removed = tokio::time::timeout(REMOVAL, remove(&self.docker, &self.id)).await;
        self.removed = matches!(removed, Ok(Ok(())));
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        // Without a runtime the closed input ends the keeper, and the engine removes what ended.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (docker, id) = (self.docker.clone(), std::mem::take(&mut self.id));
            runtime.spawn(async move { remove(&docker, &id).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_is_asked_for() {
        let limits = Limits {
            cpus: 0.5,
            ..Limits::default()
        };
        let made = body("x", &limits, (&Owner::this(), "x"), &Abilities::default());
        let host = made.host_config.unwrap();
        assert_eq!((host.memory, host.memory_swap), (Some(512 << 20), Some(512 << 20)));
        assert_eq!((host.nano_cpus, host.pids_limit), (Some(500_000_000), Some(100)));
        assert_eq!(host.cap_drop.unwrap(), ["ALL"]);
        assert_eq!(host.cap_add.unwrap(), ["SETUID", "SETGID", "KILL"]);
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(
            (host.readonly_rootfs, host.privileged, host.binds),
            (Some(true), Some(false), None)
        );
        assert!(
            host.tmpfs
                .unwrap()
                .values()
                .all(|options| options.contains("noexec,nosuid,nodev,size="))
        );
    }
}
