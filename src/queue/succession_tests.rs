use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::sync::{Semaphore, oneshot};

use super::socket::{Peer, RpcHandler};
use super::succession::{Sitter, Succession};
use crate::error::{Code, Error, Result};

struct Silent;

#[async_trait]
impl RpcHandler for Silent {
    async fn call(&self, _method: &str, _params: Value, _peer: &Peer) -> Result<Value> {
        Ok(Value::Null)
    }
}

/// The connection to an owner, and the owner's end of it.
fn owner() -> (Peer, DuplexStream) {
    let (near, far) = tokio::io::duplex(64);
    let (reader, writer) = tokio::io::split(near);
    (Peer::start(reader, writer, Arc::new(Silent)), far)
}

#[derive(Clone)]
struct Seat {
    name: &'static str,
    peer: Option<Peer>,
}

/// Sits down as the owner when it may.
struct Waiting {
    may: Semaphore,
    begun: Mutex<Option<oneshot::Sender<()>>>,
    seated: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Sitter for Waiting {
    type Seat = Seat;
    const NAME: &'static str = "queue";

    async fn sit(&self) -> Result<Seat> {
        if let Some(begun) = self.begun.lock().take() {
            let _ = begun.send(());
        }
        let may = self.may.acquire().await;
        may.map_err(|_| Error::new(Code::StoreBusy, "not yet"))?.forget();
        Ok(Seat {
            name: "owner",
            peer: None,
        })
    }

    fn peer(seat: &Seat) -> Option<Peer> {
        seat.peer.clone()
    }

    fn seated(&self, seat: &Seat) {
        self.seated.lock().push(seat.name);
    }
}

fn served(peer: &Peer) -> (Arc<Waiting>, Succession<Waiting>, oneshot::Receiver<()>) {
    let (begun, begins) = oneshot::channel();
    let sitter = Arc::new(Waiting {
        may: Semaphore::new(0),
        begun: Mutex::new(Some(begun)),
        seated: Mutex::default(),
    });
    let first = Seat {
        name: "served",
        peer: Some(peer.clone()),
    };
    (sitter.clone(), Succession::begin(sitter, first), begins)
}

#[tokio::test]
async fn a_call_waits_for_the_place_of_an_owner_that_went() {
    let (peer, _far) = owner();
    let (sitter, part, begins) = served(&peer);
    assert_eq!(part.seat().await.unwrap().name, "served");
    peer.close();
    begins.await.unwrap();
    let call = part.seat();
    sitter.may.add_permits(1);
    assert_eq!(call.await.unwrap().name, "owner");
    assert_eq!(*sitter.seated.lock(), ["served", "owner"]);
}

#[tokio::test]
async fn a_place_that_is_taken_during_the_end_is_handed_back_and_begins_nothing() {
    let (peer, _far) = owner();
    let (sitter, part, begins) = served(&peer);
    peer.close();
    begins.await.unwrap();
    let end = part.end();
    part.stop();
    sitter.may.add_permits(1);
    assert_eq!(
        end.await.name,
        "owner",
        "whoever ends it closes what was opened meanwhile"
    );
    assert_eq!(*sitter.seated.lock(), ["served"]);
}

#[tokio::test]
async fn a_call_after_the_end_is_told_so() {
    let (peer, _far) = owner();
    let (_sitter, part, _begins) = served(&peer);
    assert_eq!(part.end().await.name, "served");
    peer.close();
    let error = part.seat().await.map(|seat| seat.name).unwrap_err();
    assert_eq!(error.code(), Code::Closed);
    assert!(error.to_string().contains("queue is closed"), "{error}");
}
