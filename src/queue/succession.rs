//! Who answers for a data directory: this process, or the one that owns it. When the owner goes, a process that it served
//! takes its place, or is served by the process that did.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::socket::Peer;
use crate::error::{Code, Error, Result};

/// Between two attempts to take a place.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a call waits for a new owner.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a member of a data directory takes part.
#[async_trait]
pub trait Sitter: Send + Sync + 'static {
    /// What answers.
    type Seat: Clone + Send + Sync + 'static;
    /// What its users call it.
    const NAME: &'static str;

    /// Takes the place of the owner, or is served by the process that did.
    async fn sit(&self) -> Result<Self::Seat>;

    /// The connection to the owner, where that is another process.
    fn peer(seat: &Self::Seat) -> Option<Peer>;

    /// Begins what is done on that seat, unless the part ended meanwhile.
    fn seated(&self, _seat: &Self::Seat) {}
}

/// A part in a data directory. It goes on until `end`, also where this handle is dropped.
pub struct Succession<S: Sitter> {
    inner: Arc<Inner<S>>,
    follower: Mutex<Option<JoinHandle<()>>>,
}

struct Inner<S: Sitter> {
    sitter: Arc<S>,
    seat: Mutex<S::Seat>,
    changed: watch::Sender<()>,
    stop: CancellationToken,
}

impl<S: Sitter> Succession<S> {
    /// Begins with a seat that was taken.
    pub fn begin(sitter: Arc<S>, first: S::Seat) -> Self {
        sitter.seated(&first);
        let peer = S::peer(&first);
        let inner = Arc::new(Inner {
            sitter,
            seat: Mutex::new(first),
            changed: watch::Sender::new(()),
            stop: CancellationToken::new(),
        });
        let follower = peer.map(|peer| tokio::spawn(follow(Arc::clone(&inner), peer)));
        Self {
            inner,
            follower: Mutex::new(follower),
        }
    }

    /// Who answers, or answered last.
    pub fn last(&self) -> S::Seat {
        self.inner.seat.lock().clone()
    }

    /// Who answers. Waits a while where the owner just went.
    pub async fn seat(&self) -> Result<S::Seat> {
        if let Some(seat) = self.inner.taken() {
            return Ok(seat);
        }
        let mut changes = self.inner.changed.subscribe();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                changes.borrow_and_update();
                if let Some(seat) = self.inner.taken() {
                    return Ok(seat);
                }
                // The sender lives as long as `self`, so only the end of all is an end of this.
                if self.inner.stop.run_until_cancelled(changes.changed()).await.is_none() {
                    let what = S::NAME;
                    return Err(Error::new(Code::Closed, format!("the {what} is closed; open it again")));
                }
            }
        });
        waited.await.unwrap_or_else(|_| {
            Err(Error::new(
                Code::StoreBusy,
                "the process that owned the data directory went away, and no other one took its place yet; try again",
            ))
        })
    }

    /// Whether the owner of that seat went.
    pub fn is_left(seat: &S::Seat) -> bool {
        S::peer(seat).is_some_and(|peer| peer.is_closed())
    }

    /// Takes no further place.
    pub fn stop(&self) {
        self.inner.stop.cancel();
    }

    pub fn is_stopped(&self) -> bool {
        self.inner.stop.is_cancelled()
    }

    /// Takes no further place; answers with the seat that has to be closed.
    pub async fn end(&self) -> S::Seat {
        self.stop();
        let follower = self.follower.lock().take();
        if let Some(follower) = follower {
            // It may sit down just now, and what it opens has to be closed.
            let _ = follower.await;
        }
        self.last()
    }
}

impl<S: Sitter> Inner<S> {
    fn taken(&self) -> Option<S::Seat> {
        let seat = self.seat.lock().clone();
        (!Succession::<S>::is_left(&seat)).then_some(seat)
    }
}

/// Waits for the end of each owner.
async fn follow<S: Sitter>(inner: Arc<Inner<S>>, mut peer: Peer) {
    let stop = &inner.stop;
    while stop.run_until_cancelled(peer.closed()).await.is_some() {
        let seat = loop {
            match inner.sitter.sit().await {
                Ok(seat) => break seat,
                Err(error) => tracing::debug!("the place of the owner is not taken yet: {error}"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                return;
            }
        };
        let next = S::peer(&seat);
        *inner.seat.lock() = seat.clone();
        if !stop.is_cancelled() {
            inner.sitter.seated(&seat);
        }
        inner.changed.send_replace(());
        match next {
            Some(next) => peer = next,
            None => return,
        }
    }
}
