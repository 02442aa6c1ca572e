use serde_json::json;

use super::{add_one, claim_one, completed, end, job};
use crate::error::Code;
use crate::store::{JobOptions, JobStatus, JobStore, OnDuplicate};

fn keyed(on_duplicate: OnDuplicate) -> JobOptions {
    JobOptions {
        unique_key: Some("k".into()),
        on_duplicate,
        ..JobOptions::default()
    }
}

pub async fn a_kept_job_is_answered_in_place_of_another(store: &dyn JobStore) {
    let first = add_one(store, keyed(OnDuplicate::Reject)).await;
    let mut second = job("b", keyed(OnDuplicate::Keep));
    second.data = json!(2).into();
    let added = store
        .add("q", vec![second, job("a", JobOptions::default())], 5)
        .await
        .unwrap();
    assert_eq!((&added.jobs[0], &added.kept), (&first, &vec![first.id.clone()]));
    assert!(added.replaced.is_empty());
    assert_eq!(store.counts("q").await.unwrap().pending, 2);
    let twice = vec![job("a", keyed(OnDuplicate::Keep)), job("a", keyed(OnDuplicate::Keep))];
    let claim = claim_one(store, 6).await;
    assert_eq!(claim.job.id, first.id);
    let running = store.add("q", twice.clone(), 7).await.unwrap();
    assert!(
        running
            .jobs
            .iter()
            .all(|job| job.id == first.id && job.status == JobStatus::Running)
    );
    store.finish(end(&claim, completed()), 8).await.unwrap();
    let mut fresh = store.add("q", twice, 9).await.unwrap();
    assert_ne!(fresh.jobs[0].id, first.id);
    assert_eq!(
        fresh.jobs[0], fresh.jobs[1],
        "the first of a batch is kept for the second"
    );
    assert!(fresh.kept.is_empty(), "it was not there before");
    assert_eq!(store.get("q", &fresh.jobs[0].id).await.unwrap(), fresh.jobs.pop());
}

pub async fn a_replaced_job_is_cancelled_even_while_it_runs(store: &dyn JobStore) {
    let first = add_one(store, keyed(OnDuplicate::Reject)).await;
    let claim = claim_one(store, 1).await;
    let added = store
        .add("q", vec![job("a", keyed(OnDuplicate::Replace))], 2)
        .await
        .unwrap();
    assert_eq!(
        added.replaced.iter().map(|job| &job.id).collect::<Vec<_>>(),
        [&first.id]
    );
    assert_eq!(added.replaced[0].status, JobStatus::Cancelled);
    assert!(added.kept.is_empty() && added.jobs[0].id != first.id);
    assert!(!store.finish(end(&claim, completed()), 3).await.unwrap().held);
    let gone = store.get("q", &first.id).await.unwrap().unwrap();
    assert_eq!((gone.status, gone.finished_at), (JobStatus::Cancelled, Some(2)));
    assert_eq!(claim_one(store, 4).await.job.id, added.jobs[0].id);
    let waiting = store
        .add("q", vec![job("a", keyed(OnDuplicate::Replace))], 5)
        .await
        .unwrap();
    let last = store
        .add("q", vec![job("a", keyed(OnDuplicate::Replace))], 6)
        .await
        .unwrap();
    assert_eq!(last.replaced[0].id, waiting.jobs[0].id);
    let twice = vec![
        job("a", keyed(OnDuplicate::Replace)),
        job("a", keyed(OnDuplicate::Replace)),
    ];
    assert_eq!(store.add("q", twice, 7).await.unwrap_err().code(), Code::JobDuplicate);
    assert_eq!(
        store.get("q", &last.jobs[0].id).await.unwrap().unwrap().status,
        JobStatus::Pending,
        "a refused batch replaces nothing"
    );
}

pub async fn replacing_and_keeping_at_once_leaves_one_live_job(store: &dyn JobStore) {
    let adds = (0..60).map(|n| {
        let policy = [OnDuplicate::Replace, OnDuplicate::Keep, OnDuplicate::Reject][n % 3];
        store.add("q", vec![job("a", keyed(policy))], 0)
    });
    let answers = futures_util::future::join_all(adds).await;
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Ok(added) => assert_eq!(added.jobs.len(), 1),
            Err(error) => assert_eq!((n % 3, error.code()), (2, Code::JobDuplicate), "{error:?}"),
        }
    }
    let counts = store.counts("q").await.unwrap();
    assert_eq!(counts.pending, 1);
    assert!((19..=20).contains(&counts.cancelled), "{counts:?}");
}
