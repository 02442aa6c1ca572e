//! How other processes reach the owner of a data directory: lines of JSON over a local socket in
//! it, questions and answers in both directions.

#[cfg(unix)]
mod address;
mod message;
mod methods;
mod peer;
mod queue_methods;
mod remote_queue;
#[cfg(unix)]
mod server;

#[cfg(test)]
mod tests;

pub use methods::Methods;
pub use peer::{Peer, RpcHandler};
pub use queue_methods::QueueMethods;
pub use remote_queue::RemoteQueue;
#[cfg(unix)]
pub use server::serve;

use crate::error::Result;
use crate::store::DataDirectory;

/// Reaches the owner of a directory; `None` where nobody answers.
#[cfg(unix)]
pub async fn connect(directory: &DataDirectory) -> Result<Option<Peer>> {
    let Ok(stream) = address::connect(directory) else {
        return Ok(None);
    };
    let (reader, writer) = stream.into_split();
    let peer = Peer::start(reader, writer, std::sync::Arc::new(Methods::default()));
    let hello = peer.request("hello", serde_json::Value::Null);
    match tokio::time::timeout(std::time::Duration::from_secs(2), hello).await {
        Ok(Ok(_)) => Ok(Some(peer)),
        _ => Ok(None),
    }
}

/// Windows has no socket in a directory: a second process is refused.
#[cfg(not(unix))]
pub async fn connect(_directory: &DataDirectory) -> Result<Option<Peer>> {
    Ok(None)
}

/// Nobody else is served here.
#[cfg(not(unix))]
pub fn serve(
    _directory: &DataDirectory,
    _methods: std::sync::Arc<Methods>,
    _stop: tokio_util::sync::CancellationToken,
) -> Result<()> {
    Ok(())
}
