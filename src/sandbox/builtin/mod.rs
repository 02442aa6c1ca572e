//! Boxes without a container engine, on Linux: our own launcher, the kernel's own limits.

mod cgroup;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};

use super::layout::{self, BoxInputs, Entry, Plan};
use super::owner::Owner;
use super::proof::{self, Bootable, Missing};
use super::ready::Ready;
use super::request::{Fields, Request, frame};
use super::run::{Isolation, Limits};
use super::session::{Cage, KeeperSession};
use super::wire::Wire;
use super::{SandboxEngine, Session, seccomp};
use crate::error::{Code, Error, Result};
use cgroup::{Groups, Version};

/// What it has not, against what the kernel could do.
const LACKS: &str = "no user namespace, no Landlock";

/// The built-in engine.
pub struct BuiltIn {
    plan: Plan,
    keeper: std::path::PathBuf,
    version: Version,
    owner: Owner,
    isolation: Isolation,
    missing: Vec<Missing>,
    allowed: Vec<String>,
    live: Live,
    closed: AtomicBool,
}

impl BuiltIn {
    /// Sweeps, then proves that each limit binds and that the tools run.
    pub async fn open(inputs: &BoxInputs, allowed: &[String]) -> Result<Self> {
        let refuse = |why: &str| Err(Error::new(Code::SandboxUnavailable, why));
        // SAFETY: it takes nothing and cannot fail.
        if unsafe { libc::geteuid() } != 0 {
            return refuse("it needs root to limit memory, processes and processor time");
        }
        let Some(version) = Version::find() else {
            return refuse("this kernel shows no control groups for memory, processes and processor time");
        };
        cgroup::sweep(version);
        let parts = inputs.clone();
        let plan = tokio::task::spawn_blocking(move || layout::plan(&parts))
            .await
            .map_err(|error| Error::new(Code::Internal, "the box could not be laid out").because(error))??;
        let mut engine = Self {
            plan,
            keeper: inputs.keeper.clone(),
            version,
            owner: Owner::this(),
            isolation: Isolation::Full,
            missing: Vec::new(),
            allowed: allowed.to_vec(),
            live: Live::default(),
            closed: AtomicBool::new(false),
        };
        let ((), missing) = tokio::try_join!(proof::self_test(&engine), proof::prove(&engine))?;
        engine.missing = missing;
        let devices = if version.limits_devices() {
            ""
        } else {
            ", no filter of devices"
        };
        engine.isolation = match proof::isolation(&engine.missing, allowed)? {
            Isolation::Full => Isolation::Reduced(format!("{LACKS}{devices}")),
            Isolation::Reduced(missing) => Isolation::Reduced(format!("{missing}, {LACKS}{devices}")),
        };
        Ok(engine)
    }

    /// What does not bind, for `doctor`.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The frame from which the launcher makes the box.
    fn launch_frame(&self, groups: &Groups, limits: &Limits) -> Result<Vec<u8>> {
        let filters = seccomp::filters()?;
        let mut fields = Fields::default()
            .texts(&groups.doors())
            .u64(limits.tmpfs)
            .u64(limits.work);
        fields = filters
            .iter()
            .fold(fields.u32(filters.len() as u32), |fields, filter| fields.blob(filter));
        let views = groups.views();
        fields = fields.u32((self.plan.len() + views.len()) as u32);
        for (path, entry) in &self.plan {
            let path = path.as_bytes();
            fields = match entry {
                Entry::Folder => fields.u8(0).blob(path).blob(b""),
                Entry::Text(text) => fields.u8(1).blob(path).blob(text.as_bytes()),
                Entry::File { from, .. } => fields.u8(2).blob(path).blob(from.as_os_str().as_encoded_bytes()),
                Entry::Tree(from) => fields.u8(3).blob(path).blob(from.as_os_str().as_encoded_bytes()),
            };
        }
        for (path, from) in views {
            fields = fields
                .u8(3)
                .blob(path.as_bytes())
                .blob(from.as_os_str().as_encoded_bytes());
        }
        Ok(frame(Request::Launch, &fields.0))
    }
}

/// Boxes of all engines of the process have numbers of their own, since the kernel's groups are named by them.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The groups of the boxes that live.
type Live = Arc<Mutex<BTreeMap<u64, Groups>>>;

/// The launcher's process and the box's groups.
struct Launched {
    child: Child,
    groups: Option<Groups>,
    number: u64,
    live: Live,
}

#[async_trait]
impl Cage for Launched {
    async fn remove(mut self: Box<Self>) {
        self.live.lock().remove(&self.number);
        // The launcher's end takes process 1 along, and that the rest.
        let _ = self.child.kill().await;
        if let Some(groups) = self.groups.take() {
            let _ = tokio::task::spawn_blocking(move || groups.remove()).await;
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.live.lock().remove(&self.number);
        let _ = self.child.start_kill();
        if let Some(groups) = self.groups.take() {
            // It waits for the kernel, which a dropping task must not.
            std::thread::spawn(move || groups.remove());
        }
    }
}

#[async_trait]
impl Bootable for BuiltIn {
    async fn boot(&self, limits: &Limits) -> Result<(KeeperSession, Ready)> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::new(Code::Closed, "the sandbox is closed"));
        }
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let groups = Groups::make(self.version, &self.owner, number, limits)?;
        let plan = self.launch_frame(&groups, limits)?;
        let spawned = Command::new(&self.keeper)
            .arg("launch")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| {
            groups.remove();
            Error::new(
                Code::SandboxFailed,
                "the launcher of the built-in sandbox cannot be started",
            )
            .because(error)
        })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        self.live.lock().insert(number, groups.clone());
        let cage = Box::new(Launched {
            child,
            groups: Some(groups),
            number,
            live: Arc::clone(&self.live),
        });
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(Error::new(Code::Internal, "the launcher has no pipes"));
        };
        let mut wire = Wire::new(Box::pin(stdout), Box::pin(stdin) as Pin<Box<_>>);
        if let Err(error) = wire.send(&plan).await {
            cage.remove().await;
            return Err(with_last_words(error, stderr).await);
        }
        match KeeperSession::open(wire, cage, limits.clone()).await {
            Ok(opened) => Ok(opened),
            Err(error) => Err(with_last_words(error, stderr).await),
        }
    }
}

/// Adds what the launcher said before it ended.
async fn with_last_words(error: Error, stderr: Option<ChildStderr>) -> Error {
    let mut words = vec![0; 1000];
    let read = async { stderr?.read(&mut words).await.ok() };
    let count = tokio::time::timeout(Duration::from_secs(1), read)
        .await
        .ok()
        .flatten()
        .unwrap_or(0);
    let words = String::from_utf8_lossy(&words[..count]).trim().to_owned();
    if words.is_empty() { error } else { error.because(words) }
}

#[async_trait]
impl SandboxEngine for BuiltIn {
    fn name(&self) -> String {
        "built-in".to_owned()
    }

    fn isolation(&self) -> Isolation {
        self.isolation.clone()
    }

    async fn start(&self, limits: &Limits) -> Result<Box<dyn Session>> {
        proof::start(self, &self.name(), limits, &self.allowed).await
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let live = std::mem::take(&mut *self.live.lock());
        let remove = move || live.values().for_each(Groups::remove);
        let _ = tokio::task::spawn_blocking(remove).await;
    }
}
