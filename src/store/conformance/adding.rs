use futures_util::future::join_all;
use serde_json::json;

use super::{add_one, add_plain, claim_one, ids, job, request};
use crate::error::Code;
use crate::store::{
    Backoff, Job, JobFilter, JobOptions, JobStatus, JobStore, Lease, Limits, NewJob, Priority, Report, SqliteStore,
};

fn keyed(key: &str) -> JobOptions {
    JobOptions {
        unique_key: Some(key.into()),
        ..JobOptions::default()
    }
}

pub async fn jobs_are_kept_whole(store: &dyn JobStore) {
    let options = JobOptions {
        priority: Priority::Low,
        timeout: Some(7),
        retries: 9,
        retry_delay: 11,
        retry_backoff: Backoff::Linear,
        jitter: 0.5,
        unique_key: Some("ü'\"\\".into()),
        fair_key: Some("%_🦀".into()),
        metadata: Some(json!({ "z": 1, "a": [null, "\u{0}", 1.5e300, -3] })),
        ..JobOptions::default()
    };
    let data = json!({ "b": "x".repeat(100_000), "a": { "nested": [true, "é\u{0}"] } });
    let new = NewJob {
        name: "na me".into(),
        data: data.into(),
        options,
        reference: None,
    };
    let added = store.add("q", vec![new.clone()], 5).await.unwrap().jobs.pop().unwrap();
    assert_eq!(
        (added.status, added.created_at, added.run_at),
        (JobStatus::Pending, 5, 5)
    );
    let kept = store.get("q", &added.id).await.unwrap().unwrap();
    assert_eq!((&kept.data, &kept.options), (&new.data, &new.options));
    assert_eq!(
        kept.data.value().to_string(),
        new.data.value().to_string(),
        "the keys keep their order"
    );
    assert_eq!(kept, added);
    assert_eq!(store.get("other", &added.id).await.unwrap(), None);
    assert_eq!(store.get("q", "no'such\u{0}id").await.unwrap(), None);
    assert_eq!(store.add("q", Vec::new(), 5).await.unwrap().jobs, Vec::new());
}

pub async fn plain_jobs_are_as_if_they_had_been_added_with_options(store: &dyn JobStore) {
    let new = |count: usize, size: usize| -> Vec<NewJob> {
        let one = |n: usize| NewJob {
            name: if n == 40 { "b".into() } else { "a".into() },
            data: json!({ "é": "x".repeat(size), "n": n }).into(),
            ..NewJob::default()
        };
        (0..count).map(one).collect()
    };
    let limits = Limits {
        concurrency: Some(1_000),
        ..Limits::default()
    };
    let mut all = Vec::new();
    for (step, (count, size)) in [(1, 3), (30, 300), (60, 3), (9, 5_000), (20, 3)]
        .into_iter()
        .enumerate()
    {
        if step == 4 {
            store.set_limits("q", limits).await.unwrap();
        }
        let new = new(count, size);
        let Some(added) = add_plain(store, "q", &new, 5) else {
            return;
        };
        for (id, new) in added.await.into_iter().zip(new) {
            let kept = store.get("q", &id).await.unwrap().unwrap();
            assert_eq!(
                (&kept.name, &kept.data, &kept.options),
                (&new.name, &new.data, &new.options)
            );
            assert_eq!((kept.status, kept.created_at, kept.run_at), (JobStatus::Pending, 5, 5));
            all.push(id);
        }
        all.push(add_one(store, JobOptions::default()).await.id);
    }
    let mut ask = request(200, 6);
    ask.names.push("b".into());
    let claims = store.claim(ask).await.unwrap().claims;
    assert_eq!(
        ids(claims.into_iter().map(|claim| *claim.job).collect()),
        all,
        "in the order of adding"
    );
}

pub async fn a_batch_with_one_duplicate_is_refused_as_a_whole(store: &dyn JobStore) {
    let first = add_one(store, keyed("k")).await;
    let error = store
        .add("q", vec![job("a", keyed("other")), job("a", keyed("k"))], 0)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::JobDuplicate);
    assert_eq!(error.details()["jobId"], first.id);
    let twice = vec![job("a", keyed("two")), job("a", keyed("two"))];
    assert_eq!(store.add("q", twice, 0).await.unwrap_err().code(), Code::JobDuplicate);
    assert_eq!(store.counts("q").await.unwrap().pending, 1);
    store.add("elsewhere", vec![job("a", keyed("k"))], 0).await.unwrap();
}

pub async fn one_refused_add_harms_no_other(store: &dyn JobStore) {
    let adds = (0..400).map(|n| {
        let options = if n % 2 == 0 {
            keyed("same")
        } else {
            JobOptions::default()
        };
        store.add("q", vec![job("a", options)], 0)
    });
    let stored = join_all(adds).await.into_iter().flatten().count();
    assert_eq!(stored, 201);
    assert_eq!(store.counts("q").await.unwrap().pending, 201);
}

pub async fn a_unique_key_is_free_when_its_job_is_over(store: &dyn JobStore) {
    let first = add_one(store, keyed("k")).await;
    store.cancel("q", &first.id, 1).await.unwrap().unwrap();
    let again = add_one(store, keyed("k")).await;
    let error = store.retry("q", &first.id, 2).await.unwrap_err();
    assert_eq!(
        (error.code(), error.details()["jobId"].as_str()),
        (Code::JobDuplicate, Some(again.id.as_str()))
    );
    claim_one(store, 3).await;
    assert_eq!(
        store.add("q", vec![job("a", keyed("k"))], 3).await.unwrap_err().code(),
        Code::JobDuplicate
    );
}

pub async fn delayed_jobs_wait_for_their_time_and_tell_the_next(store: &dyn JobStore) {
    let added = add_one(
        store,
        JobOptions {
            delay: Some(50),
            ..JobOptions::default()
        },
    )
    .await;
    assert_eq!((added.status, added.run_at), (JobStatus::Scheduled, 50));
    let claimed = store.claim(request(1, 0)).await.unwrap();
    assert!(claimed.claims.is_empty() && claimed.unfinished);
    assert_eq!(store.promote(49).await.unwrap().next_due, Some(50));
    let promoted = store.promote(50).await.unwrap();
    assert_eq!((promoted.queues, promoted.next_due), (vec!["q".to_owned()], None));
    assert_eq!(claim_one(store, 50).await.job.started_at, Some(50));
    assert!(!store.claim(request(1, 50)).await.unwrap().unfinished);
    let timed = add_one(
        store,
        JobOptions {
            run_at: Some(70),
            ..JobOptions::default()
        },
    )
    .await;
    assert_eq!((timed.status, timed.run_at), (JobStatus::Scheduled, 70));
}

pub async fn jobs_of_another_store_go_on_here(store: &dyn JobStore) {
    let origin = SqliteStore::in_memory().await.unwrap();
    let options = [
        keyed("k"),
        JobOptions {
            delay: Some(50),
            ..JobOptions::default()
        },
        JobOptions::default(),
    ];
    origin
        .add("q", options.map(|options| job("a", options)).into(), 0)
        .await
        .unwrap();
    let claim = claim_one(&origin, 1).await;
    let told = Report {
        lease: Lease {
            id: claim.job.id.clone(),
            fence: claim.fence,
        },
        progress: Some(40.0),
        stage: Some("build".into()),
        iteration: Some(2),
        checkpoint: Some(json!({ "at": 3 })),
        lines: vec!["first".into(), "second".into()],
    };
    origin.report(vec![told]).await.unwrap();
    let over = claim_one(&origin, 2).await;
    origin.finish(super::end(&over, super::completed()), 3).await.unwrap();
    let mut jobs = origin.list("q", JobFilter::default()).await.unwrap();
    jobs.reverse();
    assert_eq!(store.restore("q", jobs.clone()).await.unwrap(), 3);
    assert_eq!(
        store.restore("q", jobs.clone()).await.unwrap(),
        0,
        "an import can be repeated"
    );
    jobs[0].status = JobStatus::Pending;
    let mut here = store.list("q", JobFilter::default()).await.unwrap();
    here.reverse();
    assert_eq!(here, jobs);
    let error = store.add("q", vec![job("a", keyed("k"))], 4).await.unwrap_err();
    assert_eq!(error.details()["jobId"], jobs[0].id);
    let again = claim_one(store, 5).await;
    assert_eq!(
        (&again.job.id, again.job.attempts, again.job.log.len()),
        (&jobs[0].id, 2, 2)
    );
    assert_eq!(store.promote(50).await.unwrap().queues, ["q"]);
    assert_eq!(claim_one(store, 51).await.job.id, jobs[1].id);
    let mut clash = jobs[0].clone();
    clash.id = "another".into();
    let batch = vec![
        Job {
            id: "one more".into(),
            ..jobs[2].clone()
        },
        clash,
    ];
    assert_eq!(store.restore("q", batch).await.unwrap_err().code(), Code::JobDuplicate);
    assert_eq!(store.get("q", "one more").await.unwrap(), None, "all or none");
}
