//! What processes that share a store tell one another.

use serde::{Deserialize, Serialize};

use super::job::Priority;

/// What another process did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notice {
    /// Jobs of the queue wait, or there is room again in a queue that has limits.
    Ready(String),
    /// A job of that priority was added, told beside `Ready`.
    Arrived(String, Priority),
    /// The limits of the queue are others now, told beside `Ready`.
    Limited(String),
    /// A job falls due, perhaps earlier than known here.
    Due,
    /// The job of that id was cancelled.
    Cancelled(String),
    /// The queue was paused or resumed.
    Paused(String, bool),
    /// The store is here again: anything may have happened meanwhile.
    Back,
}
