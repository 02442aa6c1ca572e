//! What the stores on servers have in common.

mod batcher;
mod ended;
mod ends;
mod notifier;
mod server_clock;
mod tls;

pub use batcher::Batcher;
pub use ended::Ended;
pub use ends::{end_all, in_one};
pub use notifier::{Notifier, Sent};
pub use server_clock::ServerClock;
pub use tls::trusted;
