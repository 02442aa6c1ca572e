use serde_json::json;

use super::{add_one, claim_one, completed, end, lease, request};
use crate::error::Code;
use crate::store::{Ending, Finish, JobFailure, JobOptions, JobStatus, JobStore, Report};

fn failure() -> JobFailure {
    JobFailure {
        code: "X".into(),
        message: "no".into(),
    }
}

pub async fn endings_are_kept(store: &dyn JobStore) {
    for _ in 0..3 {
        add_one(store, JobOptions::default()).await;
    }
    let claims = store.claim(request(3, 0)).await.unwrap().claims;
    let failed = Ending::Failed {
        failure: failure(),
        result: Some(json!([1])),
    };
    let later = Ending::Retry {
        failure: failure(),
        run_at: 90,
        free: true,
    };
    let endings = [completed(), failed, later];
    let ends = claims
        .iter()
        .zip(endings)
        .map(|(claim, ending)| store.finish(end(claim, ending), 60));
    let kept = futures_util::future::join_all(ends).await;
    assert!(kept.into_iter().all(|kept| kept.unwrap().held), "ends of one moment");
    let mut jobs = Vec::new();
    for claim in &claims {
        jobs.push(store.get("q", &claim.job.id).await.unwrap().unwrap());
    }
    let done = &jobs[0];
    assert_eq!(
        (done.status, done.progress, done.finished_at),
        (JobStatus::Completed, 100.0, Some(60))
    );
    assert_eq!((&done.result, &done.error), (&Some(json!({ "good": true })), &None));
    let failed = &jobs[1];
    assert_eq!((failed.status, failed.finished_at), (JobStatus::Failed, Some(60)));
    assert_eq!((&failed.result, &failed.error), (&Some(json!([1])), &Some(failure())));
    let waiting = &jobs[2];
    assert_eq!(
        (waiting.status, waiting.attempts, waiting.run_at),
        (JobStatus::Retrying, 0, 90)
    );
    assert_eq!((&waiting.error, waiting.finished_at), (&Some(failure()), None));
    assert_eq!(store.promote(89).await.unwrap().next_due, Some(90));
    assert_eq!(store.promote(90).await.unwrap().queues, ["q"]);
    let again = claim_one(store, 91).await;
    assert_eq!((again.job.id.as_str(), again.job.attempts), (waiting.id.as_str(), 1));
}

pub async fn a_job_that_is_to_be_removed_is_gone(store: &dyn JobStore) {
    let added = add_one(store, JobOptions::default()).await;
    let claim = claim_one(store, 0).await;
    let mut old = lease(&claim);
    old.fence -= 1;
    let finish = |lease| Finish {
        lease,
        ending: completed(),
        remove: true,
    };
    assert!(!store.finish(finish(old), 1).await.unwrap().held);
    assert!(store.get("q", &added.id).await.unwrap().is_some());
    assert!(store.finish(finish(lease(&claim)), 1).await.unwrap().held);
    assert_eq!(store.get("q", &added.id).await.unwrap(), None);
}

pub async fn a_job_that_is_handed_back_was_not_tried(store: &dyn JobStore) {
    add_one(store, JobOptions::default()).await;
    let claim = claim_one(store, 0).await;
    assert!(store.finish(end(&claim, Ending::HandedBack), 1).await.unwrap().held);
    let again = claim_one(store, 2).await;
    assert_eq!((again.job.id, again.job.attempts, again.stalls), (claim.job.id, 1, 0));
}

pub async fn reports_are_kept_and_the_log_is_bounded(store: &dyn JobStore) {
    let added = add_one(store, JobOptions::default()).await;
    let claim = claim_one(store, 0).await;
    let report = |fence, lines: Vec<String>| {
        let mut report = Report {
            lease: lease(&claim),
            progress: Some(40.0),
            stage: Some("build".into()),
            iteration: Some(2),
            checkpoint: Some(json!({ "at": 3 })),
            lines,
        };
        report.lease.fence = fence;
        report
    };
    store
        .report(vec![report(claim.fence + 1, vec!["of another".into()])])
        .await
        .unwrap();
    assert_eq!(
        store.get("q", &added.id).await.unwrap().unwrap().log,
        Vec::<String>::new()
    );
    store
        .report(vec![report(claim.fence, vec!["first".into(), "second".into()])])
        .await
        .unwrap();
    assert_eq!(
        store.get("q", &added.id).await.unwrap().unwrap().log,
        ["first", "second"]
    );
    let lines = (0..250).map(|n| format!("line {n}")).collect();
    store.report(vec![report(claim.fence, lines)]).await.unwrap();
    let bare = Report {
        lease: lease(&claim),
        progress: None,
        stage: None,
        iteration: None,
        checkpoint: None,
        lines: vec![],
    };
    store.report(vec![bare]).await.unwrap();
    let job = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!(
        (job.log.len(), job.log[0].as_str(), job.log[199].as_str()),
        (200, "line 50", "line 249")
    );
    assert_eq!(
        (job.progress, job.stage.as_deref(), job.iteration),
        (40.0, Some("build"), 2)
    );
    assert_eq!(job.checkpoint, json!({ "at": 3 }));
    store.rescue(i64::MAX, 1, 3).await.unwrap();
    let again = claim_one(store, 2).await;
    assert_eq!(
        (again.job.checkpoint, again.job.log.len()),
        (json!({ "at": 3 }), 200),
        "the next attempt goes on"
    );
}

pub async fn cancelled_jobs_cannot_end(store: &dyn JobStore) {
    let added = add_one(store, JobOptions::default()).await;
    let claim = claim_one(store, 0).await;
    let cancelled = store.cancel("q", &added.id, 5).await.unwrap().unwrap();
    assert_eq!(
        (cancelled.status, cancelled.finished_at),
        (JobStatus::Cancelled, Some(5))
    );
    assert_eq!(store.cancel("q", &added.id, 6).await.unwrap(), None);
    assert_eq!(store.cancel("elsewhere", &added.id, 6).await.unwrap(), None);
    assert!(!store.finish(end(&claim, completed()), 7).await.unwrap().held);
    assert_eq!(store.renew(vec![lease(&claim)], 900).await.unwrap(), [lease(&claim)]);
    assert!(store.rescue(i64::MAX, 8, 3).await.unwrap().is_empty());
    assert!(store.claim(request(1, 9)).await.unwrap().claims.is_empty());
}

pub async fn only_jobs_that_are_over_or_wait_can_be_run_again(store: &dyn JobStore) {
    assert_eq!(store.retry("q", "none", 0).await.unwrap_err().code(), Code::JobNotFound);
    let added = add_one(store, JobOptions::default()).await;
    let error = store.retry("q", &added.id, 1).await.unwrap_err();
    assert_eq!(
        (error.code(), error.details()["status"].as_str()),
        (Code::JobState, Some("pending"))
    );
    let claim = claim_one(store, 2).await;
    assert_eq!(store.retry("q", &added.id, 3).await.unwrap_err().code(), Code::JobState);
    let later = Ending::Retry {
        failure: failure(),
        run_at: 1_000,
        free: false,
    };
    assert!(store.finish(end(&claim, later), 4).await.unwrap().held);
    let again = store.retry("q", &added.id, 5).await.unwrap();
    assert_eq!(
        (again.status, again.attempts, again.run_at, again.error),
        (JobStatus::Pending, 0, 5, None)
    );
    let claim = claim_one(store, 6).await;
    assert!(store.finish(end(&claim, completed()), 7).await.unwrap().held);
    assert_eq!(store.retry("q", &added.id, 8).await.unwrap_err().code(), Code::JobState);
}
