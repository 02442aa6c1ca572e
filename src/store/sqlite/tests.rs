use std::sync::Arc;

use super::SqliteStore;
use crate::error::Code;
use crate::store::{
    ClaimRequest, DataDirectory, Ending, Finish, Job, JobOptions, JobStore, Lease, NewJob, SharedStore,
};

async fn in_memory() -> Option<SharedStore> {
    Some(Arc::new(SqliteStore::in_memory().await.unwrap()))
}

crate::store::conformance::suite!(in_memory);
crate::store::conformance::suite! { in_memory:
    a_shared_state_is_replaced_only_by_who_knows_it,
    writers_of_one_state_at_once_leave_one_winner,
    a_shared_state_has_bounds,
}

pub async fn open(path: &std::path::Path) -> crate::error::Result<SqliteStore> {
    let directory = DataDirectory::open(path)?;
    let held = directory.hold()?.expect("nobody else holds it");
    SqliteStore::open(&directory, held, 7).await
}

async fn add_one(store: &SqliteStore, options: JobOptions) -> Job {
    let new = NewJob {
        name: "a".into(),
        data: serde_json::json!(1).into(),
        options,
        reference: None,
    };
    store.add("q", vec![new], 0).await.unwrap().jobs.pop().unwrap()
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
    let store = reopen(temp.path()).await;
    assert!(store.get("q", &added.id).await.unwrap().is_some());
}

#[tokio::test]
async fn jobs_that_ran_when_the_process_died_are_known() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let new = (0..4).map(|n| NewJob {
        name: "a".into(),
        data: serde_json::json!(n).into(),
        options: JobOptions::default(),
        reference: None,
    });
    store.add("q", new.collect(), 0).await.unwrap();
    let mut claims = Vec::new();
    for _ in 0..3 {
        // The second one is read ahead, and only noted.
        let request = ClaimRequest {
            queue: "q".into(),
            names: vec!["a".into()],
            limit: 1,
            now: 1,
            lease_until: 1_000_000,
        };
        claims.extend(store.claim(request).await.unwrap().claims);
    }
    let ended = Finish {
        lease: Lease {
            id: claims[1].job.id.clone(),
            fence: claims[1].fence,
        },
        ending: Ending::Completed {
            result: serde_json::json!(1),
        },
        remove: false,
    };
    assert!(store.finish(ended, 2).await.unwrap().held);
    // What the process knew is gone; what it wrote is there.
    drop(store);
    let store = reopen(temp.path()).await;
    let mut rescued = store.rescue(i64::MAX, 3, 3).await.unwrap();
    rescued.sort_by(|a, b| a.id.cmp(&b.id));
    let ids: Vec<_> = rescued.iter().map(|one| &one.id).collect();
    assert_eq!(ids, [&claims[0].job.id, &claims[2].job.id]);
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.pending, counts.completed, counts.running), (3, 1, 0));
    store.close().await;
    let store = open(temp.path()).await.unwrap();
    assert!(
        store.rescue(i64::MAX, 4, 3).await.unwrap().is_empty(),
        "they are known once"
    );
}

pub async fn reopen(path: &std::path::Path) -> SqliteStore {
    let directory = DataDirectory::open(path).unwrap();
    for _ in 0..6_000 {
        if let Some(held) = directory.hold().unwrap() {
            return SqliteStore::open(&directory, held, 0).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the dropped store holds its directory");
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
