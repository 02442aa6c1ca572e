//! One end of a connection. Both ends may ask, answer and notify.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::unconstrained;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::sync::CancellationToken;

use super::message::{Failure, Head, Message};
use crate::error::{Code, Error, Result};

/// The longest line, which bounds a batch of jobs.
const LINE: usize = 64 * 1024 * 1024;
/// Lines that wait to be written; a notice that finds no place is dropped.
const WAITING: usize = 4_096;
/// Questions of the other end that are worked on at once.
const AT_ONCE: usize = 256;

/// What an end answers to the other.
#[async_trait]
pub trait RpcHandler: Send + Sync + 'static {
    /// Answers a question.
    async fn call(&self, method: &str, params: Value, peer: &Peer) -> Result<Value>;

    /// Hears a notice; it must not block.
    fn notified(&self, _method: &str, _params: Value) {}
}

/// A handle on the connection; cheap to clone.
#[derive(Clone)]
pub struct Peer {
    inner: Arc<Inner>,
}

/// What the other end asks.
struct Question {
    id: u64,
    method: String,
    params: Value,
}

struct Inner {
    lines: mpsc::Sender<String>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Result<Value>>>>,
    next: AtomicU64,
    handler: Mutex<Arc<dyn RpcHandler>>,
    closed: CancellationToken,
}

impl Peer {
    /// Takes over a connection. Must be called within a tokio runtime; its tasks end with the
    /// connection.
    pub fn start(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        handler: Arc<dyn RpcHandler>,
    ) -> Self {
        let (lines, waiting) = mpsc::channel(WAITING);
        let peer = Self {
            inner: Arc::new(Inner {
                lines,
                waiting: Mutex::default(),
                next: AtomicU64::new(1),
                handler: Mutex::new(handler),
                closed: CancellationToken::new(),
            }),
        };
        tokio::spawn(write(writer, waiting, peer.inner.closed.clone()));
        let (questions, asked) = mpsc::unbounded_channel();
        tokio::spawn(begin(asked, peer.clone()));
        tokio::spawn(read(reader, questions, peer.clone()));
        peer
    }

    /// Asks the other end.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value> {
        let id = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let (answer, waiting) = oneshot::channel();
        self.inner.waiting.lock().insert(id, answer);
        if self.is_closed() {
            self.inner.waiting.lock().remove(&id);
            return Err(gone());
        }
        let message = Message {
            id: Some(id),
            method: Some(method.to_owned()),
            params,
            ..Message::default()
        };
        self.send(&message).await?;
        waiting.await.map_err(|_| gone())?
    }

    /// Tells the other end, where there is room.
    pub fn notify(&self, method: &str, params: Value) -> bool {
        let message = Message {
            method: Some(method.to_owned()),
            params,
            ..Message::default()
        };
        line(&message).is_ok_and(|line| self.inner.lines.try_send(line).is_ok())
    }

    /// Who answers from now on.
    pub fn handle(&self, handler: Arc<dyn RpcHandler>) {
        *self.inner.handler.lock() = handler;
    }

    /// The connection is over.
    pub fn is_closed(&self) -> bool {
        self.inner.closed.is_cancelled()
    }

    /// Whether both are handles on one connection.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Waits for the end of the connection.
    pub async fn closed(&self) {
        self.inner.closed.cancelled().await;
    }

    /// Ends the connection.
    pub fn close(&self) {
        self.inner.closed.cancel();
    }

    async fn send(&self, message: &Message) -> Result<()> {
        // Where there is room at once, no budget of the task may let a later one go first.
        match self.inner.lines.try_send(line(message)?) {
            Err(TrySendError::Full(line)) => self.inner.lines.send(line).await.map_err(|_| gone()),
            sent => sent.map_err(|_| gone()),
        }
    }

    async fn answer(self, Question { id, method, params }: Question) {
        let handler = self.inner.handler.lock().clone();
        // A panic would leave who asked without an answer.
        let answer = AssertUnwindSafe(handler.call(&method, params, &self))
            .catch_unwind()
            .await;
        let message = match answer.unwrap_or_else(|_| Err(failed())) {
            Ok(result) => Message {
                id: Some(id),
                result,
                ..Message::default()
            },
            Err(error) => Message {
                id: Some(id),
                error: Some(Failure::from(&error)),
                ..Message::default()
            },
        };
        if let Err(error) = self.send(&message).await {
            // It is too big, or the connection is closed.
            self.refuse(id, &error).await;
        }
    }

    async fn refuse(&self, id: u64, error: &Error) {
        let refused = Message {
            id: Some(id),
            error: Some(Failure::from(error)),
            ..Message::default()
        };
        if self.send(&refused).await.is_err() {
            tracing::debug!("an answer found the connection closed");
        }
    }

    fn not_understood(&self, Head { id, method }: Head, cause: serde_json::Error) {
        let error = Error::new(
            Code::OptionInvalid,
            "what came through the owner's socket is not understood",
        )
        .because(cause);
        match (id, method) {
            (Some(id), Some(_)) => {
                let peer = self.clone();
                tokio::spawn(async move { peer.refuse(id, &error).await });
            }
            (Some(id), None) => {
                let waiting = self.inner.waiting.lock().remove(&id);
                if let Some(waiting) = waiting {
                    let _ = waiting.send(Err(error));
                }
            }
            (None, _) => tracing::debug!("a notice is not understood: {error}"),
        }
    }
}

fn line(message: &Message) -> Result<String> {
    let mut line = serde_json::to_string(message)
        .map_err(|error| Error::new(Code::Internal, "a message cannot be written as JSON").because(error))?;
    if line.len() >= LINE {
        return Err(Error::new(
            Code::OptionInvalid,
            "this is more than goes through the owner's socket at once (64 MB); ask or send less, such as a smaller `limit`",
        ));
    }
    line.push('\n');
    Ok(line)
}

fn failed() -> Error {
    Error::new(
        Code::Internal,
        "answering failed inside of the engine of the process that owns the data directory; report this",
    )
}

fn gone() -> Error {
    Error::new(
        Code::StoreBusy,
        "the process that owns the data directory went away, and whether it did what was asked is not known; look, or ask again",
    )
}

async fn write(mut writer: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<String>, closed: CancellationToken) {
    while let Some(Some(line)) = closed.run_until_cancelled(lines.recv()).await {
        let written = closed.run_until_cancelled(writer.write_all(line.as_bytes())).await;
        if !matches!(written, Some(Ok(()))) {
            break;
        }
    }
    closed.cancel();
}

/// Begins to answer questions, one after the other, so that the jobs of an earlier one are before those of a later one.
async fn begin(mut asked: mpsc::UnboundedReceiver<Question>, peer: Peer) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let closed = peer.inner.closed.clone();
    while let Some(Some(question)) = closed.run_until_cancelled(asked.recv()).await {
        let Some(Ok(turn)) = closed.run_until_cancelled(room.clone().acquire_owned()).await else {
            return;
        };
        let (peer, closed) = (peer.clone(), closed.clone());
        let mut work = Box::pin(async move {
            closed.run_until_cancelled(peer.answer(question)).await;
            drop(turn);
        });
        if unconstrained(&mut work).now_or_never().is_none() {
            tokio::spawn(work);
        }
    }
}

async fn read(reader: impl AsyncRead + Unpin, questions: mpsc::UnboundedSender<Question>, peer: Peer) {
    let mut lines = FramedRead::new(reader, LinesCodec::new_with_max_length(LINE));
    let closed = peer.inner.closed.clone();
    while let Some(Some(Ok(line))) = closed.run_until_cancelled(lines.next()).await {
        let message = match serde_json::from_str::<Message>(&line) {
            Ok(message) => message,
            // What one question or answer holds is no reason to end the others.
            Err(error) => match serde_json::from_str::<Head>(&line) {
                Ok(head) => {
                    peer.not_understood(head, error);
                    continue;
                }
                Err(_) => break,
            },
        };
        match (message.id, message.method) {
            (Some(id), Some(method)) => {
                // It waits for its turn outside of this loop, which must go on reading answers.
                let params = message.params;
                let _ = questions.send(Question { id, method, params });
            }
            (Some(id), None) => {
                let waiting = peer.inner.waiting.lock().remove(&id);
                if let Some(waiting) = waiting {
                    let _ = waiting.send(message.error.map_or(Ok(message.result), |error| Err(error.into())));
                }
            }
            (None, Some(method)) => {
                let handler = peer.inner.handler.lock().clone();
                handler.notified(&method, message.params);
            }
            (None, None) => break,
        }
    }
    closed.cancel();
    peer.inner.waiting.lock().clear();
}
