//! What the stores on servers have in common.

mod batcher;
mod notifier;
mod server_clock;
mod tls;

pub use batcher::Batcher;
pub use notifier::{Notifier, Sent};
pub use server_clock::ServerClock;
pub use tls::trusted;
