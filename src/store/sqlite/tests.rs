use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::SqliteStore;
use crate::error::Code;
use crate::store::{
    ClaimRequest, DataDirectory, Ending, Finish, Job, JobFailure, JobFilter, JobOptions, JobStatus, JobStore, Lease,
    NewJob, Priority, Report, Retention,
};

fn job(name: &str, options: JobOptions) -> NewJob {
    NewJob {
        name: name.into(),
        data: json!({ "n": 1 }),
        options,
    }
}

fn request(limit: usize, now: i64) -> ClaimRequest {
    ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit,
        now,
        lease_until: now + 100,
    }
}

async fn open(path: &std::path::Path) -> crate::error::Result<SqliteStore> {
    let directory = DataDirectory::open(path)?;
    let held = directory.hold()?.expect("nobody else holds it");
    SqliteStore::open(&directory, held, 7).await
}

async fn add_one(store: &SqliteStore, options: JobOptions) -> Job {
    store.add("q", vec![job("a", options)], 0).await.unwrap().pop().unwrap()
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
async fn an_old_fence_cannot_end_a_job() {
    let store = SqliteStore::in_memory().await.unwrap();
    let added = add_one(&store, JobOptions::default()).await;
    let first = store.claim(request(1, 0)).await.unwrap().claims.pop().unwrap();
    assert_eq!((first.job.attempts, first.job.status), (1, JobStatus::Running));
    let rescued = store.rescue(100, 100, 3).await.unwrap();
    assert_eq!(rescued.len(), 1);
    let second = store.claim(request(1, 200)).await.unwrap().claims.pop().unwrap();
    let finish = |fence| Finish {
        lease: Lease {
            id: added.id.clone(),
            fence,
        },
        ending: Ending::Completed { result: json!(fence) },
        remove: false,
    };
    assert!(!store.finish(finish(first.fence), 201).await.unwrap());
    let lost = store
        .renew(
            vec![Lease {
                id: added.id.clone(),
                fence: first.fence,
            }],
            900,
        )
        .await
        .unwrap();
    assert_eq!(lost.len(), 1);
    assert!(store.finish(finish(second.fence), 202).await.unwrap());
    let done = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!(
        (done.status, done.result),
        (JobStatus::Completed, Some(json!(second.fence)))
    );
    assert!(!store.finish(finish(second.fence), 203).await.unwrap());
}

#[tokio::test]
async fn a_renewed_lease_is_not_rescued_and_a_job_that_kills_its_workers_fails() {
    let store = SqliteStore::in_memory().await.unwrap();
    let added = add_one(
        &store,
        JobOptions {
            retries: 0,
            ..JobOptions::default()
        },
    )
    .await;
    let claim = store.claim(request(1, 0)).await.unwrap().claims.pop().unwrap();
    let lease = Lease {
        id: added.id.clone(),
        fence: claim.fence,
    };
    assert!(store.renew(vec![lease], 500).await.unwrap().is_empty());
    assert!(store.rescue(499, 499, 3).await.unwrap().is_empty());
    for stall in 0..4 {
        let rescued = store.rescue(i64::MAX, 0, 3).await.unwrap();
        assert_eq!(rescued[0].failure.is_some(), stall == 3, "stall {stall}");
        if stall < 3 {
            assert_eq!(store.claim(request(1, 0)).await.unwrap().claims.len(), 1);
        }
    }
    let failed = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!(failed.status, JobStatus::Failed);
    assert_eq!(failed.error.unwrap().code, Code::LeaseLost.as_str());
}

#[tokio::test]
async fn a_batch_with_one_duplicate_is_refused_as_a_whole() {
    let store = SqliteStore::in_memory().await.unwrap();
    let keyed = |key: &str| JobOptions {
        unique_key: Some(key.into()),
        ..JobOptions::default()
    };
    let first = add_one(&store, keyed("k")).await;
    let batch = vec![job("a", keyed("other")), job("a", keyed("k"))];
    let error = store.add("q", batch, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::JobDuplicate);
    assert_eq!(error.details()["jobId"], first.id);
    assert_eq!(store.counts("q").await.unwrap().pending, 1);
    store.cancel("q", &first.id, 1).await.unwrap().unwrap();
    let again = add_one(&store, keyed("k")).await;
    assert_eq!(
        store.retry("q", &first.id, 2).await.unwrap_err().code(),
        Code::JobDuplicate
    );
    assert_ne!(again.id, first.id);
}

#[tokio::test]
async fn what_waits_together_is_committed_together_and_one_failure_harms_no_other() {
    let temp = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(temp.path()).await.unwrap());
    let adds = (0..400).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let key = (n % 2 == 0).then(|| "same".to_owned());
            let options = JobOptions {
                unique_key: key,
                ..JobOptions::default()
            };
            store.add("q", vec![job("a", options)], 0).await
        })
    });
    let answers = futures_util::future::join_all(adds.collect::<Vec<_>>()).await;
    let stored = answers
        .into_iter()
        .filter(|answer| answer.as_ref().unwrap().is_ok())
        .count();
    assert_eq!(stored, 201);
    assert_eq!(store.counts("q").await.unwrap().pending, 201);
}

#[tokio::test]
async fn delayed_jobs_wait_for_their_time_and_tell_the_next() {
    let store = SqliteStore::in_memory().await.unwrap();
    let options = JobOptions {
        delay: Some(50),
        ..JobOptions::default()
    };
    let added = add_one(&store, options).await;
    assert_eq!((added.status, added.run_at), (JobStatus::Scheduled, 50));
    assert!(store.claim(request(1, 0)).await.unwrap().claims.is_empty());
    assert!(store.claim(request(1, 0)).await.unwrap().unfinished);
    assert_eq!(store.promote(49).await.unwrap().next_due, Some(50));
    let promoted = store.promote(50).await.unwrap();
    assert_eq!((promoted.queues, promoted.next_due), (vec!["q".to_owned()], None));
    let claim = store.claim(request(1, 50)).await.unwrap().claims.pop().unwrap();
    assert_eq!(claim.job.started_at, Some(50));
    let failure = JobFailure {
        code: "X".into(),
        message: "no".into(),
    };
    let ending = Ending::Retry {
        failure: failure.clone(),
        run_at: 90,
        free: true,
    };
    let lease = Lease {
        id: added.id.clone(),
        fence: claim.fence,
    };
    assert!(
        store
            .finish(
                Finish {
                    lease,
                    ending,
                    remove: false
                },
                60
            )
            .await
            .unwrap()
    );
    let waiting = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!((waiting.status, waiting.attempts), (JobStatus::Retrying, 0));
    assert_eq!(waiting.error, Some(failure));
    assert_eq!(
        store.retry("q", &added.id, 61).await.unwrap().status,
        JobStatus::Pending
    );
}

#[tokio::test]
async fn reports_are_kept_and_the_log_is_bounded() {
    let store = SqliteStore::in_memory().await.unwrap();
    let added = add_one(&store, JobOptions::default()).await;
    let claim = store.claim(request(1, 0)).await.unwrap().claims.pop().unwrap();
    let report = |fence, lines| Report {
        lease: Lease {
            id: added.id.clone(),
            fence,
        },
        progress: Some(40.0),
        stage: Some("build".into()),
        iteration: None,
        checkpoint: Some(json!({ "at": 3 })),
        lines,
    };
    let lines: Vec<String> = (0..250).map(|n| format!("line {n}")).collect();
    store
        .report(vec![report(claim.fence + 1, vec!["of another".into()])])
        .await
        .unwrap();
    store.report(vec![report(claim.fence, lines)]).await.unwrap();
    let job = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!((job.log.len(), job.log[0].as_str()), (200, "line 50"));
    assert_eq!(job.checkpoint, json!({ "at": 3 }));
    assert_eq!((job.progress, job.stage.as_deref()), (40.0, Some("build")));
}

#[tokio::test]
async fn lists_go_page_by_page_even_when_the_cursor_is_gone() {
    let store = SqliteStore::in_memory().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(add_one(&store, JobOptions::default()).await.id);
    }
    ids.reverse();
    let page = |cursor: Option<&String>| JobFilter {
        limit: Some(2),
        cursor: cursor.cloned(),
        ..JobFilter::default()
    };
    let of = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(of(store.list("q", page(None)).await.unwrap()), ids[0..2]);
    store.cancel("q", &ids[1], 1).await.unwrap();
    assert_eq!(
        store
            .clean("q", 1, vec![JobStatus::Cancelled, JobStatus::Pending])
            .await
            .unwrap(),
        1
    );
    assert_eq!(of(store.list("q", page(Some(&ids[1]))).await.unwrap()), ids[2..4]);
    assert_eq!(of(store.list("q", page(Some(&ids[3]))).await.unwrap()), ids[4..5]);
    let cancelled = JobFilter {
        status: Some(JobStatus::Cancelled),
        ..JobFilter::default()
    };
    assert!(store.list("q", cancelled).await.unwrap().is_empty());
}

#[tokio::test]
async fn retention_keeps_the_newest() {
    let store = SqliteStore::in_memory().await.unwrap();
    let mut last = String::new();
    for _ in 0..6 {
        last = add_one(&store, JobOptions::default()).await.id;
        store.cancel("q", &last, 5).await.unwrap();
    }
    let retention = Retention { count: 2, age: 100 };
    assert_eq!(store.prune("q", retention, 10).await.unwrap(), 4);
    assert!(store.get("q", &last).await.unwrap().is_some());
    assert_eq!(store.prune("q", retention, 106).await.unwrap(), 2);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Compared with the rule as it is written: priority first, then the keys in turns, then
    /// the order of adding.
    #[test]
    fn claims_come_in_order(
        jobs in proptest::collection::vec((0u8..4, 0usize..4, 0usize..2), 1..40),
        limit in 1usize..7,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let claimed: Vec<(u8, String, i64)> = runtime.block_on(async {
            let store = SqliteStore::in_memory().await.unwrap();
            let new = jobs.iter().enumerate().map(|(n, (priority, key, name))| NewJob {
                name: ["a", "b"][*name].into(),
                data: json!(n),
                options: JobOptions {
                    priority: Priority::try_from(*priority).unwrap(),
                    fair_key: (*key > 0).then(|| format!("k{key}")),
                    ..JobOptions::default()
                },
            });
            store.add("q", new.collect(), 0).await.unwrap();
            let mut all = Vec::new();
            loop {
                let mut ask = request(limit, 0);
                ask.names.push("b".into());
                let claimed = store.claim(ask).await.unwrap();
                if claimed.claims.is_empty() {
                    assert!(!claimed.unfinished);
                    break all;
                }
                assert!(claimed.claims.len() <= limit);
                all.extend(claimed.claims.into_iter().map(|claim| (
                    claim.job.options.priority.into(),
                    claim.job.options.fair_key.unwrap_or_default(),
                    claim.job.data.as_i64().unwrap(),
                )));
            }
        });
        prop_assert_eq!(claimed, in_order(&jobs));
    }
}

fn in_order(jobs: &[(u8, usize, usize)]) -> Vec<(u8, String, i64)> {
    let mut order = Vec::new();
    for priority in 0..4u8 {
        let mut keys: BTreeMap<String, std::collections::VecDeque<i64>> = BTreeMap::new();
        for (n, job) in jobs.iter().enumerate().filter(|(_, job)| job.0 == priority) {
            let key = if job.1 > 0 {
                format!("k{}", job.1)
            } else {
                String::new()
            };
            keys.entry(key).or_default().push_back(n as i64);
        }
        while keys.values().any(|waiting| !waiting.is_empty()) {
            for (key, waiting) in &mut keys {
                order.extend(waiting.pop_front().map(|n| (priority, key.clone(), n)));
            }
        }
    }
    order
}
