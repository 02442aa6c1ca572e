use std::sync::Arc;

use tokio::sync::broadcast;

use super::test_server::Server;
use super::{RedisStore, test_server};
use crate::error::Code;
use crate::store::{
    ClaimRequest, Ending, Finish, Job, JobData, JobOptions, JobStore, Lease, NewJob, Notice, OnDuplicate, SharedStore,
    StoreKind, StoreUrl,
};

async fn open() -> Option<SharedStore> {
    let url = test_server::database().await?;
    Some(Arc::new(RedisStore::open(&url).await.unwrap()))
}

crate::store::conformance::suite!(open);
crate::store::conformance::suite!(open reading_ahead);

fn url(text: &str) -> StoreUrl {
    match StoreKind::parse(text).unwrap() {
        StoreKind::Redis(url) => url,
        other => panic!("{other:?}"),
    }
}

fn new_job() -> NewJob {
    NewJob {
        name: "a".into(),
        data: JobData::default(),
        options: JobOptions::default(),
        reference: None,
    }
}

async fn add(store: &RedisStore) -> Job {
    store.add("q", vec![new_job()], 0).await.unwrap().jobs.pop().unwrap()
}

pub async fn direct(url: &StoreUrl, command: &str) -> redis::Value {
    let client = redis::Client::open(url.reveal()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut words = command.split(' ');
    let mut sent = redis::cmd(words.next().unwrap());
    for word in words {
        sent.arg(word);
    }
    sent.query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let Some(url) = test_server::database().await else {
        return;
    };
    RedisStore::open(&url).await.unwrap().close().await;
    direct(&url, "SET {auton8n}:format 99").await;
    assert_eq!(RedisStore::open(&url).await.err().unwrap().code(), Code::StoreNewer);
    direct(&url, "SET {auton8n}:format 2").await;
    RedisStore::open(&url).await.unwrap().close().await;
}

async fn hears(heard: &mut broadcast::Receiver<Notice>, notice: &Notice) {
    while heard.recv().await.unwrap() != *notice {}
}

#[tokio::test]
async fn other_processes_are_told() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let (here, there) = (
        RedisStore::open(&url).await.unwrap(),
        RedisStore::open(&url).await.unwrap(),
    );
    let (mut own, mut heard) = (here.notices().unwrap(), there.notices().unwrap());
    let added = add(&here).await;
    hears(&mut heard, &Notice::Ready("q".into())).await;
    here.cancel("q", &added.id, 1).await.unwrap();
    hears(&mut heard, &Notice::Cancelled(added.id)).await;
    here.set_paused("q", true).await.unwrap();
    hears(&mut heard, &Notice::Paused("q".into(), true)).await;
    assert!(own.try_recv().is_err(), "not of what it did itself");
    here.close().await;
    there.close().await;
}

#[tokio::test]
async fn the_time_is_the_servers() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = RedisStore::open(&url).await.unwrap();
    let here = crate::clock::SystemClock::shared().now_ms();
    assert!((store.clock().unwrap().now_ms() - here).abs() < 1_000);
    store.close().await;
}

#[tokio::test]
async fn connections_that_were_cut_are_made_again_and_scripts_that_were_forgotten_loaded() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url(0);
    let store = RedisStore::open(&url).await.unwrap();
    let mut heard = store.notices().unwrap();
    let added = add(&store).await;
    direct(&url, "SCRIPT FLUSH").await;
    assert!(store.get("q", &added.id).await.unwrap().is_some());
    for kind in ["normal", "pubsub"] {
        direct(&url, &format!("CLIENT KILL TYPE {kind}")).await;
        assert_eq!(heard.recv().await.unwrap(), Notice::Back, "{kind}");
        assert!(store.get("q", &added.id).await.unwrap().is_some());
        add(&store).await;
        assert!(store.problem().is_none());
    }
    store.close().await;
    server.stop();
}

#[tokio::test]
async fn a_full_memory_is_told_and_running_jobs_still_end() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url(0);
    let store = RedisStore::open(&url).await.unwrap();
    for _ in 0..3 {
        add(&store).await;
    }
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 3,
        now: 0,
        lease_until: 100,
    };
    let claims = store.claim(request.clone()).await.unwrap().claims;
    direct(&url, "CONFIG SET maxmemory 1").await;
    let error = store.add("q", vec![new_job()], 0).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreFull, "{error:?}");
    let finish = |n: usize, ending| Finish {
        lease: Lease {
            id: claims[n].job.id.clone(),
            fence: claims[n].fence,
        },
        ending,
        remove: false,
    };
    let completed = Ending::Completed {
        result: serde_json::json!("x".repeat(1_000)),
    };
    assert!(store.finish(finish(0, completed), 1).await.unwrap().held);
    assert!(store.finish(finish(1, Ending::HandedBack), 1).await.unwrap().held);
    assert_eq!(store.rescue(100, 100, 3).await.unwrap().len(), 1);
    let id = &claims[2].job.id;
    assert!(store.cancel("q", id, 2).await.unwrap().is_some());
    let request = ClaimRequest { limit: 1, ..request };
    assert_eq!(store.claim(request).await.unwrap().claims.len(), 1);
    direct(&url, "CONFIG SET maxmemory 0").await;
    add(&store).await;
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.pending, counts.running), (1, 1));
    assert_eq!((counts.completed, counts.cancelled), (1, 1));
    store.close().await;
    server.stop();
}

#[tokio::test]
async fn servers_that_would_lose_jobs_are_refused() {
    for settings in [
        &["--maxmemory-policy", "allkeys-lru"][..],
        &["--cluster-enabled", "yes"],
        &["--replicaof", "127.0.0.1", "1"],
    ] {
        let Some(server) = Server::start(settings) else { return };
        let error = RedisStore::open(&server.url(0)).await.err().unwrap();
        assert_eq!(error.code(), Code::StoreUnsupported, "{settings:?}: {error:?}");
        server.stop();
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_without_the_password() {
    let password = ["hunt", "er2"].concat();
    let mut errors = Vec::new();
    for (address, code) in [
        (format!("redis://me:{password}@127.0.0.1:1/0"), Code::StoreUnavailable),
        (format!("rediss://me:{password}@127.0.0.1:1/0"), Code::StoreUnavailable),
        (format!("redis://me:{password}@host:port/0"), Code::OptionInvalid),
        (format!("redis://me:{password}@host/database"), Code::OptionInvalid),
        (format!("rediss://me:{password}@host/0#insecure"), Code::OptionInvalid),
    ] {
        let error = RedisStore::open(&url(&address)).await.err().unwrap();
        assert_eq!(error.code(), code, "{error:?}");
        errors.push(error);
    }
    if let Some(server) = Server::start(&["--requirepass", "another"]) {
        let address = format!("redis://:{password}@127.0.0.1:{}", server.port);
        let error = RedisStore::open(&url(&address)).await.err().unwrap();
        assert!(error.to_string().contains("refused the login"), "{error:?}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(!cause.trim().is_empty(), "{error:?}");
        errors.push(error);
        let right = format!("redis://:another@127.0.0.1:{}", server.port);
        RedisStore::open(&url(&right)).await.unwrap().close().await;
        server.stop();
    }
    for error in errors {
        assert!(!format!("{error} {error:?}").contains(&password), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_with_the_documented_rights_is_enough() {
    let Some(server) = Server::start(&[]) else { return };
    direct(
        &server.url(0),
        "ACL SETUSER limited on >secret +@all -@dangerous +info ~{auton8n}* resetchannels &{auton8n}*",
    )
    .await;
    let address = url(&format!("redis://limited:secret@127.0.0.1:{}/1", server.port));
    let (here, there) = (
        RedisStore::open(&address).await.unwrap(),
        RedisStore::open(&address).await.unwrap(),
    );
    let mut heard = there.notices().unwrap();
    add(&here).await;
    hears(&mut heard, &Notice::Ready("q".into())).await;
    assert_eq!(there.counts("q").await.unwrap().pending, 1);
    here.close().await;
    there.close().await;
    server.stop();
}

#[tokio::test]
async fn a_server_that_keeps_nothing_on_disk_is_told() {
    let Some(server) = Server::start(&["--appendonly", "no"]) else {
        return;
    };
    let store = RedisStore::open(&server.url(0)).await.unwrap();
    assert!(store.warning().unwrap().contains("appendonly"));
    store.close().await;
    server.stop();
}

#[tokio::test]
async fn a_job_that_is_added_and_replaced_in_one_call_is_gone() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = RedisStore::open(&url).await.unwrap();
    let keyed = |on_duplicate| NewJob {
        options: JobOptions {
            unique_key: Some("k".into()),
            on_duplicate,
            ..JobOptions::default()
        },
        ..new_job()
    };
    // The second and the third wait together while the first is sent.
    let new = [new_job(), keyed(OnDuplicate::Reject), keyed(OnDuplicate::Replace)];
    let adds = new.map(|new| store.add("q", vec![new], 0));
    let added = futures_util::future::join_all(adds).await;
    let ids: Vec<String> = added
        .into_iter()
        .map(|added| added.unwrap().jobs[0].id.clone())
        .collect();
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 9,
        now: 0,
        lease_until: 100,
    };
    let claimed = store.claim(request).await.unwrap().claims;
    let claimed: Vec<&String> = claimed.iter().map(|claim| &claim.job.id).collect();
    assert_eq!(claimed, [&ids[0], &ids[2]]);
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.pending, counts.running, counts.cancelled), (0, 2, 1));
    store.close().await;
}

#[tokio::test]
async fn a_server_that_becomes_a_replica_is_told_and_left() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url(0);
    let store = RedisStore::open(&url).await.unwrap();
    let mut heard = store.notices().unwrap();
    direct(&url, "REPLICAOF 127.0.0.1 1").await;
    let error = store.set_paused("q", true).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable, "{error:?}");
    while !format!("{:?}", store.problem()).contains("replica") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    direct(&url, "REPLICAOF NO ONE").await;
    assert_eq!(heard.recv().await.unwrap(), Notice::Back);
    store.set_paused("q", true).await.unwrap();
    assert!(store.problem().is_none());
    store.close().await;
    server.stop();
}
