//! The tools and the sandbox engine: made ready at the first need, shared by all jobs.

use std::path::PathBuf;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};
use crate::sandbox::{self, BoxInputs, Limits, SandboxOptions, SharedEngine};
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
}

impl Workshop {
    /// A workshop that has done nothing yet.
    pub fn new(options: WorkshopOptions) -> Self {
        Self {
            options,
            ready: Mutex::new(None),
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
        let ready = Ready {
            engine,
            toolchain,
            limits: self.options.limits.clone(),
        };
        *slot = Some(ready.clone());
        Ok(ready)
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

    /// Forgets an engine that failed, so that the next job looks for one anew.
    pub async fn renew(&self) {
        let old = self.ready.lock().await.take();
        if let Some(old) = old {
            old.engine.close().await;
        }
    }

    /// Removes every box.
    pub async fn close(&self) {
        self.renew().await;
    }
}
