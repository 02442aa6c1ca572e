//! The store that the engine's options name: owned by this process, or by one that serves it.

use std::path::Path;
use std::sync::Arc;

use super::options::EngineOptions;
use crate::clock::SharedClock;
use crate::error::Result;
use crate::queue::{self, Access, Hub, HubOptions, Methods};
use crate::store::{DataDirectory, SharedStore, SqliteStore, StoreKind};

/// A store that this process owns.
pub enum Store {
    /// In memory: nobody else can reach it.
    Alone(Hub),
    /// In a data directory, together with other openings of this process.
    Shared(queue::Owner),
}

impl Store {
    /// The queues' timers.
    pub fn hub(&self) -> &Hub {
        match self {
            Self::Alone(hub) => hub,
            Self::Shared(owner) => owner.hub(),
        }
    }

    /// Whether engines of other data directories use it too.
    pub fn is_server(&self) -> bool {
        self.hub().store().clock().is_some()
    }

    /// What other processes may ask, where they can.
    pub fn methods(&self) -> Option<&Arc<Methods>> {
        match self {
            Self::Alone(_) => None,
            Self::Shared(owner) => Some(owner.methods()),
        }
    }

    /// Gives the store back.
    pub async fn close(&self) {
        match self {
            Self::Alone(hub) => hub.close().await,
            Self::Shared(owner) => owner.close().await,
        }
    }
}

/// How the store is reached.
pub enum Reached {
    Own(Store),
    Served(queue::Peer),
}

/// Takes over the store, or connects to its owner.
pub async fn open(options: &EngineOptions, clock: &SharedClock) -> Result<Reached> {
    let kind = match (&options.store, options.queue.is_off()) {
        (_, true) => StoreKind::Memory,
        (Some(text), false) => StoreKind::parse(text)?,
        (None, false) => StoreKind::Embedded,
    };
    match kind {
        StoreKind::Memory => {
            let store: SharedStore = Arc::new(SqliteStore::in_memory().await?);
            let hub = Hub::open(store, Arc::clone(clock), HubOptions::default(), true).await?;
            Ok(Reached::Own(Store::Alone(hub)))
        }
        StoreKind::Postgres(url) | StoreKind::Redis(url) => {
            let owner = queue::open_server(&url, clock, HubOptions::default()).await?;
            Ok(Reached::Own(Store::Shared(owner)))
        }
        StoreKind::Embedded => embedded(&options.data_dir, clock).await,
        StoreKind::EmbeddedIn(directory) => embedded(Path::new(&directory), clock).await,
    }
}

async fn embedded(path: &Path, clock: &SharedClock) -> Result<Reached> {
    let directory = DataDirectory::open(path)?;
    match queue::open(&directory, clock, HubOptions::default()).await? {
        Access::Owner(owner) => Ok(Reached::Own(Store::Shared(owner))),
        Access::Served(peer) => Ok(Reached::Served(peer)),
    }
}
