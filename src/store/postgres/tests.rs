use std::sync::Arc;

use super::{PostgresStore, test_server};
use crate::error::Code;
use crate::store::{Job, JobData, JobOptions, JobStore, NewJob, Notice, SharedStore, StoreKind, StoreUrl};

async fn open() -> Option<SharedStore> {
    let url = test_server::database().await?;
    Some(Arc::new(PostgresStore::open(&url).await.unwrap()))
}

crate::store::conformance::suite!(open);
crate::store::conformance::suite! { open:
    a_shared_state_is_replaced_only_by_who_knows_it,
    writers_of_one_state_at_once_leave_one_winner,
    a_shared_state_has_bounds,
}

fn url(text: &str) -> StoreUrl {
    match StoreKind::parse(text).unwrap() {
        StoreKind::Postgres(url) => url,
        other => panic!("{other:?}"),
    }
}

async fn add(store: &PostgresStore) -> Job {
    let new = NewJob {
        name: "a".into(),
        data: JobData::default(),
        options: JobOptions::default(),
        reference: None,
    };
    store.add("q", vec![new], 0).await.unwrap().jobs.pop().unwrap()
}

async fn direct(url: &StoreUrl, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url.reveal(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn many_open_at_once_and_the_schema_is_made_once() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let stores = futures_util::future::join_all((0..6).map(|_| PostgresStore::open(&url))).await;
    let stores: Vec<_> = stores.into_iter().map(Result::unwrap).collect();
    let added = add(&stores[0]).await;
    assert!(stores[5].get("q", &added.id).await.unwrap().is_some());
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let Some(url) = test_server::database().await else {
        return;
    };
    PostgresStore::open(&url).await.unwrap().close().await;
    direct(&url, "INSERT INTO auton8n.migration (number) VALUES (99)").await;
    assert_eq!(PostgresStore::open(&url).await.err().unwrap().code(), Code::StoreNewer);
    direct(&url, "DELETE FROM auton8n.migration WHERE number = 99").await;
    PostgresStore::open(&url).await.unwrap().close().await;
}

#[tokio::test]
async fn other_processes_are_told() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let (here, there) = (
        PostgresStore::open(&url).await.unwrap(),
        PostgresStore::open(&url).await.unwrap(),
    );
    let (mut own, mut heard) = (here.notices().unwrap(), there.notices().unwrap());
    let added = add(&here).await;
    assert_eq!(heard.recv().await.unwrap(), Notice::Ready("q".into()));
    here.cancel("q", &added.id, 1).await.unwrap();
    // Its place may be another's, and others may have waited for it.
    let mut told = Vec::new();
    while !told.contains(&Notice::Cancelled(added.id.clone())) {
        told.push(heard.recv().await.unwrap());
    }
    assert!(
        told.contains(&Notice::Due) && told.contains(&Notice::Ready("q".into())),
        "{told:?}"
    );
    here.set_paused("q", true).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), Notice::Paused("q".into(), true));
    assert!(own.try_recv().is_err(), "not of what it did itself");
    here.close().await;
    there.close().await;
}

#[tokio::test]
async fn the_time_is_the_servers() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = PostgresStore::open(&url).await.unwrap();
    let here = crate::clock::SystemClock::shared().now_ms();
    assert!((store.clock().unwrap().now_ms() - here).abs() < 1_000);
    store.close().await;
}

#[tokio::test]
async fn connections_that_were_cut_are_made_again() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = PostgresStore::open(&url).await.unwrap();
    let mut heard = store.notices().unwrap();
    let added = add(&store).await;
    direct(&url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'auton8n' AND datname = current_database()").await;
    assert_eq!(heard.recv().await.unwrap(), Notice::Back);
    assert!(store.get("q", &added.id).await.unwrap().is_some());
    add(&store).await;
    assert!(store.problem().is_none());
    store.close().await;
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_without_the_password() {
    let password = ["hunt", "er2"].concat();
    let away = url(&format!("postgres://me:{password}@127.0.0.1:1/db"));
    let error = PostgresStore::open(&away).await.err().unwrap();
    assert_eq!(error.code(), Code::StoreUnavailable, "{error:?}");
    let wrong = url(&format!("postgres://me:{password}@host:port/db"));
    let refused = PostgresStore::open(&wrong).await.err().unwrap();
    assert_eq!(refused.code(), Code::OptionInvalid);
    for error in [error, refused] {
        assert!(!format!("{error} {error:?}").contains(&password), "{error:?}");
    }
}
