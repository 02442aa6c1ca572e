//! Boxes made ahead: each is used once and thrown away, as one that was made on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::run::{Isolation, Limits};
use super::{SandboxEngine, Session, SharedEngine};
use crate::error::{Code, Error, Result};

/// How many boxes wait, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Boxes that wait at once; 0 makes every box on demand.
    pub size: usize,
    /// A box that nobody took for so long goes, and is not replaced before another is asked for.
    pub idle: Duration,
}

impl PoolOptions {
    /// The most boxes that may wait.
    pub const MOST: usize = 16;
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 1,
            idle: Duration::from_secs(10),
        }
    }
}

/// An engine that keeps boxes of one kind of limits ready. Boxes of other limits are made on demand.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    engine: SharedEngine,
    limits: Limits,
    options: PoolOptions,
    state: Mutex<State>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct State {
    /// The oldest first, each with the time at which it goes.
    ready: VecDeque<(Instant, Box<dyn Session>)>,
    /// Boxes on their way.
    making: usize,
    /// Those who were promised a box that is on its way.
    waiting: VecDeque<oneshot::Sender<Box<dyn Session>>>,
    /// Somebody looks after what grows old.
    is_watched: bool,
}

/// What a caller gets who asks for a box.
enum Offer {
    Ready(Box<dyn Session>),
    OnItsWay(oneshot::Receiver<Box<dyn Session>>),
    None,
}

impl Pool {
    /// Nothing is made before the first `start` or `warm`.
    pub fn new(engine: SharedEngine, limits: Limits, options: PoolOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                engine,
                limits,
                options,
                state: Mutex::default(),
                closing: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }
}

impl Shared {
    /// Takes what is ready, or a place in the line for what is on its way.
    fn offer(&self) -> Offer {
        let mut state = self.state.lock();
        if let Some((_, session)) = state.ready.pop_front() {
            return Offer::Ready(session);
        }
        if state.making <= state.waiting.len() {
            return Offer::None;
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(sender);
        Offer::OnItsWay(receiver)
    }

    /// Starts as many boxes as are missing.
    fn refill(self: &Arc<Self>) {
        let missing = {
            let mut state = self.state.lock();
            if self.closing.is_cancelled() {
                return;
            }
            let free = state.making.saturating_sub(state.waiting.len());
            let missing = self.options.size.saturating_sub(state.ready.len() + free);
            state.making += missing;
            missing
        };
        for _ in 0..missing {
            let shared = Arc::clone(self);
            self.tasks.spawn(async move { shared.make().await });
        }
    }

    /// Makes one box. Where that fails, whoever was promised it makes one for himself and learns why.
    async fn make(self: Arc<Self>) {
        let made = tokio::select! {
            made = self.engine.start(&self.limits) => made,
            () = self.closing.cancelled() => Err(closed()),
        };
        let surplus = {
            let mut state = self.state.lock();
            state.making -= 1;
            match made {
                Ok(session) if !self.closing.is_cancelled() => self.hand_out(&mut state, session),
                Ok(session) => Some(session),
                Err(error) => {
                    tracing::debug!(%error, "a box could not be made ahead");
                    state.waiting.pop_back();
                    None
                }
            }
        };
        match surplus {
            Some(session) => session.close().await,
            None => self.watch(),
        }
    }

    /// To the first who still waits, else among those that are ready.
    fn hand_out(&self, state: &mut State, mut session: Box<dyn Session>) -> Option<Box<dyn Session>> {
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(session) {
                Ok(()) => return None,
                Err(unwanted) => session = unwanted,
            }
        }
        if state.ready.len() >= self.options.size {
            return Some(session);
        }
        state.ready.push_back((Instant::now() + self.options.idle, session));
        None
    }

    /// Sees to it that what grows old goes.
    fn watch(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if state.is_watched || state.ready.is_empty() {
            return;
        }
        state.is_watched = true;
        self.tasks.spawn(watch_over(Arc::downgrade(self), self.closing.clone()));
    }

    /// Takes out what is too old; tells when the next one will be.
    fn expire(&self, now: Instant) -> (Vec<Box<dyn Session>>, Option<Instant>) {
        let mut state = self.state.lock();
        let mut old = Vec::new();
        while state.ready.front().is_some_and(|(until, _)| *until <= now) {
            old.extend(state.ready.pop_front().map(|(_, session)| session));
        }
        let next = state.ready.front().map(|(until, _)| *until);
        state.is_watched = next.is_some();
        (old, next)
    }
}

/// Ends with the last box that waits, and with the pool: it does not keep it alive.
async fn watch_over(pool: Weak<Shared>, closing: CancellationToken) {
    let mut next = Some(Instant::now());
    while let Some(until) = next {
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = closing.cancelled() => return,
        }
        let Some(shared) = pool.upgrade() else { return };
        let (old, following) = shared.expire(Instant::now());
        drop(shared);
        for session in old {
            session.close().await;
        }
        next = following;
    }
}

fn closed() -> Error {
    Error::new(Code::Closed, "the sandbox is closed")
}

#[async_trait]
impl SandboxEngine for Pool {
    fn name(&self) -> String {
        self.shared.engine.name()
    }

    fn isolation(&self) -> Isolation {
        self.shared.engine.isolation()
    }

    /// A box that waits and is well, else the next that is on its way, else one made for this call.
    async fn start(&self, limits: &Limits) -> Result<Box<dyn Session>> {
        let shared = &self.shared;
        if shared.closing.is_cancelled() {
            return Err(closed());
        }
        if shared.options.size == 0 || *limits != shared.limits {
            return shared.engine.start(limits).await;
        }
        loop {
            let offer = shared.offer();
            shared.refill();
            match offer {
                Offer::Ready(mut session) => {
                    if session.is_well().await {
                        return Ok(session);
                    }
                    // Its engine or somebody else ended it while it waited.
                    shared.tasks.spawn(session.close());
                }
                Offer::OnItsWay(receiver) => {
                    if let Ok(session) = receiver.await {
                        return Ok(session);
                    }
                    return shared.engine.start(limits).await;
                }
                Offer::None => return shared.engine.start(limits).await,
            }
        }
    }

    fn warm(&self) {
        self.shared.refill();
    }

    async fn close(&self) {
        self.shared.closing.cancel();
        self.shared.tasks.close();
        let ready = std::mem::take(&mut self.shared.state.lock().ready);
        for (_, session) in ready {
            session.close().await;
        }
        self.shared.tasks.wait().await;
        self.shared.engine.close().await;
    }
}
