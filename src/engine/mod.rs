//! Composition root: opens the rooms, connects them and closes them.
//!
//! The first process on a data directory owns it (`owner.rs`); any other is served by the owner
//! through its socket (`served.rs`), and takes its place when it goes (`member.rs`). All answer the same questions (`backend.rs`).

mod around;
mod backend;
mod commits;
mod creation;
pub mod dependencies;
mod doctor;
mod exposition;
mod far_logs;
mod hub;
mod kept_breaker;
mod kept_trace;
mod log_subscriber;
mod logs;
mod member;
mod near;
mod options;
mod owner;
mod process;
mod rooms;
pub mod sandbox_options;
mod served;
mod served_model;
mod serving;
mod shared_breaker;
mod waking;

#[cfg(test)]
mod tests;

pub use backend::{Backend, Creation};
pub use near::Near;
pub use options::{EngineOptions, Part};

use std::sync::Arc;

use hub::Reached;

use crate::error::Result;
use crate::event::EventSink;
use crate::generation::Model;

/// Opens the engine of a data directory, as its owner or served by the one who is.
pub async fn open(
    options: EngineOptions,
    sink: Arc<dyn EventSink>,
    model: Option<Arc<dyn Model>>,
) -> Result<Arc<dyn Backend>> {
    let rooms = rooms::open(&options)?;
    match hub::open(&options, &rooms.clock).await? {
        Reached::Own(store) => owner::open(options, rooms, store, sink, model).await,
        Reached::Served(peer) => member::open(peer, options, sink, model).await,
    }
}
