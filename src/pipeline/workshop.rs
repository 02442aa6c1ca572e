//! The tools and the sandbox engine: made ready at the first need, shared by all jobs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};
use crate::sandbox::{self, BoxInputs, Limits, Pool, SandboxOptions, SharedEngine};
use crate::toolchain::{Toolchain, ToolchainOptions};

/// What is needed to make boxes.
#[derive(Clone, Debug)]
pub struct WorkshopOptions {
    pub sandbox: SandboxOptions,
    pub limits: Limits,
    pub toolchain: ToolchainOptions,
    /// The Node binary that goes into the box; `None`: that of the toolchain.
    pub node: Option<PathBuf>,
    pub keeper: PathBuf,
    /// The package's `harness/` folder.
    pub harness: PathBuf,
}

/// Tools and engine, ready to use.
#[derive(Clone)]
pub struct Ready {
    pub engine: SharedEngine,
    pub toolchain: Toolchain,
    pub limits: Limits,
}

/// Makes tools and engine ready once. A failure is not kept: the next job tries again.
pub struct Workshop {
    options: WorkshopOptions,
    ready: Mutex<Option<Ready>>,
    failure: parking_lot::Mutex<Option<(Instant, Code, String)>>,
}

/// How long health repeats what it knows of a failure.
const REMEMBERED: Duration = Duration::from_secs(30);

impl Workshop {
    /// A workshop that has done nothing yet.
    pub fn new(options: WorkshopOptions) -> Self {
        Self {
            options,
            ready: Mutex::new(None),
            failure: parking_lot::Mutex::new(None),
        }
    }

    /// Fetches the tools and opens the engine, or answers what is there already.
    pub async fn ready(&self, token: &CancellationToken) -> Result<Ready> {
        // Held across the awaits on purpose: a second job waits for the first one's set-up.
        let mut slot = self.ready.lock().await;
        if let Some(ready) = slot.as_ref() {
            return Ok(ready.clone());
        }
        let toolchain = self.toolchain(token).await?;
        let inputs = self.inputs(&toolchain)?;
        let engine = sandbox::open(self.options.sandbox.clone(), inputs).await?;
        let limits = self.options.limits.clone();
        let ready = Ready {
            engine: Arc::new(Pool::new(engine, limits, self.options.sandbox.pool)),
            toolchain,
            limits: self.options.limits.clone(),
        };
        *slot = Some(ready.clone());
        Ok(ready)
    }

    /// As `ready`, but a failure of a moment ago is repeated instead of tried again.
    pub async fn ready_or_known_failure(&self, token: &CancellationToken) -> Result<Ready, (Code, String)> {
        let known = self.failure.lock().clone();
        if let Some((at, code, message)) = known
            && at.elapsed() < REMEMBERED
        {
            return Err((code, message));
        }
        let made = self
            .ready(token)
            .await
            .map_err(|error| (error.code(), error.message().to_owned()));
        *self.failure.lock() = made
            .as_ref()
            .err()
            .map(|(code, message)| (Instant::now(), *code, message.clone()));
        made
    }

    /// The tools alone.
    pub async fn toolchain(&self, token: &CancellationToken) -> Result<Toolchain> {
        Toolchain::provision(self.options.toolchain.clone(), |_, _| {}, token.clone()).await
    }

    /// What boxes are made from.
    pub fn inputs(&self, toolchain: &Toolchain) -> Result<BoxInputs> {
        Ok(BoxInputs {
            toolchain: toolchain.directory.clone(),
            node: self.node(toolchain)?,
            keeper: self.options.keeper.clone(),
            harness: self.options.harness.clone(),
        })
    }

    fn node(&self, toolchain: &Toolchain) -> Result<PathBuf> {
        self.options.node.clone().or_else(|| toolchain.node()).ok_or_else(|| {
            Error::new(
                Code::ToolchainUnavailable,
                "there is no Node binary for the sandbox; run the engine in Node",
            )
        })
    }

    /// Every engine of this machine, and which limits bind on it.
    pub async fn probe(&self, token: &CancellationToken) -> Result<Vec<sandbox::Candidate>> {
        let toolchain = self.toolchain(token).await?;
        sandbox::probe(self.options.sandbox.clone(), self.inputs(&toolchain)?).await
    }

    /// The engine that is in use, if any was needed so far.
    pub async fn in_use(&self) -> Option<SharedEngine> {
        self.ready.lock().await.as_ref().map(|ready| ready.engine.clone())
    }

    /// What the engine would be made from.
    pub const fn options(&self) -> &WorkshopOptions {
        &self.options
    }

    /// Forgets an engine that failed, so that the next job looks for one anew. Jobs that still use it
    /// keep it; its boxes go with them.
    pub fn forget(&self) {
        if let Ok(mut slot) = self.ready.try_lock() {
            *slot = None;
        }
    }

    /// Removes every box.
    pub async fn close(&self) {
        let old = self.ready.lock().await.take();
        if let Some(old) = old {
            old.engine.close().await;
        }
    }
}
