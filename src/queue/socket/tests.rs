use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Peer, RemoteQueue, RpcHandler, connect};
use crate::clock::SystemClock;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink, NoSink};
use crate::queue::{Access, HubOptions, JobFilter, JobOptions, JobStatus, NewJob, Owner, Queue, QueueApi, open};
use crate::store::DataDirectory;

struct Echo;

#[async_trait]
impl RpcHandler for Echo {
    async fn call(&self, method: &str, params: Value, peer: &Peer) -> Result<Value> {
        match method {
            "echo" => Ok(params),
            "ask back" => peer.request("echo", params).await,
            "wait" => std::future::pending().await,
            "deep" => Ok((0..150).fold(Value::Null, |inner, _| json!([inner]))),
            "big" => Ok(json!("x".repeat(65 * 1024 * 1024))),
            _ => Err(Error::new(Code::JobState, "no").with_details(json!([1]))),
        }
    }
}

fn pair() -> (Peer, Peer) {
    let (near, far) = tokio::io::duplex(1024);
    let start = |stream| {
        let (reader, writer) = tokio::io::split(stream);
        Peer::start(reader, writer, Arc::new(Echo))
    };
    (start(near), start(far))
}

#[tokio::test]
async fn both_ends_ask_and_errors_keep_their_code() {
    let (near, far) = pair();
    let many = (0..300).map(|n| near.request("ask back", json!({ "n": n })));
    let answers = futures_util::future::join_all(many).await;
    assert!(
        answers
            .into_iter()
            .enumerate()
            .all(|(n, answer)| answer.unwrap() == json!({ "n": n }))
    );
    let error = far.request("other", Value::Null).await.unwrap_err();
    assert_eq!((error.code(), error.details()), (Code::JobState, &json!([1])));
}

#[tokio::test]
async fn an_answer_that_cannot_pass_ends_its_question_and_no_other() {
    let (near, _far) = pair();
    let waiting = tokio::spawn({
        let near = near.clone();
        async move { near.request("wait", Value::Null).await }
    });
    for method in ["deep", "big"] {
        let error = near.request(method, Value::Null).await.unwrap_err();
        assert_eq!(error.code(), Code::OptionInvalid, "{method}: {error:?}");
    }
    let deep = (0..150).fold(Value::Null, |inner, _| json!([inner]));
    let error = near.request("echo", deep).await.unwrap_err();
    assert_eq!(error.code(), Code::OptionInvalid, "{error:?}");
    assert_eq!(near.request("echo", json!(1)).await.unwrap(), json!(1));
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_question_ends_with_its_connection() {
    let (near, far) = pair();
    let asking = tokio::spawn(async move { near.request("wait", Value::Null).await });
    far.request("echo", Value::Null).await.unwrap();
    far.close();
    assert_eq!(asking.await.unwrap().unwrap_err().code(), Code::StoreBusy);
    assert_eq!(
        far.request("echo", Value::Null).await.unwrap_err().code(),
        Code::StoreBusy
    );
}

async fn own(directory: &DataDirectory) -> Owner {
    match open(directory, &SystemClock::shared(), HubOptions::default())
        .await
        .unwrap()
    {
        Access::Owner(owner) => owner,
        Access::Served(_) => panic!("somebody owns it"),
    }
}

struct Heard(tokio::sync::mpsc::UnboundedSender<Event>);

impl EventSink for Heard {
    fn emit(&self, event: Event) {
        let _ = self.0.send(event);
    }
}

async fn served(directory: &DataDirectory) {
    let owner = own(directory).await;
    let peer = connect(directory).await.unwrap().expect("the owner answers");
    let (heard, mut events) = tokio::sync::mpsc::unbounded_channel();
    let far = RemoteQueue::open(&peer, "q", Arc::new(Heard(heard)), None)
        .await
        .unwrap();
    let job = NewJob {
        name: "a".into(),
        data: json!(1).into(),
        options: JobOptions::default(),
        reference: None,
    };
    let added = far.add(vec![job]).await.unwrap().pop().unwrap();
    let near = Queue::open(owner.hub(), "q", Arc::new(NoSink)).await.unwrap();
    assert_eq!(near.get(&added.id).await.unwrap().unwrap(), added);
    assert_eq!(far.list(JobFilter::default()).await.unwrap(), vec![added.clone()]);
    assert_eq!(far.metrics().await.unwrap().counts.pending, 1);
    assert!(near.cancel(&added.id).await.unwrap());
    assert_eq!(far.get(&added.id).await.unwrap().unwrap().status, JobStatus::Cancelled);
    let told = [events.recv().await.unwrap(), events.recv().await.unwrap()];
    assert!(told.iter().all(|event| event.job_id == added.id));
    far.retry(&added.id).await.unwrap();
    assert_eq!(far.retry("nothing").await.unwrap_err().code(), Code::JobNotFound);
    far.pause().await.unwrap();
    assert!(near.metrics().await.unwrap().paused);
    far.resume().await.unwrap();
    owner.close().await;
    peer.closed().await;
    assert_eq!(far.metrics().await.unwrap_err().code(), Code::StoreBusy);
    assert!(connect(directory).await.unwrap().is_none());
}

#[tokio::test]
async fn another_process_is_served() {
    let temp = tempfile::tempdir().unwrap();
    served(&DataDirectory::open(temp.path()).unwrap()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_process_is_served_under_a_long_path() {
    let temp = tempfile::tempdir().unwrap();
    let long = temp.path().join("d".repeat(120)).join("e".repeat(120));
    served(&DataDirectory::open(&long).unwrap()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_socket_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(temp.path()).unwrap();
    let owner = own(&directory).await;
    let socket = temp.path().join("jobs.db.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    owner.close().await;
    tokio::time::timeout(Duration::from_mins(1), async {
        while socket.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn openings_of_one_process_share_the_store_and_the_last_one_closes_it() {
    let temp = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(temp.path()).unwrap();
    let (one, two) = (own(&directory).await, own(&directory).await);
    let queue = Queue::open(one.hub(), "q", Arc::new(NoSink)).await.unwrap();
    two.close().await;
    two.close().await;
    queue.metrics().await.unwrap();
    assert!(directory.hold().unwrap().is_none());
    one.close().await;
    assert_eq!(queue.metrics().await.unwrap_err().code(), Code::Closed);
    assert!(directory.hold().unwrap().is_some());
    let dropped = own(&directory).await;
    drop((dropped, queue));
    own(&directory).await.close().await;
}

#[tokio::test]
async fn an_owner_that_does_not_answer_is_busy() {
    let temp = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(temp.path()).unwrap();
    let _held = directory.hold().unwrap().unwrap();
    let opened = open(&directory, &SystemClock::shared(), HubOptions::default()).await;
    assert_eq!(opened.err().unwrap().code(), Code::StoreBusy);
}
