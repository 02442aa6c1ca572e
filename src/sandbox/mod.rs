//! Isolated runs with limits.
//!
//! `SandboxEngine` is what can make boxes (Docker, Podman, the built-in one); `Session` is one box,
//! used for one attempt and thrown away. The keeper is process 1 in each.

#[cfg(target_os = "linux")]
mod builtin;
mod docker;
mod elf;
mod layout;
mod libraries;
mod open;
mod owner;
mod pool;
mod proof;
mod protocol;
mod ready;
mod request;
mod run;
mod runner;
mod seccomp;
mod session;
mod tree;
mod wire;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod boxes_test;
#[cfg(test)]
#[cfg(unix)]
mod open_test;
#[cfg(test)]
mod pool_test;

pub use layout::BoxInputs;
pub use open::{Candidate, EngineChoice, SandboxOptions, open, probe};
pub use pool::{Pool, PoolOptions};
pub use run::{Command, Isolation, Limits, Outcome, Output, StoppedBy};
pub use runner::{RunRequest, RunResult, Runner, RunnerOptions};

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::files::FileSet;

/// What can make boxes on this machine.
#[async_trait]
pub trait SandboxEngine: Send + Sync + 'static {
    /// `docker 20.10.24`, `built-in`, …: for the report.
    fn name(&self) -> String;

    /// How well its boxes isolate; proven, not assumed.
    fn isolation(&self) -> Isolation;

    /// Makes a box and waits until its keeper answers.
    async fn start(&self, limits: &Limits) -> Result<Box<dyn Session>>;

    /// Makes boxes ahead, where it does that; it does not wait for them.
    fn warm(&self) {}

    /// Removes all that it holds. May be called twice.
    async fn close(&self);
}

/// One box. Dropping it kills and removes it.
#[async_trait]
pub trait Session: Send {
    /// Whether its keeper still answers. Cheap enough to ask before each use.
    async fn is_well(&mut self) -> bool;

    /// Puts files below the working directory, owned by the keeper's user, readable by the job's.
    async fn put(&mut self, files: &FileSet) -> Result<()>;

    /// Runs one command to its end, its time-out or the token's.
    async fn run(&mut self, command: &Command, token: &CancellationToken) -> Result<Outcome>;

    /// Takes regular files out, bounded in size and number; `paths` are files or folders.
    async fn collect(&mut self, paths: &[String]) -> Result<FileSet>;

    /// Kills all that runs in it and removes it.
    async fn close(self: Box<Self>);
}

/// An engine that can be shared.
pub type SharedEngine = Arc<dyn SandboxEngine>;
