use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

use super::SqliteStore;
use super::claim::{First, take};
use super::database::Database;
use super::pack::first;
use super::pack_tests::{add, claim, completed, end};
use super::sql;
use super::task::Task;
use super::tests::open;
use super::writer::{Care, Durability};
use crate::error::Code;
use crate::store::{Claim, ClaimRequest, JobFilter, JobOptions, JobStatus, JobStore, Limit, Limits, NewJob, Priority};

/// Changes what is stored, behind the store's back.
fn change(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path.join("jobs.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection.execute_batch(sql).unwrap();
}

const NO_MARK: &str = "UPDATE packed SET jobs = CAST(x'00' || substr(jobs, 2) AS BLOB) WHERE seq = 1";

fn small(count: usize, priority: u8) -> Vec<NewJob> {
    let new = |n| NewJob {
        name: "a".into(),
        data: json!({ "n": n }).into(),
        options: JobOptions {
            priority: Priority::try_from(priority).unwrap(),
            ..JobOptions::default()
        },
        ..NewJob::default()
    };
    (0..count).map(new).collect()
}

fn request(limit: usize) -> ClaimRequest {
    ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit,
        now: 6,
        lease_until: 1_000_000,
    }
}

/// Claims until nothing is left.
async fn drain(store: &SqliteStore) -> Vec<Claim> {
    let mut all = Vec::new();
    loop {
        let claims = tokio::time::timeout(Duration::from_secs(20), store.claim(request(50)));
        let claims = claims.await.expect("the store's thread spins").unwrap().claims;
        if claims.is_empty() {
            return all;
        }
        all.extend(claims);
    }
}

/// How many failed, run and wait.
async fn counts(store: &SqliteStore) -> (u64, u64, u64) {
    let counts = store.counts("q").await.unwrap();
    (counts.failed, counts.running, counts.pending)
}

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

#[tokio::test]
async fn packed_jobs_whose_chunk_is_gone_fail_and_later_ones_run() {
    for limited in [false, true] {
        let temp = tempfile::tempdir().unwrap();
        let store = open(temp.path()).await.unwrap();
        store.add("q", small(20, 1), 5).await.unwrap();
        store.add("q", small(20, 3), 5).await.unwrap();
        change(temp.path(), "DELETE FROM packed WHERE seq = 1");
        if limited {
            let limits = Limits {
                per_key: Limit {
                    concurrency: Some(1),
                    rate: None,
                },
                ..Limits::default()
            };
            store.set_limits("q", limits).await.unwrap();
        }
        assert_eq!(drain(&store).await.len(), 20);
        assert_eq!(counts(&store).await, (20, 20, 0));
        assert_eq!(all(&store).await, 40);
        store.close().await;
    }
}

#[tokio::test]
async fn a_number_of_jobs_that_is_damaged_costs_none() {
    for count in ["00", "05", "ff"] {
        let temp = tempfile::tempdir().unwrap();
        let store = open(temp.path()).await.unwrap();
        store.add("q", small(90, 2), 5).await.unwrap();
        let sql =
            format!("UPDATE packed SET jobs = CAST(substr(jobs, 1, 9) || x'{count}' || substr(jobs, 11) AS BLOB)");
        change(temp.path(), &sql);
        assert_eq!(drain(&store).await.len(), 90);
        assert_eq!(counts(&store).await, (0, 90, 0));
        store.close().await;
    }
}

#[tokio::test]
async fn heads_that_promise_too_much_hold_up_nothing() {
    let damages = [
        // Far more jobs than a pack has; as many as the next one begins at; too few.
        ("last = last + 100000", 256 - 20),
        ("last = last + 5", 0),
        ("last = seq - 9", 0),
        ("left = 4000000000", 0),
        ("left = -1", 0),
        ("gone = x''", 0),
    ];
    for (damage, most) in damages {
        for priority in [1, 3] {
            let temp = tempfile::tempdir().unwrap();
            let store = open(temp.path()).await.unwrap();
            store.add("q", small(20, 2), 5).await.unwrap();
            store.add("q", small(20, priority), 5).await.unwrap();
            change(
                temp.path(),
                &format!("UPDATE pack SET {damage} WHERE priority = {priority}"),
            );
            let claims = drain(&store).await.len();
            let least = if damage.starts_with("last = seq") { 20 } else { 40 };
            assert!(claims >= least, "{damage}: {claims}");
            let (failed, running, pending) = counts(&store).await;
            assert!(failed <= most.max(5), "{damage}: {failed}");
            assert_eq!((running, pending), (claims as u64, 0), "{damage}");
            store.close().await;
        }
    }
}

#[tokio::test]
async fn a_head_of_which_none_is_left_ends_for_good() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    store.add("q", small(20, 1), 5).await.unwrap();
    store.add("q", small(20, 3), 5).await.unwrap();
    change(temp.path(), "UPDATE pack SET gone = x'ffffff' WHERE priority = 1");
    assert_eq!(drain(&store).await.len(), 20);
    assert_eq!(counts(&store).await, (0, 20, 0));
    store.close().await;
}

#[tokio::test]
async fn jobs_in_a_part_that_was_wiped_fail_one_by_one() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    store.add("q", small(100, 2), 5).await.unwrap();
    let sql =
        "UPDATE packed SET jobs = CAST(substr(jobs, 1, 1000) || zeroblob(length(jobs) - 1000) AS BLOB) WHERE seq = 1";
    change(temp.path(), sql);
    let claims = drain(&store).await;
    let (failed, running, pending) = counts(&store).await;
    assert!((1..64).contains(&failed), "{failed}");
    assert_eq!((failed + running, running, pending), (100, claims.len() as u64, 0));
    assert_eq!(all(&store).await, 100);
    store.close().await;
}

#[tokio::test]
async fn damaged_jobs_are_listed_before_and_after_they_failed() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let added = store.add("q", small(100, 2), 5).await.unwrap().jobs;
    // The end of the first job in the first chunk, and what the second one says its queue is.
    let sql = "UPDATE packed SET jobs = CAST(substr(jobs, 1, 13) || x'ffff' || substr(jobs, 16) AS BLOB) WHERE seq = 1;
               UPDATE packed SET jobs = CAST(substr(jobs, 1, 11) || 'r' || substr(jobs, 13) AS BLOB) WHERE seq > 1";
    change(temp.path(), sql);
    assert_eq!(all(&store).await, 100);
    let first_chunk = drain(&store).await.len() + 2;
    assert_eq!(
        counts(&store).await,
        (102 - first_chunk as u64, first_chunk as u64 - 2, 0)
    );
    assert_eq!(all(&store).await, 100);
    let failed = JobFilter {
        status: Some(JobStatus::Failed),
        limit: Some(100),
        ..JobFilter::default()
    };
    assert_eq!(store.list("q", failed).await.unwrap().len(), 102 - first_chunk);
    assert!(store.list("r", JobFilter::default()).await.unwrap().is_empty());
    let last = store.get("q", &added[99].id).await.unwrap().unwrap();
    assert_eq!((last.status, last.queue.as_str()), (JobStatus::Failed, "q"));
    store.close().await;
}

#[tokio::test]
async fn a_big_file_opens_though_a_job_ran_in_a_chunk_that_is_damaged() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    add(&store, 100).await;
    // More than is looked through at each opening.
    change(
        temp.path(),
        "CREATE TABLE filler (a, b, c); INSERT INTO filler VALUES (1, 2, zeroblob(70000000))",
    );
    assert_eq!(claim(&store, 1).await.len(), 1);
    assert_eq!(claim(&store, 5).await.len(), 5);
    // As a kill leaves it: what started is in the notes alone.
    let notes = std::fs::read(temp.path().join("jobs.db.starts")).unwrap();
    store.close().await;
    std::fs::write(temp.path().join("jobs.db.starts"), notes).unwrap();
    change(temp.path(), NO_MARK);
    let store = open(temp.path()).await.unwrap();
    store.rescue(i64::MAX, 8, 3).await.unwrap();
    drain(&store).await;
    let (failed, running, pending) = counts(&store).await;
    assert!(failed > 0, "the rest of its chunk");
    assert_eq!((failed + running, pending), (100, 0));
    store.close().await;
}

#[tokio::test]
async fn in_a_big_file_too_a_head_of_which_wrongly_none_is_left_is_told() {
    for damage in [
        "left = 0",
        "gone = CAST(x'ff' || substr(gone, 2) AS BLOB)",
        "last = last + 1",
    ] {
        let temp = tempfile::tempdir().unwrap();
        let store = open(temp.path()).await.unwrap();
        add(&store, 100).await;
        store.close().await;
        change(
            temp.path(),
            &format!(
                "CREATE TABLE filler (a, b, c); INSERT INTO filler VALUES (1, 2, zeroblob(70000000)); UPDATE pack SET {damage}"
            ),
        );
        let error = open(temp.path()).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreCorrupt, "{damage}");
        assert_eq!(error.details()["saved"], json!(100), "{damage}");
        let store = open(temp.path()).await.unwrap();
        assert_eq!(drain(&store).await.len(), 100, "{damage}");
        store.close().await;
    }
}

#[tokio::test]
async fn limits_of_a_commit_that_failed_are_forgotten() {
    let store = SqliteStore::in_memory().await.unwrap();
    let work = |database: &mut Database| {
        let limits = Limits {
            concurrency: Some(1),
            ..Limits::default()
        };
        super::limited::set_limits(database, "q", limits)?;
        // As a batch does that is added behind it.
        assert_eq!(super::limited::limits(database, "q")?, limits);
        Err::<(), _>(crate::store::rules::closed())
    };
    for care in [Care::Own, Care::Order] {
        let (caller, failed) = oneshot::channel();
        store.send(Durability::Lazy, care, Task::new(work, caller)).unwrap();
        assert!(failed.await.unwrap().is_err());
        assert_eq!(store.limits("q").await.unwrap(), Limits::default(), "{care:?}");
    }
}

#[tokio::test]
async fn a_job_is_taken_once_whoever_names_it() {
    let store = SqliteStore::in_memory().await.unwrap();
    add(&store, 20).await;
    let (caller, answer) = oneshot::channel();
    let work = |database: &mut Database| {
        let packed = first(database, ("q", "a", 2), 1)?.remove(0);
        let seq = packed.seq();
        let all = [First::Packed(packed.clone()), First::Packed(packed), First::Row(seq)];
        let taken = all.iter().map(|first| Ok(take(database, first, &request(1))?.len()));
        taken.collect::<crate::error::Result<Vec<usize>>>()
    };
    store
        .send(Durability::Lazy, Care::Rows, Task::new(work, caller))
        .unwrap();
    assert_eq!(answer.await.unwrap().unwrap(), [1, 0, 0]);
}

#[tokio::test]
async fn few_packs_among_many_of_other_queues_are_listed() {
    let store = SqliteStore::in_memory().await.unwrap();
    let mut expected = Vec::new();
    for (name, priority) in [("a", 2), ("b", 1), ("a", 1), ("b", 3), ("a", 2)] {
        let mut new = small(10, priority);
        for job in &mut new {
            job.name = name.to_owned();
        }
        let added = store.add("q", new, 5).await.unwrap().jobs;
        expected.extend(added.into_iter().map(|job| (job.name, job.id)));
        for _ in 0..80 {
            store.add("r", small(8, 2), 5).await.unwrap();
        }
    }
    expected.reverse();
    for name in [None, Some("a"), Some("b"), Some("c")] {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let filter = JobFilter {
                name: name.map(str::to_owned),
                limit: Some(7),
                cursor,
                ..JobFilter::default()
            };
            let jobs = store.list("q", filter).await.unwrap();
            let Some(last) = jobs.last() else { break };
            cursor = Some(last.id.clone());
            found.extend(jobs.into_iter().map(|job| (job.name, job.id)));
        }
        let is_asked = |job: &&(String, String)| name.is_none_or(|name| name == job.0);
        let expected: Vec<_> = expected.iter().filter(is_asked).cloned().collect();
        assert_eq!(found, expected, "{name:?}");
    }
}

#[tokio::test]
async fn packs_are_found_without_looking_at_those_of_other_queues() {
    let store = SqliteStore::in_memory().await.unwrap();
    let (caller, answer) = oneshot::channel();
    let work = |database: &mut Database| {
        let sql = concat!("EXPLAIN QUERY PLAN ", sql!("pack_list"));
        let mut statement = database.connection().prepare(sql).unwrap();
        let steps = statement
            .query_map(rusqlite::params!["q", 9, None::<String>], |row| row.get::<_, String>(3))
            .unwrap();
        Ok(steps.collect::<Result<Vec<_>, _>>().unwrap())
    };
    store
        .send(Durability::Read, Care::Own, Task::new(work, caller))
        .unwrap();
    let plan = answer.await.unwrap().unwrap();
    assert!(plan.iter().all(|step| !step.starts_with("SCAN pack")), "{plan:?}");
}

#[tokio::test]
async fn packs_of_which_none_is_left_are_found_without_looking_at_the_others() {
    let store = SqliteStore::in_memory().await.unwrap();
    let (caller, answer) = oneshot::channel();
    let work = |database: &mut Database| {
        let sql = concat!("EXPLAIN QUERY PLAN ", sql!("pack_empty"));
        Ok(database
            .connection()
            .query_row(sql, [], |row| row.get::<_, String>(3))
            .unwrap())
    };
    store
        .send(Durability::Read, Care::Own, Task::new(work, caller))
        .unwrap();
    let plan = answer.await.unwrap().unwrap();
    assert!(plan.contains("INDEX pack_gone"), "{plan}");
}
