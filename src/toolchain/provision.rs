//! Brings the toolchain onto the disk, once.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::archive::{Bounds, make_folder, set_mode, unpack};
use super::cache::{CacheLock, Marker, cancelled, sweep};
use super::client::{Client, Failure};
use super::lock::{Lock, LockedPackage};
use super::npm_config::NpmConfig;
use super::options::ToolchainOptions;
use super::tools::Tools;
use crate::error::{Code, Error, Result};

/// Downloads at once.
const PARALLEL: usize = 8;
/// Bytes of one compressed archive.
const MAX_ARCHIVE: u64 = 256 << 20;

/// A provisioned toolchain on disk. Its folder holds `node_modules` of the lock and nothing else.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The folder that holds `node_modules`.
    pub directory: PathBuf,
    /// Hash of the lock file and the box's platform; names the folder and the image.
    pub digest: String,
    tools: Tools,
    allowed: BTreeMap<String, String>,
}

impl Toolchain {
    /// Finds the toolchain on disk, or fetches it. `progress` is told the packages done and all of
    /// them, from other threads; where nothing is to be fetched it is never called.
    ///
    /// Safe in several processes at once. When `token` is cancelled it ends soon, and what was begun
    /// is removed by the next call.
    pub async fn provision(
        options: ToolchainOptions,
        progress: impl Fn(usize, usize) + Send + Sync + 'static,
        token: CancellationToken,
    ) -> Result<Self> {
        let work = tokio::task::spawn_blocking({
            let token = token.clone();
            move || provision(&options, &progress, &token)
        });
        let lost = |error| Error::new(Code::Internal, "fetching the toolchain stopped").because(error);
        tokio::select! {
            done = work => done.map_err(lost)?,
            // A connection that stands still ends by its time-out; nobody waits for it.
            () = token.cancelled() => Err(cancelled()),
        }
    }

    /// Where the tools stand inside of a box.
    pub const fn tools(&self) -> &Tools {
        &self.tools
    }

    /// What a generated plugin may depend on: names and exact versions.
    pub const fn allowed_dependencies(&self) -> &BTreeMap<String, String> {
        &self.allowed
    }
}

fn provision(
    options: &ToolchainOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
    token: &CancellationToken,
) -> Result<Toolchain> {
    let lock = Lock::read(&options.lock)?;
    let digest = lock.digest(options.platform, options.with_node);
    let cache = options.cache_dir.join("toolchain");
    let toolchain = Toolchain {
        directory: cache.join(&digest),
        digest,
        tools: Tools::new(options.platform, options.with_node),
        allowed: lock.allowed(),
    };
    if Marker::holds(&toolchain.directory) {
        return Ok(toolchain);
    }
    let _held = CacheLock::take(&cache, token)?;
    // Another process may have done it while this one waited.
    if Marker::holds(&toolchain.directory) {
        return Ok(toolchain);
    }
    sweep(&cache);
    let tree = cache.join(format!(".tmp-{}", std::process::id()));
    let fetched = fetch(options, &lock, &toolchain, &tree, progress, token);
    if fetched.is_err() {
        sweep(&cache);
    }
    fetched.map(|()| toolchain)
}

fn fetch(
    options: &ToolchainOptions,
    lock: &Lock,
    toolchain: &Toolchain,
    tree: &Path,
    progress: &(dyn Fn(usize, usize) + Sync),
    token: &CancellationToken,
) -> Result<()> {
    let mut npm = NpmConfig::load(&options.env, options.project.as_deref());
    if let Some(registry) = &options.registry {
        npm.use_registry(registry);
    }
    let mut packages = lock.select(options.platform, options.with_node);
    // Platform packages are the large ones: begun first, they do not keep the end waiting.
    packages.sort_by_key(|(_, package)| package.cpu.is_empty());
    let job = Job {
        client: Client::new(npm),
        tree,
        stop: token.child_token(),
    };
    make_folder(&tree.join("node_modules")).map_err(|error| unwritable(tree, error))?;
    job.all(&packages, progress)
        .map_err(|error| if token.is_cancelled() { cancelled() } else { error })?;
    for tool in toolchain.tools.native_on_disk() {
        set_mode(&tree.join(tool), 0o755).map_err(|error| unwritable(tree, error))?;
    }
    let places = packages.iter().map(|(place, _)| (*place).to_owned()).collect();
    let marker = Marker::of(tree, places, &toolchain.tools.on_disk())?;
    marker.write(tree).map_err(|error| unwritable(tree, error))?;
    set_aside(&toolchain.directory).map_err(|error| unwritable(&toolchain.directory, error))?;
    std::fs::rename(tree, &toolchain.directory).map_err(|error| unwritable(&toolchain.directory, error))
}

/// Takes a torn tree out of the way; the next sweep removes it.
fn set_aside(directory: &Path) -> std::io::Result<()> {
    if directory.exists() {
        let aside = directory.with_file_name(format!(".tmp-torn-{}", std::process::id()));
        std::fs::rename(directory, &aside)?;
        std::fs::remove_dir_all(aside)?;
    }
    Ok(())
}

struct Job<'a> {
    client: Client,
    tree: &'a Path,
    stop: CancellationToken,
}

impl Job<'_> {
    /// Fetches all packages, several at once; the first failure stops the others.
    fn all(&self, packages: &[(&str, &LockedPackage)], progress: &(dyn Fn(usize, usize) + Sync)) -> Result<()> {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..PARALLEL.min(packages.len()) {
                scope.spawn(|| {
                    while let Some((place, package)) = packages.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if self.stop.is_cancelled() {
                            return;
                        }
                        match self.one(place, package) {
                            Ok(()) => {
                                progress(done.fetch_add(1, Ordering::Relaxed) + 1, packages.len());
                            }
                            Err(error) => {
                                failed.lock().get_or_insert(error);
                                self.stop.cancel();
                            }
                        }
                    }
                });
            }
        });
        match failed.into_inner() {
            Some(error) => Err(error),
            None if self.stop.is_cancelled() => Err(cancelled()),
            None => Ok(()),
        }
    }

    fn one(&self, place: &str, package: &LockedPackage) -> Result<()> {
        let LockedPackage {
            name,
            version,
            integrity,
            ..
        } = package;
        let spool = self.tree.join(format!(".{}.tgz", place.replace('/', "+")));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&spool)
            .map_err(|error| unwritable(self.tree, error))?;
        let refuse = |why: String| self.unavailable(name, version, &why);
        let hash = self
            .client
            .archive(name, version, MAX_ARCHIVE, &mut file, &self.stop)
            .map_err(|failure| match failure {
                Failure::Cancelled => cancelled(),
                other => refuse(other.reason()),
            })?;
        if integrity.strip_prefix("sha512-") != Some(STANDARD.encode(hash).as_str()) {
            return Err(refuse(
                "what the registry sent is not what the lock file names: the registry or a proxy on the way \
                 changes packages"
                    .to_owned(),
            ));
        }
        let unpacked = std::io::Seek::rewind(&mut file).and_then(|()| {
            unpack(
                std::io::BufReader::new(&file),
                &self.tree.join(place),
                Bounds::default(),
            )
        });
        drop(file);
        std::fs::remove_file(&spool).map_err(|error| unwritable(self.tree, error))?;
        unpacked.map_err(|error| refuse(format!("its archive cannot be unpacked: {error}")))
    }

    fn unavailable(&self, name: &str, version: &str, why: &str) -> Error {
        let registry = self.client.registry(name);
        let message = format!(
            "the tools that check plugins are not here and cannot be fetched: {name} {version} from {registry}: {why}. \
             Connect this machine to a registry once (`registry`, `proxy` and `cafile` of your .npmrc are honoured), \
             or set AUTON8N_TOOLCHAIN_DIR to a folder that a connected machine of the same kind has filled"
        );
        let details = serde_json::json!({ "package": name, "version": version, "registry": registry });
        Error::new(Code::ToolchainUnavailable, message).with_details(details)
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    let message = format!(
        "the toolchain cannot be written below {} ({error}): make room there, or set AUTON8N_TOOLCHAIN_DIR to \
         another folder",
        path.display()
    );
    Error::new(Code::ToolchainUnavailable, message).because(error)
}

#[cfg(test)]
#[path = "provision_tests.rs"]
mod tests;
