//! What is lent out, what arrives in parts, and files of an older schema.

use std::sync::mpsc;

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::sync::oneshot;

use super::SqliteStore;
use super::database::Database;
use super::migrations::MIGRATIONS;
use super::task::Task;
use super::tests::open;
use super::writer::{Care, Durability};
use crate::error::{Code, Error, Result};
use crate::store::{
    Claim, ClaimRequest, Ending, Finish, JobFilter, JobOptions, JobStatus, JobStore, Lease, NewJob, Parts,
};

fn new(n: usize) -> NewJob {
    NewJob {
        name: "a".into(),
        data: json!(n).into(),
        ..NewJob::default()
    }
}

async fn claim(store: &SqliteStore) -> Vec<Claim> {
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 1,
        now: 1,
        lease_until: 1_000_000,
    };
    store.claim(request).await.unwrap().claims
}

fn completed(claim: &Claim) -> Finish {
    Finish {
        lease: Lease {
            id: claim.job.id.clone(),
            fence: claim.fence,
        },
        ending: Ending::Completed { result: json!(1) },
        remove: false,
    }
}

/// Keeps the store's thread in a transaction until it is told how that ends.
async fn occupy(store: &SqliteStore, care: Care) -> (mpsc::Sender<Result<()>>, oneshot::Receiver<Result<()>>) {
    let (end, ended) = mpsc::channel();
    let (caller, answer) = oneshot::channel();
    let (began, begins) = oneshot::channel();
    let work = move |_: &mut Database| {
        began.send(()).unwrap();
        ended.recv().unwrap()
    };
    store.send(Durability::Lazy, care, Task::new(work, caller)).unwrap();
    begins.await.unwrap();
    (end, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_waits_for_no_commit_that_has_nothing_to_do_with_it() {
    let store = SqliteStore::in_memory().await.unwrap();
    store.add("q", (0..5).map(new).collect(), 0).await.unwrap();
    // From the second claim on they are read ahead.
    let (_, second) = (claim(&store).await, claim(&store).await);
    for fails in [false, true] {
        let (end, answer) = occupy(&store, Care::Apart).await;
        let third = claim(&store).await.pop().expect("it is read ahead");
        let sent = if fails {
            Err(Error::new(Code::StoreFull, "full"))
        } else {
            Ok(())
        };
        end.send(sent).unwrap();
        assert_eq!(answer.await.unwrap().is_err(), fails);
        assert!(store.finish(completed(&third), 2).await.unwrap().held);
        assert!(!store.finish(completed(&third), 2).await.unwrap().held, "it ends once");
    }
    assert!(store.finish(completed(&second[0]), 2).await.unwrap().held);
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.pending, counts.running, counts.completed), (1, 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_read_ahead_while_nobody_asks_and_are_claimed_in_their_order() {
    let store = SqliteStore::in_memory().await.unwrap();
    let added = store.add("q", (0..3_000).map(new).collect(), 0).await.unwrap().jobs;
    let mut order = [claim(&store).await, claim(&store).await].concat();
    // Its thread has had time once it answers a further question.
    store.counts("q").await.unwrap();
    store.counts("q").await.unwrap();
    let (end, answer) = occupy(&store, Care::Apart).await;
    while order.len() < 1_000 {
        let claimed = tokio::time::timeout(std::time::Duration::from_secs(20), claim(&store));
        order.extend(claimed.await.expect("it waits for the store's thread"));
    }
    end.send(Ok(())).unwrap();
    answer.await.unwrap().unwrap();
    // More arrives behind what is known, and before it.
    let later = store.add("q", (0..20).map(new).collect(), 0).await.unwrap().jobs;
    let mut first = vec![new(0)];
    first[0].options.priority = crate::store::Priority::High;
    let first = store.add("q", first, 0).await.unwrap().jobs;
    order.extend(claim(&store).await);
    assert_eq!(order.pop().unwrap().job.id, first[0].id);
    while order.len() < 3_020 {
        order.extend(claim(&store).await);
    }
    let order: Vec<&String> = order.iter().map(|claim| &claim.job.id).collect();
    let expected: Vec<&String> = added.iter().chain(&later).map(|job| &job.id).collect();
    assert_eq!(order, expected);
    assert!(claim(&store).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_waits_for_what_may_change_which_job_is_next() {
    let store = std::sync::Arc::new(SqliteStore::in_memory().await.unwrap());
    let added = store.add("q", (0..5).map(new).collect(), 0).await.unwrap().jobs;
    let (_, _) = (claim(&store).await, claim(&store).await);
    let (end, _answer) = occupy(&store, Care::Order).await;
    let cancelling = tokio::spawn({
        let (store, id) = (store.clone(), added[2].id.clone());
        async move { store.cancel("q", &id, 3).await }
    });
    let claiming = tokio::spawn({
        let store = store.clone();
        async move { claim(&store).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!claiming.is_finished());
    end.send(Ok(())).unwrap();
    assert!(cancelling.await.unwrap().unwrap().is_some());
    let claimed = claiming.await.unwrap().pop().unwrap();
    assert!([&added[2].id, &added[3].id].contains(&&claimed.job.id));
    // Whichever came first, a cancelled job does not run on.
    let ended = store.finish(completed(&claimed), 4).await.unwrap();
    assert_eq!(ended.held, claimed.job.id != added[2].id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_leaves_what_is_remembered_as_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let mut expected = store.add("q", (0..20).map(new).collect(), 0).await.unwrap().jobs;
    let mut order = [claim(&store).await, claim(&store).await].concat();
    for round in 0..12 {
        let (end, answer) = occupy(&store, Care::Apart).await;
        // Of one commit: ends, a pack that grows, a new one, and what lets all of that fail.
        let fails = round % 3 != 2;
        let ends = store.finish_all(order.last().map(completed).into_iter().collect(), 2);
        let [small, other] = [10, 70].map(|count| store.add("q", (0..count).map(new).collect(), 0));
        let work = move |_: &mut Database| {
            if fails {
                Err(Error::new(Code::StoreFull, "full"))
            } else {
                Ok(())
            }
        };
        let later = async {
            let (caller, told) = oneshot::channel();
            store
                .send(Durability::Lazy, Care::Apart, Task::new(work, caller))
                .unwrap();
            end.send(Ok(())).unwrap();
            told.await.unwrap()
        };
        let (ended, small, other, later) = tokio::join!(ends, small, other, later);
        answer.await.unwrap().unwrap();
        assert_eq!(
            [ended[0].is_err(), small.is_err(), other.is_err(), later.is_err()],
            [fails; 4]
        );
        if fails {
            // It runs still, and ends once.
            assert!(store.finish(completed(order.last().unwrap()), 2).await.unwrap().held);
        }
        assert!(!store.finish(completed(order.last().unwrap()), 2).await.unwrap().held);
        for added in [small, other].into_iter().flatten() {
            expected.extend(added.jobs);
        }
        expected.extend(store.add("q", (0..9).map(new).collect(), 0).await.unwrap().jobs);
        order.extend(claim(&store).await);
    }
    let counts = store.counts("q").await.unwrap();
    assert_eq!(counts.pending as usize, expected.len() - order.len());
    drop(store);
    // Its file is looked through when it is opened.
    let store = super::tests::reopen(temp.path()).await;
    loop {
        match claim(&store).await {
            claims if claims.is_empty() => break,
            claims => order.extend(claims),
        }
    }
    let ids = |jobs: Vec<&crate::store::Job>| jobs.into_iter().map(|job| job.id.clone()).collect::<Vec<_>>();
    assert_eq!(
        ids(order.iter().map(|claim| &*claim.job).collect()),
        ids(expected.iter().collect())
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn big_jobs_of_many_queues_are_not_all_read_ahead() {
    let store = SqliteStore::in_memory().await.unwrap();
    for queue in 0..6 {
        let big = |_| NewJob {
            data: json!("x".repeat(1_000_000)).into(),
            ..new(0)
        };
        let queue = format!("q{queue}");
        store.add(&queue, (0..12).map(big).collect(), 0).await.unwrap();
        for _ in 0..3 {
            let request = ClaimRequest {
                queue: queue.clone(),
                names: vec!["a".into()],
                limit: 1,
                now: 1,
                lease_until: 1_000_000,
            };
            assert_eq!(store.claim(request).await.unwrap().claims.len(), 1);
        }
    }
    let (caller, told) = oneshot::channel();
    let work = |database: &mut Database| Ok(database.front().windows.bytes());
    store
        .send(Durability::Read, Care::Own, Task::new(work, caller))
        .unwrap();
    let bytes = told.await.unwrap().unwrap();
    assert!((1..30_000_000).contains(&bytes), "{bytes}");
}

fn parts(parts: Vec<Result<Vec<NewJob>>>) -> Parts {
    stream::iter(parts).boxed()
}

#[tokio::test]
async fn a_batch_in_parts_is_stored_as_a_whole_or_not_at_all() {
    let store = SqliteStore::in_memory().await.unwrap();
    let whole = vec![Ok((0..70).map(new).collect()), Ok(Vec::new()), Ok(vec![new(70)])];
    let jobs = store.add_parts("q", parts(whole), 0).await.unwrap().jobs;
    let numbers: Vec<_> = jobs.iter().map(|job| job.data.value()).collect();
    assert_eq!(numbers, (0..=70).map(|n| json!(n)).collect::<Vec<_>>());
    let mut unique = new(2);
    unique.options.unique_key = Some("k".into());
    for (broken, code) in [
        (Err(Error::new(Code::Cancelled, "given up")), Code::Cancelled),
        (Ok(vec![unique]), Code::OptionInvalid),
    ] {
        let error = store.add_parts("q", parts(vec![Ok(vec![new(1)]), broken]), 0).await;
        assert_eq!(error.unwrap_err().code(), code);
    }
    // Whoever handed them over went away in the middle.
    let never = stream::iter([Ok(vec![new(1)])]).chain(stream::pending()).boxed();
    let given_up = store.add_parts("q", never, 0);
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(50), given_up)
            .await
            .is_err()
    );
    assert_eq!(store.counts("q").await.unwrap().pending, 71);
}

#[tokio::test]
async fn a_file_of_the_schema_before_goes_on_with_all_that_it_holds() {
    let temp = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(temp.path().join("jobs.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    for (index, migration) in MIGRATIONS.iter().enumerate().take(4) {
        connection.execute_batch(migration).unwrap();
        connection
            .pragma_update(None, "user_version", index as i64 + 1)
            .unwrap();
    }
    let options = serde_json::to_string(&JobOptions::default()).unwrap();
    // Waiting, scheduled, running, retrying and due, retrying later, completed, failed, cancelled.
    let rows = [(0, 1), (1, 0), (2, 0), (3, 1), (3, 0), (4, 0), (5, 0), (6, 0), (0, 1)];
    for (n, (status, ready)) in (0_i64..).zip(rows) {
        let (id, finished) = (format!("0197-{n}"), (status > 3).then_some(5));
        let values = rusqlite::params![id, n, options, status, ready, i64::MAX / 8, finished];
        let sql = "INSERT INTO job (id, queue, name, data, options, status, ready, priority, fair_key, created_at, \
                   run_at, finished_at) VALUES (?1, 'q', 'a', ?2, ?3, ?4, ?5, 2, '', ?2, ?6, ?7)";
        connection.execute(sql, values).unwrap();
    }
    drop(connection);
    let store = open(temp.path()).await.unwrap();
    let counts = store.counts("q").await.unwrap();
    let found = [
        counts.pending,
        counts.scheduled,
        counts.running,
        counts.retrying,
        counts.completed,
    ];
    assert_eq!((found, counts.failed, counts.cancelled), ([2, 1, 1, 2, 1], 1, 1));
    assert_eq!(counts.oldest_waiting, Some(0));
    let ids = async |status| {
        let filter = JobFilter {
            status: Some(status),
            ..JobFilter::default()
        };
        let jobs = store.list("q", filter).await.unwrap();
        jobs.iter()
            .map(|job| job.data.value().as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(JobStatus::Pending).await, [8, 0]);
    assert_eq!(ids(JobStatus::Retrying).await, [4, 3]);
    assert_eq!(ids(JobStatus::Completed).await, [5]);
    let order = [claim(&store).await, claim(&store).await, claim(&store).await].concat();
    let order: Vec<_> = order.iter().map(|claim| claim.job.data.value()).collect();
    assert_eq!(order, [json!(0), json!(3), json!(8)]);
    assert!(claim(&store).await.is_empty());
    store.close().await;
}
