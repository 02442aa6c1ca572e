//! One box, spoken to through its keeper. Every engine's boxes are driven by this.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Session;
use super::protocol::{self, Reply};
use super::ready::Ready;
use super::request::{self, CHUNK, Fields, Request, frame};
use super::run::{Command, Limits, Outcome};
use super::wire::Wire;
use crate::error::{Code, Error, Result};
use crate::files::{self, FileSet};

/// The keeper enforces a command's time; when it has not answered this long after, the box is lost.
const GRACE: Duration = Duration::from_secs(10);
/// Answers that take no command's time.
const ANSWER: Duration = Duration::from_secs(30);
/// A keeper that waits answers at once; a machine that is busy gets its time.
const PING: Duration = Duration::from_secs(2);
const MAX_COLLECTED_FILES: u32 = 10_000;

/// What holds a box. Dropping it removes the box as well as it can without waiting.
#[async_trait]
pub trait Cage: Send {
    /// Kills and removes the box, and waits until it is gone.
    async fn remove(self: Box<Self>);
}

/// A box and its keeper.
pub struct KeeperSession {
    wire: Wire,
    cage: Box<dyn Cage>,
    limits: Limits,
    /// A call was given up in the middle, so what comes next is not the answer to the next one.
    torn: bool,
}

impl KeeperSession {
    /// Waits until the keeper answers.
    pub async fn open(mut wire: Wire, cage: Box<dyn Cage>, limits: Limits) -> Result<(Self, Ready)> {
        let reply = timeout(ANSWER, wire.receive()).await;
        match reply {
            Ok(Reply::Ready(text)) => Ok((
                Self {
                    wire,
                    cage,
                    limits,
                    torn: false,
                },
                Ready::parse(&text),
            )),
            other => {
                cage.remove().await;
                Err(other.map_or_else(|error| error, |_| unexpected()))
            }
        }
    }

    async fn ask(&mut self, bytes: &[u8]) -> Result<()> {
        if self.torn {
            return Err(Error::new(
                Code::SandboxFailed,
                "an earlier call of this sandbox was given up half-way; start a new one",
            ));
        }
        self.torn = true;
        self.wire.send(bytes).await
    }

    async fn receive_file_set(&mut self, most: u64) -> Result<FileSet> {
        let mut files = FileSet::new();
        let mut total = 0_u64;
        loop {
            match self.wire.receive().await? {
                Reply::File { begin, path, bytes } => {
                    total += bytes.len() as u64;
                    if total > most {
                        return Err(Error::new(
                            Code::SandboxFailed,
                            format!("more than {most} bytes would be collected"),
                        ));
                    }
                    take_piece(&mut files, begin, path, &bytes)?;
                }
                Reply::Done => {
                    self.torn = false;
                    return Ok(files);
                }
                Reply::Fail(why) => {
                    self.torn = false;
                    return Err(Error::new(
                        Code::SandboxFailed,
                        format!("the files cannot be collected: {why}"),
                    ));
                }
                _ => return Err(unexpected()),
            }
        }
    }

    async fn watch(&mut self, command: &Command, token: &CancellationToken) -> Result<Outcome> {
        let mut streams: [Vec<u8>; 4] = Default::default();
        let deadline = tokio::time::sleep(Duration::from_millis(command.timeout_ms).saturating_add(GRACE));
        tokio::pin!(deadline);
        let mut asked = false;
        loop {
            let reply = tokio::select! {
                reply = self.wire.receive() => reply?,
                () = token.cancelled(), if !asked => {
                    asked = true;
                    self.wire.send(&frame(Request::Cancel, &[])).await?;
                    deadline.as_mut().reset(tokio::time::Instant::now() + GRACE);
                    continue;
                }
                () = &mut deadline => {
                    return Err(Error::new(Code::SandboxFailed, "the sandbox did not answer when the command's time was over"));
                }
            };
            match reply {
                Reply::Out { stream, bytes } => {
                    let index = usize::from(stream)
                        .checked_sub(1)
                        .filter(|index| *index < 4)
                        .ok_or_else(unexpected)?;
                    if streams[index].len() + bytes.len() > self.limits.output {
                        return Err(unexpected());
                    }
                    streams[index].extend_from_slice(&bytes);
                }
                Reply::Exit(exit) => {
                    self.torn = false;
                    if exit.cancelled || token.is_cancelled() {
                        return Err(Error::new(Code::Cancelled, "the command was cancelled"));
                    }
                    return Ok(protocol::outcome(&exit, streams));
                }
                Reply::Fail(why) => {
                    self.torn = false;
                    return Err(Error::new(
                        Code::SandboxFailed,
                        format!("the command could not be started: {why}"),
                    ));
                }
                _ => return Err(unexpected()),
            }
        }
    }
}

fn take_piece(files: &mut FileSet, begin: bool, path: String, bytes: &[u8]) -> Result<()> {
    if !begin {
        files.get_mut(&path).ok_or_else(unexpected)?.extend_from_slice(bytes);
        return Ok(());
    }
    files::check_path(&path)?;
    if files.len() >= MAX_COLLECTED_FILES as usize || files.insert(path, bytes.to_vec()).is_some() {
        return Err(unexpected());
    }
    Ok(())
}

fn unexpected() -> Error {
    Error::new(
        Code::SandboxFailed,
        "the sandbox answered with something that was not asked for",
    )
}

async fn timeout<T>(most: Duration, future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(most, future).await.unwrap_or_else(|_| {
        Err(Error::new(
            Code::SandboxFailed,
            format!("the sandbox did not answer within {} s", most.as_secs()),
        ))
    })
}

#[async_trait]
impl Session for KeeperSession {
    async fn is_well(&mut self) -> bool {
        let answered = async {
            self.ask(&frame(Request::Ping, &[])).await.ok()?;
            matches!(self.wire.receive().await, Ok(Reply::Done)).then_some(())
        };
        let is_well = tokio::time::timeout(PING, answered)
            .await
            .is_ok_and(|answer| answer.is_some());
        self.torn = !is_well;
        is_well
    }

    async fn put(&mut self, files: &FileSet) -> Result<()> {
        let mut total = 0;
        for (path, bytes) in files {
            files::check_path(path)?;
            if path == "out" || path.starts_with("out/") {
                let why = format!("files: {path} lies in out/, which belongs to the program that runs");
                return Err(Error::new(Code::PathRefused, why));
            }
            total += bytes.len() as u64;
        }
        if total > self.limits.work {
            let why = format!(
                "files: {total} bytes do not fit into a working directory of {}",
                self.limits.work
            );
            return Err(Error::new(Code::OptionInvalid, why));
        }
        self.ask(&[]).await?;
        for (path, bytes) in files {
            let mut begin = 1;
            let mut chunks = bytes.chunks(CHUNK);
            // An empty file has no chunk, yet it is begun.
            let mut next = Some(chunks.next().unwrap_or_default());
            while let Some(chunk) = next {
                let body = Fields::default().u8(begin).blob(path.as_bytes()).raw(chunk);
                timeout(ANSWER, self.wire.send(&frame(Request::Put, &body.0))).await?;
                begin = 0;
                next = chunks.next();
            }
        }
        self.wire.send(&frame(Request::PutEnd, &[])).await?;
        match timeout(ANSWER, self.wire.receive()).await? {
            Reply::Done => {
                self.torn = false;
                Ok(())
            }
            Reply::Fail(why) => {
                self.torn = false;
                Err(Error::new(
                    Code::SandboxFailed,
                    format!("the files cannot be put into the sandbox: {why}"),
                ))
            }
            _ => Err(unexpected()),
        }
    }

    async fn run(&mut self, command: &Command, token: &CancellationToken) -> Result<Outcome> {
        command.check()?;
        if token.is_cancelled() {
            return Err(Error::new(
                Code::Cancelled,
                "the command was cancelled before it started",
            ));
        }
        self.ask(&request::run_frame(command, self.limits.output, self.limits.work))
            .await?;
        self.watch(command, token).await
    }

    async fn collect(&mut self, paths: &[String]) -> Result<FileSet> {
        for path in paths {
            files::check_path(path.trim_end_matches('/'))?;
        }
        let most = self.limits.work;
        let body = Fields::default().u64(most).u32(MAX_COLLECTED_FILES).texts(paths);
        self.ask(&frame(Request::Collect, &body.0)).await?;
        timeout(ANSWER * 2, self.receive_file_set(most)).await
    }

    async fn close(self: Box<Self>) {
        self.cage.remove().await;
    }
}
