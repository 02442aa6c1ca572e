//! What the stores on servers have in common.

mod batcher;
mod notifier;
mod server_clock;

pub use batcher::Batcher;
pub use notifier::{Notifier, Sent};
pub use server_clock::ServerClock;
