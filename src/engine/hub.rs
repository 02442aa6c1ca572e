//! The store and the queues' timers, as the engine's options ask for them.

use std::path::Path;
use std::sync::Arc;

use super::options::EngineOptions;
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};
use crate::queue::{Hub, HubOptions};
use crate::store::{DataDirectory, SharedStore, SqliteStore, StoreKind};

/// Takes over the store that the options name.
pub async fn open(options: &EngineOptions, clock: &SharedClock) -> Result<Hub> {
    let kind = match (&options.store, options.queue.is_off()) {
        (_, true) => StoreKind::Memory,
        (Some(text), false) => StoreKind::parse(text)?,
        (None, false) => StoreKind::Embedded,
    };
    let store: SharedStore = match kind {
        StoreKind::Memory => Arc::new(SqliteStore::in_memory().await?),
        StoreKind::Embedded => Arc::new(embedded(&options.data_dir, clock).await?),
        StoreKind::EmbeddedIn(directory) => Arc::new(embedded(Path::new(&directory), clock).await?),
    };
    Hub::open(store, Arc::clone(clock), HubOptions::default(), true).await
}

async fn embedded(path: &Path, clock: &SharedClock) -> Result<SqliteStore> {
    let directory = DataDirectory::open(path)?;
    let held = directory.hold()?.ok_or_else(|| {
        Error::new(Code::StoreBusy, format!("another process owns {} and does not answer", path.display()))
    })?;
    SqliteStore::open(&directory, held, clock.now_ms()).await
}
