use std::sync::Arc;

use super::SqliteStore;
use crate::error::Code;
use crate::store::{DataDirectory, Job, JobOptions, JobStore, NewJob, SharedStore};

async fn in_memory() -> Option<SharedStore> {
    Some(Arc::new(SqliteStore::in_memory().await.unwrap()))
}

crate::store::conformance::suite!(in_memory);
crate::store::conformance::suite! { in_memory:
    a_shared_state_is_replaced_only_by_who_knows_it,
    writers_of_one_state_at_once_leave_one_winner,
    a_shared_state_has_bounds,
}

async fn open(path: &std::path::Path) -> crate::error::Result<SqliteStore> {
    let directory = DataDirectory::open(path)?;
    let held = directory.hold()?.expect("nobody else holds it");
    SqliteStore::open(&directory, held, 7).await
}

async fn add_one(store: &SqliteStore, options: JobOptions) -> Job {
    let new = NewJob {
        name: "a".into(),
        data: serde_json::json!(1),
        options,
    };
    store.add("q", vec![new], 0).await.unwrap().pop().unwrap()
}

#[tokio::test]
async fn a_closed_store_is_there_again() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let added = add_one(&store, JobOptions::default()).await;
    store.close().await;
    assert_eq!(store.get("q", &added.id).await.unwrap_err().code(), Code::Closed);
    let store = open(temp.path()).await.unwrap();
    assert_eq!(store.get("q", &added.id).await.unwrap(), Some(added));
}

#[tokio::test]
async fn a_dropped_store_lets_go_of_its_directory() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let added = add_one(&store, JobOptions::default()).await;
    drop(store);
    let directory = DataDirectory::open(temp.path()).unwrap();
    let mut held = None;
    for _ in 0..500 {
        held = directory.hold().unwrap();
        if held.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let store = SqliteStore::open(&directory, held.unwrap(), 0).await.unwrap();
    assert!(store.get("q", &added.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_damaged_file_is_kept_aside_and_told() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("jobs.db"), vec![0x5a; 8192]).unwrap();
    let error = open(temp.path()).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreCorrupt, "{error:?}");
    let kept = error.details()["keptAs"].as_str().unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), vec![0x5a; 8192]);
    let store = open(temp.path()).await.unwrap();
    assert_eq!(store.counts("q").await.unwrap().pending, 0);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    open(temp.path()).await.unwrap().close().await;
    let path = temp.path().join("jobs.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert_eq!(open(temp.path()).await.unwrap_err().code(), Code::StoreNewer);
    assert!(path.exists());
}
