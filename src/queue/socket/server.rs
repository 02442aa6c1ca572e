//! Serves other processes while this one owns the directory.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::address;
use super::methods::Methods;
use super::peer::Peer;
use crate::error::{Code, Error, Result};
use crate::store::DataDirectory;

/// After an error of `accept`, such as too many open files.
const AGAIN: Duration = Duration::from_millis(100);

/// Listens until `stop`. Must be called within a tokio runtime.
pub fn serve(directory: &DataDirectory, methods: Arc<Methods>, stop: CancellationToken) -> Result<()> {
    let listener = address::bind(directory).map_err(|error| {
        Error::new(
            Code::DataDirUnwritable,
            format!(
                "no socket can be made in the data directory {}",
                directory.path().display()
            ),
        )
        .because(error)
    })?;
    let directory = directory.clone();
    tokio::spawn(async move {
        stop.run_until_cancelled(accept(listener, methods, stop.clone())).await;
        address::remove(&directory);
    });
    Ok(())
}

async fn accept(listener: UnixListener, methods: Arc<Methods>, stop: CancellationToken) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let (reader, writer) = stream.into_split();
        let peer = Peer::start(reader, writer, methods.clone());
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = peer.closed() => {}
                () = stop.cancelled() => peer.close(),
            }
        });
    }
}
