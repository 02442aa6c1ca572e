//! Jobs that lie packed: what becomes of them when the store is closed, killed or damaged.

use std::path::Path;

use serde_json::json;
use tokio::sync::oneshot;

use super::SqliteStore;
use super::insert::{NewRow, PlainAdds};
use super::migrations::MIGRATIONS;
use super::task::Task;
use super::tests::{open, reopen};
use super::writer::{Care, Durability};
use crate::error::Code;
use crate::store::conformance::Mixture;
use crate::store::{
    Claim, ClaimRequest, Ending, Finish, Job, JobFilter, JobOptions, JobStatus, JobStore, Lease, NewJob,
};

fn new(n: usize) -> NewJob {
    NewJob {
        name: "a".into(),
        data: json!({ "n": n, "text": "x".repeat(200) }).into(),
        ..NewJob::default()
    }
}

pub async fn add(store: &SqliteStore, count: usize) -> Vec<Job> {
    store.add("q", (0..count).map(new).collect(), 5).await.unwrap().jobs
}

pub async fn claim(store: &SqliteStore, limit: usize) -> Vec<Claim> {
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit,
        now: 6,
        lease_until: 1_000_000,
    };
    store.claim(request).await.unwrap().claims
}

pub fn end(claim: &Claim, ending: Ending, remove: bool) -> Finish {
    Finish {
        lease: Lease {
            id: claim.job.id.clone(),
            fence: claim.fence,
        },
        ending,
        remove,
    }
}

pub fn completed() -> Ending {
    Ending::Completed { result: json!(1) }
}

/// How many rows a table has.
fn rows(path: &Path, table: &str) -> i64 {
    let connection = rusqlite::Connection::open(path.join("jobs.db")).unwrap();
    connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_mixture_of_jobs_outlives_closing_and_opening() {
    for seed in 0..3 {
        let temp = tempfile::tempdir().unwrap();
        let mut model = Mixture::new("q".into());
        let mut random = fastrand::Rng::with_seed(100 + seed);
        for _ in 0..4 {
            let store = open(temp.path()).await.unwrap();
            model.reopened();
            model.compare(&store, &mut random).await;
            model.go_on(&store, &mut random).await;
            store.close().await;
        }
    }
}

#[tokio::test]
async fn jobs_that_end_by_themselves_never_are_rows() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    add(&store, 600).await;
    assert_eq!((rows(temp.path(), "job"), rows(temp.path(), "pack")), (0, 3));
    // The first claim writes what it takes; what it reads ahead it does not.
    let mut taken = claim(&store, 1).await;
    taken.extend(claim(&store, 299).await);
    assert_eq!(rows(temp.path(), "job"), 1);
    let ends = taken.iter().map(|claim| end(claim, completed(), true)).collect();
    for answer in store.finish_all(ends, 7).await {
        assert!(answer.unwrap().held);
    }
    assert_eq!(
        (rows(temp.path(), "job"), rows(temp.path(), "pack WHERE left > 0")),
        (0, 2)
    );
    // What is kept is a row when it is over.
    let kept = claim(&store, 300).await;
    let ends = kept.iter().map(|claim| end(claim, completed(), false)).collect();
    for answer in store.finish_all(ends, 8).await {
        assert!(answer.unwrap().held);
    }
    assert_eq!(
        (rows(temp.path(), "job"), rows(temp.path(), "pack WHERE left > 0")),
        (300, 0)
    );
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.completed, counts.pending, counts.running), (300, 0, 0));
    let job = store.get("q", &kept[7].job.id).await.unwrap().unwrap();
    assert_eq!(
        (job.status, job.attempts, job.result),
        (JobStatus::Completed, 1, Some(json!(1)))
    );
    assert_eq!((job.created_at, job.started_at, job.finished_at), (5, Some(6), Some(8)));
    store.close().await;
}

#[tokio::test]
async fn small_batches_that_follow_one_another_share_a_pack() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let mut all = Vec::new();
    for round in 0..20 {
        all.extend(ids(add(&store, 20).await));
        if round % 2 == 1 {
            // Some of it end meanwhile; the whole of the first batches does.
            let taken = claim(&store, 15).await;
            let ends = taken.iter().map(|claim| end(claim, completed(), true)).collect();
            assert!(store.finish_all(ends, 7).await.into_iter().all(|end| end.unwrap().held));
            all.drain(..15);
        }
    }
    assert_eq!((rows(temp.path(), "pack"), rows(temp.path(), "packed")), (2, 21));
    // What is between two batches ends the pack.
    all.extend(ids(add(&store, 1).await));
    all.extend(ids(add(&store, 20).await));
    assert_eq!(rows(temp.path(), "pack"), 3);
    drop(store);
    let store = reopen(temp.path()).await;
    assert_eq!(store.counts("q").await.unwrap().pending, all.len() as u64);
    all.extend(ids(add(&store, 20).await));
    for id in &all {
        assert!(store.get("q", id).await.unwrap().is_some(), "{id}");
    }
    let claims = claim(&store, 1_000).await;
    assert_eq!(ids(claims.into_iter().map(|claim| *claim.job).collect()), all);
    store.close().await;
}

#[tokio::test]
async fn a_pack_of_which_none_is_left_grows_no_more() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    for _ in 0..100 {
        add(&store, 9).await;
        let taken = claim(&store, 9).await;
        let ends = taken.iter().map(|claim| end(claim, completed(), true)).collect();
        assert!(store.finish_all(ends, 7).await.into_iter().all(|end| end.unwrap().held));
    }
    assert!(rows(temp.path(), "pack") <= 34 && rows(temp.path(), "packed") <= 34);
    let added = ids(add(&store, 9).await);
    drop(store);
    let store = reopen(temp.path()).await;
    let claims = claim(&store, 100).await;
    assert_eq!(ids(claims.into_iter().map(|claim| *claim.job).collect()), added);
    store.close().await;
}

#[tokio::test]
async fn what_is_left_of_packs_is_deleted_in_time() {
    let temp = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        // What one opening leaves, the next one finds.
        let store = open(temp.path()).await.unwrap();
        for _ in 0..14 {
            add(&store, 8).await;
            for claim in claim(&store, 8).await {
                assert!(store.finish(end(&claim, completed(), true), 7).await.unwrap().held);
            }
        }
        store.close().await;
    }
    assert_eq!(rows(temp.path(), "pack"), 42 - 32);
    assert_eq!(rows(temp.path(), "packed"), 42 - 32);
}

#[tokio::test]
async fn packed_jobs_that_ran_when_the_process_died_are_known() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let added = add(&store, 40).await;
    let mut taken = claim(&store, 1).await;
    taken.extend(claim(&store, 9).await);
    let ended: Vec<Finish> = taken[2..5].iter().map(|claim| end(claim, completed(), true)).collect();
    for answer in store.finish_all(ended, 7).await {
        assert!(answer.unwrap().held);
    }
    drop(store);
    let store = reopen(temp.path()).await;
    let mut rescued: Vec<String> = store
        .rescue(i64::MAX, 8, 3)
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .collect();
    rescued.sort_unstable();
    let expected = [&added[..2], &added[5..10]].concat();
    assert_eq!(rescued, expected.iter().map(|job| job.id.clone()).collect::<Vec<_>>());
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.pending, counts.running), (37, 0));
    // They wait in their old places, and have one death behind them.
    let again = claim(&store, 8).await;
    let ids: Vec<&String> = again.iter().map(|claim| &claim.job.id).collect();
    assert_eq!(
        ids,
        [&expected[..], &added[10..11]]
            .concat()
            .iter()
            .map(|job| &job.id)
            .collect::<Vec<_>>()
    );
    assert!(
        again[..7]
            .iter()
            .all(|claim| claim.stalls == 1 && claim.job.attempts == 2)
    );
    // An attempt of before the death ends nothing.
    let old = end(&taken[5], completed(), true);
    assert!(!store.finish(old, 9).await.unwrap().held);
    store.close().await;
}

#[tokio::test]
async fn a_packed_job_is_found_by_its_id_however_the_clock_went() {
    let store = SqliteStore::in_memory().await.unwrap();
    let mut added = add(&store, 30).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    added.extend(add(&store, 300).await);
    for n in [0, 29, 30, 200, 329] {
        let id = &added[n].id;
        assert_eq!(store.get("q", id).await.unwrap().as_ref(), Some(&added[n]));
        assert!(store.get("elsewhere", id).await.unwrap().is_none());
        assert!(store.get("q", &id.to_uppercase()).await.unwrap().is_none());
        assert!(store.get("q", &id.replace('-', "")).await.unwrap().is_none());
    }
    let error = store.retry("q", &added[3].id, 7).await.unwrap_err();
    assert_eq!(error.code(), Code::JobState);
}

#[tokio::test]
async fn a_job_of_another_store_that_is_packed_here_is_left_alone() {
    let store = SqliteStore::in_memory().await.unwrap();
    let added = add(&store, 20).await;
    let mut other = added[4].clone();
    other.id = "elsewhere".into();
    assert_eq!(store.restore("q", vec![added[3].clone(), other]).await.unwrap(), 1);
    assert_eq!(store.counts("q").await.unwrap().pending, 21);
    let order = claim(&store, 21).await;
    assert_eq!(order[20].job.id, "elsewhere", "it is the newest");
}

#[tokio::test]
async fn a_child_waits_for_a_packed_parent() {
    let store = SqliteStore::in_memory().await.unwrap();
    let added = add(&store, 20).await;
    let child = NewJob {
        name: "a".into(),
        options: JobOptions {
            depends_on: vec![added[2].id.clone()],
            ..JobOptions::default()
        },
        ..NewJob::default()
    };
    let child = store.add("q", vec![child], 6).await.unwrap().jobs.pop().unwrap();
    let taken = claim(&store, 30).await;
    assert_eq!(taken.len(), 20, "but for the child");
    assert!(
        store
            .finish(end(&taken[2], completed(), true), 7)
            .await
            .unwrap()
            .released
    );
    store.promote(8).await.unwrap();
    assert_eq!(claim(&store, 1).await[0].job.id, child.id);
}

#[tokio::test]
async fn a_file_of_the_schema_before_goes_on_as_rows() {
    let temp = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(temp.path().join("jobs.db")).unwrap();
    connection.pragma_update(None, "page_size", 4096).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    for (index, migration) in MIGRATIONS.iter().enumerate().take(5) {
        connection.execute_batch(migration).unwrap();
        connection
            .pragma_update(None, "user_version", index as i64 + 1)
            .unwrap();
    }
    for n in 0..20_i64 {
        let sql = "INSERT INTO job (id, queue, name, data, options, status, ready, priority, fair_key, created_at, \
                   run_at) VALUES (?1, 'q', 'a', '{}', '{}', 0, 1, 2, '', ?2, ?2)";
        connection
            .execute(sql, rusqlite::params![format!("old-{n:02}"), n])
            .unwrap();
    }
    drop(connection);
    let store = open(temp.path()).await.unwrap();
    add(&store, 200).await;
    assert_eq!((rows(temp.path(), "job"), rows(temp.path(), "pack")), (20, 1));
    assert_eq!(store.counts("q").await.unwrap().pending, 220);
    let order = claim(&store, 220).await;
    assert_eq!(order.len(), 220);
    assert!(order[..20].iter().all(|claim| claim.job.id.starts_with("old-")));
    assert_eq!(order[219].job.data.value()["n"], 199);
    store.close().await;
}

#[tokio::test]
async fn limits_set_on_packed_jobs_hold() {
    let store = SqliteStore::in_memory().await.unwrap();
    add(&store, 300).await;
    let limits = crate::store::Limits {
        concurrency: Some(3),
        ..crate::store::Limits::default()
    };
    store.set_limits("q", limits).await.unwrap();
    let taken = claim(&store, 50).await;
    assert_eq!(taken.len(), 3);
    assert!(claim(&store, 1).await.is_empty());
    assert!(
        store
            .finish(end(&taken[0], completed(), true), 7)
            .await
            .unwrap()
            .makes_room
    );
    assert_eq!(claim(&store, 9).await[0].job.data.value()["n"], 3);
}

#[tokio::test]
async fn a_page_goes_on_behind_a_job_that_is_gone_where_two_batches_were_made_at_once() {
    let store = SqliteStore::in_memory().await.unwrap();
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for n in 0..20 {
        one.extend(NewRow::all("q", vec![new(n)], 5).unwrap());
        two.extend(NewRow::all("q", vec![new(n)], 5).unwrap());
    }
    for rows in [one, two] {
        let (caller, answer) = oneshot::channel();
        let task = Task::new(PlainAdds(vec![rows]), caller);
        store.send(Durability::Synced, Care::Apart, task).unwrap();
        answer.await.unwrap().unwrap();
    }
    let filter = |cursor| JobFilter {
        limit: Some(25),
        cursor,
        ..JobFilter::default()
    };
    let first: Vec<String> = ids(store.list("q", filter(None)).await.unwrap());
    let cursor = first.last().unwrap().clone();
    let taken = claim(&store, 16).await;
    let gone = taken.iter().find(|claim| claim.job.id == cursor).unwrap();
    assert!(store.finish(end(gone, completed(), true), 7).await.unwrap().held);
    let second = ids(store.list("q", filter(Some(cursor))).await.unwrap());
    assert_eq!(second.len(), 15);
    assert!(second.iter().all(|id| !first.contains(id)));
}

fn ids(jobs: Vec<Job>) -> Vec<String> {
    jobs.into_iter().map(|job| job.id).collect()
}
