//! Isolated runs for programs: each in a box of its own, which is gone when the run is over.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::run::{Command, Limits, Outcome};
use super::{Session, SharedEngine};
use crate::error::{Code, Error, Result};
use crate::files::{self, FileSet};

/// What every run of a runner has in common.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerOptions {
    pub limits: Limits,
    /// Milliseconds of a run that names none.
    pub timeout_ms: u64,
    pub env: BTreeMap<String, String>,
}

/// One isolated run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRequest {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Put into the working directory.
    pub files: FileSet,
    /// A folder of the host whose files are put there first.
    pub directory: Option<PathBuf>,
    pub stdin: Vec<u8>,
    pub timeout_ms: Option<u64>,
    /// Files and folders to take out.
    pub collect: Vec<String>,
}

/// How a run ended, and what was taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    pub outcome: Outcome,
    pub files: FileSet,
}

/// Makes a box for each run.
pub struct Runner {
    engine: SharedEngine,
    options: RunnerOptions,
    closing: CancellationToken,
    runs: TaskTracker,
    tokens: Mutex<BTreeMap<u32, CancellationToken>>,
}

impl Runner {
    pub fn new(engine: SharedEngine, options: RunnerOptions) -> Self {
        Self {
            engine,
            options,
            closing: CancellationToken::new(),
            runs: TaskTracker::new(),
            tokens: Mutex::default(),
        }
    }

    /// What makes the boxes, and how well they isolate.
    pub fn describe(&self) -> (String, String) {
        (self.engine.name(), self.engine.isolation().to_string())
    }

    /// Makes a run known under the caller's number, so that it can be cancelled from now on.
    pub fn begin(&self, id: u32) -> CancellationToken {
        let token = self.closing.child_token();
        self.tokens.lock().insert(id, token.clone());
        token
    }

    /// Runs a command in a box of its own. `id` and `token` are those of `begin`.
    pub async fn run(&self, id: u32, token: CancellationToken, request: RunRequest) -> Result<RunResult> {
        let result = self.runs.track_future(self.run_in_box(request, &token)).await;
        self.tokens.lock().remove(&id);
        match result {
            Err(error) if error.code() == Code::Cancelled && self.closing.is_cancelled() => {
                Err(Error::new(Code::Closed, "the sandbox was closed while the command ran"))
            }
            other => other,
        }
    }

    async fn run_in_box(&self, request: RunRequest, token: &CancellationToken) -> Result<RunResult> {
        if self.closing.is_cancelled() {
            return Err(Error::new(Code::Closed, "the sandbox is closed"));
        }
        let most = self.options.limits.work;
        let mut files = match request.directory {
            Some(folder) => tokio::task::spawn_blocking(move || read_folder(&folder, most))
                .await
                .map_err(|error| Error::new(Code::Internal, "a folder could not be read").because(error))??,
            None => FileSet::new(),
        };
        files.extend(request.files);
        let command = Command {
            argv: request.command,
            env: self.options.env.clone(),
            stdin: request.stdin,
            timeout_ms: request.timeout_ms.unwrap_or(self.options.timeout_ms),
            judge: None,
        };
        // What is wrong with a request is told before a box is made for it.
        command.check()?;
        files
            .keys()
            .chain(&request.collect)
            .try_for_each(|path| files::check_path(path.trim_end_matches('/')))?;
        let mut session = tokio::select! {
            session = self.engine.start(&self.options.limits) => session?,
            () = token.cancelled() => return Err(Error::new(Code::Cancelled, "the command was cancelled before it started")),
        };
        let result = use_box(&mut session, &files, &command, &request.collect, token).await;
        session.close().await;
        result
    }

    /// Cancels a run; one that has ended is left alone.
    pub fn cancel(&self, id: u32) {
        if let Some(token) = self.tokens.lock().get(&id) {
            token.cancel();
        }
    }

    /// Ends all runs, waits for them, and closes the engine. May be called twice.
    pub async fn close(&self) {
        self.closing.cancel();
        self.runs.close();
        self.runs.wait().await;
        self.engine.close().await;
    }
}

async fn use_box(
    session: &mut Box<dyn Session>,
    files: &FileSet,
    command: &Command,
    collect: &[String],
    token: &CancellationToken,
) -> Result<RunResult> {
    if !files.is_empty() {
        session.put(files).await?;
    }
    let outcome = session.run(command, token).await?;
    let files = if collect.is_empty() {
        FileSet::new()
    } else {
        session.collect(collect).await?
    };
    Ok(RunResult { outcome, files })
}

/// The regular files of a folder. Names that begin with a dot and `node_modules` are left out, and
/// links are not followed.
fn read_folder(root: &Path, most: u64) -> Result<FileSet> {
    let unreadable =
        |path: &Path, error| Error::new(Code::FileUnreadable, format!("cannot read {}", path.display())).because(error);
    let mut files = FileSet::new();
    let mut open = vec![String::new()];
    let mut total = 0;
    while let Some(folder) = open.pop() {
        let real = root.join(&folder);
        for entry in fs::read_dir(&real).map_err(|error| unreadable(&real, error))? {
            let entry = entry.map_err(|error| unreadable(&real, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let kind = entry.file_type().map_err(|error| unreadable(&real, error))?;
            if kind.is_dir() {
                files::check_path(&path)?;
                open.push(path);
            } else if kind.is_file() {
                files::check_path(&path)?;
                let size = entry.metadata().map_err(|error| unreadable(&real, error))?.len();
                total += size;
                if total > most {
                    let why = format!("directory: its files have more than the {most} bytes of the working directory");
                    return Err(Error::new(Code::OptionInvalid, why));
                }
                let bytes = fs::read(entry.path()).map_err(|error| unreadable(&entry.path(), error))?;
                files.insert(path, bytes);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_without_what_does_not_belong() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["src/a.ts", "package.json", ".env", "node_modules/x/y.js", "src/.hidden"] {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, path).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let files = read_folder(folder.path(), 100).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["package.json", "src/a.ts"]);
        assert_eq!(read_folder(folder.path(), 10).unwrap_err().code(), Code::OptionInvalid);
        assert_eq!(
            read_folder(Path::new("/nowhere"), 10).unwrap_err().code(),
            Code::FileUnreadable
        );
    }
}
