use serde_json::json;

use super::{add_one, claim_one, completed, end, job, request};
use crate::error::Code;
use crate::store::{
    Claim, Ending, Finish, Job, JobFailure, JobOptions, JobStatus, JobStore, NewJob, OnDuplicate, OnParentFailure,
};

fn waiting(parents: &[&str], on_parent_failure: OnParentFailure) -> NewJob {
    job(
        "a",
        JobOptions {
            depends_on: parents.iter().map(ToString::to_string).collect(),
            on_parent_failure,
            ..JobOptions::default()
        },
    )
}

fn named(reference: &str, parents: &[&str]) -> NewJob {
    NewJob {
        reference: Some(reference.into()),
        ..waiting(parents, OnParentFailure::Fail)
    }
}

async fn add(store: &dyn JobStore, new: NewJob) -> Job {
    store.add("q", vec![new], 0).await.unwrap().jobs.pop().unwrap()
}

async fn get(store: &dyn JobStore, id: &str) -> Job {
    store.get("q", id).await.unwrap().unwrap()
}

fn failed(claim: &Claim) -> Finish {
    let failure = JobFailure {
        code: "X".into(),
        message: "no".into(),
    };
    end(claim, Ending::Failed { failure, result: None })
}

pub async fn a_job_waits_until_all_others_are_over(store: &dyn JobStore) {
    let (one, two) = (
        add_one(store, JobOptions::default()).await,
        add_one(store, JobOptions::default()).await,
    );
    let child = add(store, waiting(&[&one.id, &two.id], OnParentFailure::Fail)).await;
    assert_eq!((child.status, child.waits_for), (JobStatus::Scheduled, 2));
    assert_eq!(get(store, &child.id).await, child);
    let (first, second) = (claim_one(store, 1).await, claim_one(store, 1).await);
    assert!(store.promote(2).await.unwrap().queues.is_empty());
    let waits = store.claim(request(1, 2)).await.unwrap();
    assert!(waits.claims.is_empty() && waits.unfinished);
    let finished = store.finish(end(&first, completed()), 3).await.unwrap();
    assert!(finished.held && finished.released);
    assert!(store.promote(3).await.unwrap().queues.is_empty());
    assert_eq!(get(store, &child.id).await.waits_for, 1);
    store.finish(end(&second, completed()), 4).await.unwrap();
    let promoted = store.promote(4).await.unwrap();
    assert_eq!((promoted.queues, promoted.failed), (vec!["q".to_owned()], vec![]));
    let last = claim_one(store, 5).await;
    assert_eq!((&last.job.id, last.job.waits_for), (&child.id, 0));
    assert!(!store.finish(end(&last, completed()), 6).await.unwrap().released);
    let late = add(store, waiting(&[&one.id], OnParentFailure::Fail)).await;
    assert_eq!(late.status, JobStatus::Pending, "what it waits for is over already");
}

pub async fn jobs_of_a_batch_wait_for_one_another(store: &dyn JobStore) {
    let mut delayed = named("late", &["left"]);
    delayed.options.delay = Some(500);
    let batch = vec![
        named("end", &["left", "right"]),
        named("left", &["top"]),
        named("right", &["top"]),
        named("top", &[]),
        delayed,
    ];
    let added = store.add("q", batch, 0).await.unwrap().jobs;
    assert_eq!(
        added.iter().map(|job| job.waits_for).collect::<Vec<_>>(),
        [2, 1, 1, 0, 1]
    );
    let mut order = Vec::new();
    for now in 1..5 {
        store.promote(now).await.unwrap();
        for claim in store.claim(request(9, now)).await.unwrap().claims {
            order.push(claim.job.id.clone());
            store.finish(end(&claim, completed()), now).await.unwrap();
        }
    }
    assert_eq!(order, [3, 1, 2, 0].map(|place: usize| added[place].id.clone()));
    assert_eq!(
        store.promote(5).await.unwrap().next_due,
        Some(500),
        "its own time counts too"
    );
    store.promote(500).await.unwrap();
    assert_eq!(claim_one(store, 500).await.job.id, added[4].id);
    let circle = vec![named("a", &["b"]), named("b", &["a"])];
    assert_eq!(store.add("q", circle, 0).await.unwrap_err().code(), Code::OptionInvalid);
    let unknown = vec![named("a", &[]), waiting(&["nothing"], OnParentFailure::Run)];
    let error = store.add("q", unknown, 0).await.unwrap_err();
    assert_eq!(
        (error.code(), error.details()["jobId"].as_str()),
        (Code::JobNotFound, Some("nothing"))
    );
    let elsewhere = store
        .add("other", vec![waiting(&[&added[0].id], OnParentFailure::Run)], 0)
        .await;
    assert_eq!(
        elsewhere.unwrap_err().code(),
        Code::JobNotFound,
        "jobs wait within their queue"
    );
    assert_eq!(
        store.counts("q").await.unwrap().pending,
        0,
        "a refused batch stores nothing"
    );
}

pub async fn a_failed_parent_fails_its_children_or_lets_them_run(store: &dyn JobStore) {
    let parent = add_one(store, JobOptions::default()).await;
    let child = add(store, waiting(&[&parent.id], OnParentFailure::Fail)).await;
    let runs = add(store, waiting(&[&parent.id], OnParentFailure::Run)).await;
    let grandchild = add(store, waiting(&[&child.id, &runs.id], OnParentFailure::Fail)).await;
    let claim = claim_one(store, 1).await;
    assert!(store.finish(failed(&claim), 2).await.unwrap().released);
    let mut lost = store.promote(3).await.unwrap();
    lost.failed.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(
        lost.failed.iter().map(|job| &job.id).collect::<Vec<_>>(),
        [&child.id, &grandchild.id]
    );
    assert_eq!(
        (lost.failed[0].queue.as_str(), lost.failed[0].name.as_str()),
        ("q", "a")
    );
    for (id, of) in [(&child.id, &parent.id), (&grandchild.id, &child.id)] {
        let job = get(store, id).await;
        let error = job.error.unwrap();
        assert_eq!(
            (job.status, job.finished_at, job.attempts),
            (JobStatus::Failed, Some(3), 0)
        );
        assert_eq!(error.code, Code::DependencyFailed.as_str());
        assert!(error.message.contains(of.as_str()), "{}", error.message);
    }
    assert_eq!(lost.queues, ["q"]);
    let second = claim_one(store, 4).await;
    assert_eq!(second.job.id, runs.id);
    store.finish(end(&second, completed()), 5).await.unwrap();
    let again = store.retry("q", &child.id, 6).await.unwrap();
    assert_eq!(
        (again.status, again.error),
        (JobStatus::Pending, None),
        "by hand, it waits no more"
    );
    let late = add(store, waiting(&[&parent.id], OnParentFailure::Fail)).await;
    assert_eq!(
        store.promote(7).await.unwrap().failed[0].id,
        late.id,
        "one that comes too late fails at once"
    );
}

pub async fn every_end_of_a_parent_counts(store: &dyn JobStore) {
    // Cancelled.
    let parent = add_one(store, JobOptions::default()).await;
    let child = add(store, waiting(&[&parent.id], OnParentFailure::Fail)).await;
    store.cancel("q", &parent.id, 1).await.unwrap().unwrap();
    assert_eq!(store.promote(1).await.unwrap().failed[0].id, child.id);
    // Replaced.
    let keyed = |on_duplicate| JobOptions {
        unique_key: Some("k".into()),
        on_duplicate,
        ..JobOptions::default()
    };
    let parent = add_one(store, keyed(OnDuplicate::Reject)).await;
    let child = add(store, waiting(&[&parent.id], OnParentFailure::Fail)).await;
    let replacing = add_one(store, keyed(OnDuplicate::Replace)).await;
    assert_eq!(store.promote(2).await.unwrap().failed[0].id, child.id);
    store.cancel("q", &replacing.id, 2).await.unwrap();
    // Its worker died too often.
    let parent = add_one(store, JobOptions::default()).await;
    let child = add(store, waiting(&[&parent.id], OnParentFailure::Fail)).await;
    claim_one(store, 3).await;
    assert!(store.rescue(i64::MAX, 3, 0).await.unwrap()[0].failure.is_some());
    assert_eq!(store.promote(3).await.unwrap().failed[0].id, child.id);
    assert_eq!(get(store, &parent.id).await.status, JobStatus::Failed);
    // Completed and not kept.
    let parent = add_one(store, JobOptions::default()).await;
    let child = add(store, waiting(&[&parent.id], OnParentFailure::Fail)).await;
    let mut gone = end(&claim_one(store, 4).await, completed());
    gone.remove = true;
    assert!(store.finish(gone, 4).await.unwrap().released);
    store.promote(4).await.unwrap();
    let claim = claim_one(store, 5).await;
    assert_eq!(claim.job.id, child.id);
    // A retry is no end.
    let second = add(store, waiting(&[&child.id], OnParentFailure::Fail)).await;
    let failure = JobFailure {
        code: "X".into(),
        message: "no".into(),
    };
    let retry = Ending::Retry {
        failure,
        run_at: 6,
        free: false,
    };
    assert!(!store.finish(end(&claim, retry), 5).await.unwrap().released);
    assert_eq!(get(store, &second.id).await.waits_for, 1);
    // A job that waits can be run at once by hand, and cancelled.
    assert_eq!(
        store.retry("q", &second.id, 6).await.unwrap().status,
        JobStatus::Pending
    );
    let third = add(store, waiting(&[&child.id], OnParentFailure::Fail)).await;
    store.cancel("q", &third.id, 6).await.unwrap().unwrap();
    store.promote(6).await.unwrap();
    let claims = store.claim(request(9, 7)).await.unwrap().claims;
    assert_eq!(claims.len(), 2);
    for claim in claims {
        store.finish(end(&claim, completed()), 8).await.unwrap();
    }
    assert_eq!(get(store, &third.id).await.status, JobStatus::Cancelled);
    assert_eq!(get(store, &second.id).await.status, JobStatus::Completed);
}

pub async fn jobs_of_another_store_wait_here_too(store: &dyn JobStore) {
    let origin = crate::store::SqliteStore::in_memory().await.unwrap();
    let mut added = origin
        .add("q", vec![named("a", &[]), named("b", &["a"])], 0)
        .await
        .unwrap()
        .jobs;
    assert_eq!(store.restore("q", added.clone()).await.unwrap(), 2);
    let claim = claim_one(store, 1).await;
    assert_eq!(claim.job.id, added[0].id);
    assert_eq!(get(store, &added[1].id).await, added[1]);
    store.finish(end(&claim, completed()), 2).await.unwrap();
    store.promote(2).await.unwrap();
    let child = claim_one(store, 3).await.job;
    added[1].waits_for = 0;
    assert_eq!((&child.id, &child.data), (&added[1].id, &json!({ "n": 1 }).into()));
}
