use serde_json::json;

use super::SqliteStore;
use super::pack_tests::{add, claim, completed, end};
use super::tests::open;
use crate::error::Code;
use crate::store::{JobFilter, JobStore};

async fn all(store: &SqliteStore) -> usize {
    let (mut all, mut cursor) = (0, None);
    loop {
        let filter = JobFilter {
            limit: Some(1_000),
            cursor,
            ..JobFilter::default()
        };
        let jobs = store.list("q", filter).await.unwrap();
        let Some(last) = jobs.last() else { return all };
        cursor = Some(last.id.clone());
        all += jobs.len();
    }
}

#[tokio::test]
async fn one_packed_job_that_is_damaged_is_all_that_is_lost() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    add(&store, 500).await;
    let taken = [claim(&store, 1).await, claim(&store, 99).await].concat();
    let ends = taken.iter().map(|claim| end(claim, completed(), true)).collect();
    assert!(
        store
            .finish_all(ends, 7)
            .await
            .into_iter()
            .all(|answer| answer.unwrap().held)
    );
    store.close().await;
    let path = temp.path().join("jobs.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let text = br#"{"n":321,"#;
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[at + 6] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = open(temp.path()).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreCorrupt);
    assert_eq!(
        (&error.details()["saved"], &error.details()["damaged"]),
        (&json!(399), &json!(1))
    );
    let store = open(temp.path()).await.unwrap();
    assert_eq!(all(&store).await, 399, "and none that was over comes back");
    store.close().await;
}

#[tokio::test]
async fn a_packed_job_that_is_damaged_fails_instead_of_running() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let added = add(&store, 30).await;
    let connection = rusqlite::Connection::open(temp.path().join("jobs.db")).unwrap();
    let sql = r#"UPDATE packed SET jobs = unhex(replace(hex(jobs), hex('{"n":3,'), hex('{"n":7,')))"#;
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let claims = [claim(&store, 1).await, claim(&store, 29).await].concat();
    assert_eq!(claims.len(), 29);
    let failed = store.get("q", &added[3].id).await.unwrap().unwrap();
    assert_eq!(failed.error.unwrap().code, Code::StoreCorrupt.as_str());
    store.close().await;
}

#[tokio::test]
async fn packed_jobs_that_cannot_be_read_stand_in_nobodys_way() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    add(&store, 300).await;
    let connection = rusqlite::Connection::open(temp.path().join("jobs.db")).unwrap();
    let places = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let second = places("SELECT seq FROM packed ORDER BY seq LIMIT 1 OFFSET 1");
    let lost = places("SELECT seq FROM packed ORDER BY seq LIMIT 1 OFFSET 2") - second;
    let sql = "UPDATE packed SET jobs = CAST(x'00' || substr(jobs, 2) AS BLOB) WHERE seq = ?1";
    connection.execute(sql, [second]).unwrap();
    let lost = usize::try_from(lost).unwrap();
    let claims = [claim(&store, 1).await, claim(&store, 300).await].concat();
    assert_eq!(claims.len(), 300 - lost);
    assert_eq!(claims[299 - lost].job.data.value()["n"], 299);
    let counts = store.counts("q").await.unwrap();
    assert_eq!(
        (counts.failed, counts.running, counts.pending),
        (lost as u64, 300 - lost as u64, 0)
    );
    assert_eq!(all(&store).await, 300);
    store.close().await;
    // The next opening tells that it is damaged.
    assert_eq!(open(temp.path()).await.unwrap_err().code(), Code::StoreCorrupt);
}
