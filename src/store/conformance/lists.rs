use super::{add_one, claim_one, completed, end, job};
use crate::store::{Counts, Job, JobFilter, JobOptions, JobStatus, JobStore, Retention};

fn ids(jobs: Vec<Job>) -> Vec<String> {
    jobs.into_iter().map(|job| job.id).collect()
}

pub async fn lists_go_page_by_page_even_when_the_cursor_is_gone(store: &dyn JobStore) {
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(add_one(store, JobOptions::default()).await.id);
    }
    all.reverse();
    let page = |cursor: Option<&String>| {
        let filter = JobFilter {
            limit: Some(2),
            cursor: cursor.cloned(),
            ..JobFilter::default()
        };
        async { ids(store.list("q", filter).await.unwrap()) }
    };
    assert_eq!(page(None).await, all[0..2]);
    store.cancel("q", &all[1], 1).await.unwrap();
    let over = vec![JobStatus::Cancelled, JobStatus::Pending];
    assert_eq!(
        store.clean("q", 1, over).await.unwrap(),
        1,
        "jobs that wait are not cleaned"
    );
    assert_eq!(page(Some(&all[1])).await, all[2..4]);
    assert_eq!(page(Some(&all[3])).await, all[4..5]);
    assert_eq!(page(Some(&all[4])).await, Vec::<String>::new());
}

pub async fn lists_are_filtered(store: &dyn JobStore) {
    let new = ["a", "b", "a"].map(|name| job(name, JobOptions::default()));
    let added = store.add("q", new.into(), 0).await.unwrap();
    store.cancel("q", &added.jobs[0].id, 1).await.unwrap();
    let list = |status, name: Option<&str>| {
        let filter = JobFilter {
            status,
            name: name.map(Into::into),
            ..JobFilter::default()
        };
        async { ids(store.list("q", filter).await.unwrap()) }
    };
    assert_eq!(list(None, None).await.len(), 3);
    assert_eq!(
        list(None, Some("a")).await,
        [added.jobs[2].id.clone(), added.jobs[0].id.clone()]
    );
    assert_eq!(
        list(Some(JobStatus::Pending), None).await,
        [added.jobs[2].id.clone(), added.jobs[1].id.clone()]
    );
    assert_eq!(
        list(Some(JobStatus::Cancelled), Some("a")).await,
        [added.jobs[0].id.clone()]
    );
    assert!(list(Some(JobStatus::Failed), None).await.is_empty());
    assert!(list(None, Some("")).await.is_empty(), "no job has an empty name");
    assert!(store.list("elsewhere", JobFilter::default()).await.unwrap().is_empty());
}

pub async fn counts_count(store: &dyn JobStore) {
    assert_eq!(store.counts("q").await.unwrap(), Counts::default());
    store
        .add("q", vec![job("a", JobOptions::default()); 4], 7)
        .await
        .unwrap();
    let later = JobOptions {
        delay: Some(1),
        ..JobOptions::default()
    };
    let cancelled = store
        .add("q", vec![job("a", later.clone()), job("a", later)], 8)
        .await
        .unwrap();
    store.cancel("q", &cancelled.jobs[0].id, 9).await.unwrap();
    let claim = claim_one(store, 9).await;
    claim_one(store, 9).await;
    store.finish(end(&claim, completed()), 10).await.unwrap();
    let expected = Counts {
        pending: 2,
        scheduled: 1,
        running: 1,
        completed: 1,
        cancelled: 1,
        oldest_waiting: Some(7),
        ..Counts::default()
    };
    assert_eq!(store.counts("q").await.unwrap(), expected);
}

async fn cancelled(store: &dyn JobStore, at: i64) -> String {
    let id = add_one(store, JobOptions::default()).await.id;
    store.cancel("q", &id, at).await.unwrap();
    id
}

pub async fn clean_deletes_what_is_over_and_old(store: &dyn JobStore) {
    let (old, new) = (cancelled(store, 5).await, cancelled(store, 6).await);
    add_one(store, JobOptions::default()).await;
    let all = || vec![JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled];
    assert_eq!(store.clean("q", 9, vec![JobStatus::Failed]).await.unwrap(), 0);
    assert_eq!(store.clean("elsewhere", 9, all()).await.unwrap(), 0);
    assert_eq!(store.clean("q", 5, all()).await.unwrap(), 1);
    assert!(store.get("q", &old).await.unwrap().is_none());
    assert!(store.get("q", &new).await.unwrap().is_some());
    assert_eq!(store.counts("q").await.unwrap().pending, 1);
}

pub async fn retention_keeps_the_newest(store: &dyn JobStore) {
    let mut last = String::new();
    for _ in 0..6 {
        last = cancelled(store, 5).await;
    }
    add_one(store, JobOptions::default()).await;
    let retention = Retention { count: 2, age: 100 };
    assert_eq!(store.prune("q", retention, 10).await.unwrap(), 4);
    assert!(store.get("q", &last).await.unwrap().is_some());
    assert_eq!(store.prune("q", retention, 106).await.unwrap(), 2);
    assert_eq!(store.counts("q").await.unwrap().pending, 1, "jobs that wait are kept");
}

pub async fn a_pause_is_kept(store: &dyn JobStore) {
    assert!(!store.is_paused("q").await.unwrap());
    for paused in [true, true, false] {
        store.set_paused("q", paused).await.unwrap();
        assert_eq!(store.is_paused("q").await.unwrap(), paused);
    }
    store.set_paused("q", true).await.unwrap();
    assert!(!store.is_paused("elsewhere").await.unwrap());
}
