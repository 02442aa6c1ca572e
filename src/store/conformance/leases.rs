use serde_json::json;

use super::{add_one, claim_one, completed, end, lease};
use crate::error::Code;
use crate::store::{Ending, JobOptions, JobStatus, JobStore};

pub async fn an_old_fence_cannot_end_a_job(store: &dyn JobStore) {
    let added = add_one(store, JobOptions::default()).await;
    let first = claim_one(store, 0).await;
    assert_eq!((first.job.attempts, first.job.status), (1, JobStatus::Running));
    assert_eq!(store.rescue(100, 100, 3).await.unwrap().len(), 1);
    assert!(
        !store.finish(end(&first, completed()), 150).await.unwrap().held,
        "not even while nobody has it"
    );
    let second = claim_one(store, 200).await;
    assert!(second.fence > first.fence);
    assert_eq!(second.stalls, 1);
    let ending = |n: i32| Ending::Completed { result: json!(n) };
    assert!(!store.finish(end(&first, ending(1)), 201).await.unwrap().held);
    assert_eq!(
        store.renew(vec![lease(&first), lease(&second)], 900).await.unwrap(),
        [lease(&first)]
    );
    assert!(store.finish(end(&second, ending(2)), 202).await.unwrap().held);
    let done = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!(
        (done.status, done.result, done.finished_at),
        (JobStatus::Completed, Some(json!(2)), Some(202))
    );
    assert!(
        !store.finish(end(&second, ending(3)), 203).await.unwrap().held,
        "an attempt ends once"
    );
}

pub async fn a_renewed_lease_is_not_rescued(store: &dyn JobStore) {
    add_one(store, JobOptions::default()).await;
    let claim = claim_one(store, 0).await;
    assert!(store.renew(vec![lease(&claim)], 500).await.unwrap().is_empty());
    assert!(store.renew(Vec::new(), 900).await.unwrap().is_empty());
    assert!(store.rescue(499, 499, 3).await.unwrap().is_empty());
    assert_eq!(store.rescue(500, 500, 3).await.unwrap().len(), 1);
}

pub async fn a_job_that_kills_its_workers_fails(store: &dyn JobStore) {
    let added = add_one(
        store,
        JobOptions {
            retries: 0,
            ..JobOptions::default()
        },
    )
    .await;
    for stall in 0..4 {
        claim_one(store, 0).await;
        let rescued = store.rescue(i64::MAX, 9, 3).await.unwrap();
        assert_eq!(
            (rescued[0].queue.as_str(), &rescued[0].id, rescued[0].name.as_str()),
            ("q", &added.id, "a")
        );
        assert_eq!(rescued[0].failure.is_some(), stall == 3, "stall {stall}");
    }
    let failed = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!((failed.status, failed.finished_at), (JobStatus::Failed, Some(9)));
    let error = failed.error.unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.contains("died 4 times")),
        (Code::LeaseLost.as_str(), true)
    );
    let again = store.retry("q", &added.id, 10).await.unwrap();
    assert_eq!((again.status, again.error), (JobStatus::Pending, None));
    assert_eq!(claim_one(store, 11).await.stalls, 0);
}

pub async fn a_rescue_looks_at_the_end_of_the_lease_only(store: &dyn JobStore) {
    for _ in 0..3 {
        add_one(store, JobOptions::default()).await;
    }
    let (first, second) = (claim_one(store, 0).await, claim_one(store, 50).await);
    let rescued = store.rescue(100, 100, 3).await.unwrap();
    assert_eq!(rescued.iter().map(|one| &one.id).collect::<Vec<_>>(), [&first.job.id]);
    assert!(store.finish(end(&second, completed()), 101).await.unwrap().held);
    assert_eq!(
        claim_one(store, 102).await.job.id,
        first.job.id,
        "it is first in its key again"
    );
}
