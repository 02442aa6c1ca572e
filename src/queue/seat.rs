//! Where a process sits in a queue: beside the store, or at the socket of the process that has it.

use std::sync::Arc;

use super::access::{Access, Owner, open, open_server};
use super::socket::{Peer, RemoteQueue};
use super::{Hub, MemberOptions, Queue, QueueApi};
use crate::clock::SharedClock;
use crate::error::Result;
use crate::event::EventSink;
use crate::store::{DataDirectory, SqliteStore, StoreUrl};

/// Where the jobs of a queue are.
#[derive(Clone, Debug)]
pub enum Where {
    Memory,
    Directory(DataDirectory),
    Server(StoreUrl),
}

/// How the jobs are reached at present.
#[derive(Clone)]
pub enum Seat {
    Near(Queue, Arc<Keeper>),
    Far(RemoteQueue, Peer),
}

/// What holds the store open.
pub enum Keeper {
    Hub(Hub),
    Owner(Owner),
}

impl Keeper {
    /// Gives it back.
    pub async fn close(&self) {
        match self {
            Self::Hub(hub) => hub.close().await,
            Self::Owner(owner) => owner.close().await,
        }
    }
}

impl Seat {
    /// The connection to the owner.
    pub fn peer(&self) -> Option<Peer> {
        match self {
            Self::Far(_, peer) => Some(peer.clone()),
            Self::Near(..) => None,
        }
    }

    /// The queue, near or far.
    pub fn api(&self) -> Arc<dyn QueueApi> {
        match self {
            Self::Near(queue, _) => Arc::new(queue.clone()),
            Self::Far(queue, _) => Arc::new(queue.clone()),
        }
    }
}

impl Where {
    /// Finds out where the store is.
    pub async fn sit(
        &self,
        name: &str,
        clock: &SharedClock,
        options: MemberOptions,
        sink: &Arc<dyn EventSink>,
    ) -> Result<Seat> {
        let (options, retention) = (options.hub, options.retention);
        let keeper = match self {
            Self::Memory => {
                let store = Arc::new(SqliteStore::in_memory().await?);
                Keeper::Hub(Hub::open(store, clock.clone(), options, true).await?)
            }
            Self::Server(url) => Keeper::Owner(open_server(url, clock, options).await?),
            Self::Directory(directory) => match open(directory, clock, options).await? {
                Access::Owner(owner) => Keeper::Owner(owner),
                Access::Served(peer) => {
                    let queue = RemoteQueue::open(&peer, name, sink.clone(), Some(retention)).await?;
                    return Ok(Seat::Far(queue, peer));
                }
            },
        };
        let hub = match &keeper {
            Keeper::Hub(hub) => hub,
            Keeper::Owner(owner) => owner.hub(),
        };
        let opened = async {
            let queue = Queue::open(hub, name, sink.clone()).await?;
            queue.retain(retention).await.map(|()| queue)
        };
        match opened.await {
            Ok(queue) => Ok(Seat::Near(queue, Arc::new(keeper))),
            Err(error) => {
                keeper.close().await;
                Err(error)
            }
        }
    }
}
