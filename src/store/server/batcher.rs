//! Group commit: what waits while one batch is written is the next batch.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// The most that one batch holds, unless a single item is bigger.
const ITEMS: usize = 4_000;
const BYTES: usize = 8 * 1024 * 1024;

/// Gathers items of many callers. Its task ends when it is dropped and the last batch is written.
#[derive(Debug)]
pub struct Batcher<T, R> {
    waiting: mpsc::UnboundedSender<Waiting<T, R>>,
}

struct Waiting<T, R> {
    item: T,
    bytes: usize,
    caller: oneshot::Sender<R>,
}

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    /// `work` answers one result for each item, in their order. So many batches are worked on at
    /// once, in any order.
    pub fn start(lanes: usize, work: impl Fn(Vec<T>) -> BoxFuture<'static, Vec<R>> + Send + 'static) -> Self {
        let (waiting, mut received) = mpsc::unbounded_channel::<Waiting<T, R>>();
        tokio::spawn(async move {
            let lanes = Arc::new(Semaphore::new(lanes));
            let mut held = None;
            loop {
                // The semaphore is never closed.
                let Ok(lane) = lanes.clone().acquire_owned().await else {
                    return;
                };
                let first = match held.take() {
                    Some(first) => first,
                    None => match received.recv().await {
                        Some(first) => first,
                        None => return,
                    },
                };
                let (mut items, mut callers, mut bytes) = (Vec::new(), Vec::new(), 0);
                let mut next = Some(first);
                while let Some(one) = next.take() {
                    bytes += one.bytes;
                    if !items.is_empty() && bytes > BYTES {
                        held = Some(one);
                        break;
                    }
                    items.push(one.item);
                    callers.push(one.caller);
                    if items.len() < ITEMS {
                        next = received.try_recv().ok();
                    }
                }
                let answers = work(items);
                tokio::spawn(async move {
                    for (caller, answer) in callers.into_iter().zip(answers.await) {
                        // A caller that is gone asked for nothing any more.
                        let _ = caller.send(answer);
                    }
                    drop(lane);
                });
            }
        });
        Self { waiting }
    }

    /// Waits for the batch of the item; `None` where the batcher ended before.
    pub async fn call(&self, item: T, bytes: usize) -> Option<R> {
        let (caller, answer) = oneshot::channel();
        self.waiting.send(Waiting { item, bytes, caller }).ok()?;
        answer.await.ok()
    }
}
