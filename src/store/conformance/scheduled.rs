use futures_util::future::join_all;

use super::{claim_one, job};
use crate::store::{JobOptions, JobStore, Missed, OnDuplicate, Schedule};

fn schedule(id: &str, next_at: i64) -> Schedule {
    Schedule {
        queue: "q".into(),
        id: id.into(),
        cron: "* * * * *".into(),
        time_zone: "Europe/Berlin".into(),
        missed: Missed::Skip,
        job: job("a", JobOptions::default()),
        next_at: Some(next_at),
        last_at: None,
    }
}

pub async fn schedules_are_kept_and_told_when_they_are_due(store: &dyn JobStore) {
    store.set_schedule(schedule("b", 200)).await.unwrap();
    store.set_schedule(schedule("a", 100)).await.unwrap();
    assert_eq!(
        store.schedules("q").await.unwrap(),
        [schedule("a", 100), schedule("b", 200)]
    );
    assert!(store.schedules("other").await.unwrap().is_empty());
    let before = store.promote(99).await.unwrap();
    assert_eq!((before.schedules, before.next_due), (vec![], Some(100)));
    assert_eq!(store.promote(150).await.unwrap().schedules, [schedule("a", 100)]);
    let mut other = schedule("a", 999);
    other.job.name = "b".into();
    store.set_schedule(other.clone()).await.unwrap();
    let kept = store.schedules("q").await.unwrap();
    assert_eq!(
        (kept[0].next_at, kept[0].job.name.as_str()),
        (Some(100), "b"),
        "the same times go on"
    );
    other.cron = "1 * * * *".into();
    store.set_schedule(other.clone()).await.unwrap();
    assert_eq!(store.schedules("q").await.unwrap()[0], other);
    other.next_at = None;
    other.time_zone = "UTC".into();
    store.set_schedule(other).await.unwrap();
    assert_eq!(
        store.promote(i64::MAX / 4).await.unwrap().schedules.len(),
        1,
        "one without a time is never due"
    );
    assert!(store.remove_schedule("q", "a").await.unwrap());
    assert!(!store.remove_schedule("q", "a").await.unwrap());
    assert!(!store.remove_schedule("other", "b").await.unwrap());
    assert_eq!(store.schedules("q").await.unwrap(), [schedule("b", 200)]);
}

pub async fn a_schedule_fires_once_for_each_of_its_times(store: &dyn JobStore) {
    store.set_schedule(schedule("a", 100)).await.unwrap();
    let due = store.promote(100).await.unwrap().schedules.pop().unwrap();
    let fires = (0..8).map(|_| store.fire(&due, Some(160), vec![due.job.clone()], 101));
    let fired: Vec<_> = join_all(fires).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(fired.iter().filter(|fired| fired.is_some()).count(), 1);
    assert_eq!(store.counts("q").await.unwrap().pending, 1);
    claim_one(store, 102).await;
    let after = store.schedules("q").await.unwrap().pop().unwrap();
    assert_eq!((after.next_at, after.last_at), (Some(160), Some(100)));
    let late = store.promote(170).await.unwrap();
    assert_eq!((late.schedules.len(), late.next_due), (1, Some(160)));
    let many = vec![due.job.clone(); 3];
    let added = store.fire(&after, None, many, 170).await.unwrap().unwrap();
    assert_eq!(added.jobs.len(), 3);
    let over = store.promote(999).await.unwrap();
    assert_eq!((over.schedules.len(), over.next_due), (0, None));
}

pub async fn a_schedule_heeds_unique_keys(store: &dyn JobStore) {
    let keyed = |on_duplicate| JobOptions {
        unique_key: Some("k".into()),
        on_duplicate,
        ..JobOptions::default()
    };
    let mut planned = schedule("a", 100);
    planned.job = job("a", keyed(OnDuplicate::Reject));
    store.set_schedule(planned.clone()).await.unwrap();
    let fired = store
        .fire(&planned, Some(200), vec![planned.job.clone(); 2], 100)
        .await
        .unwrap();
    assert_eq!(
        fired.unwrap().jobs.len(),
        1,
        "the second one is refused, the first is stored"
    );
    planned.next_at = Some(200);
    let fired = store
        .fire(&planned, Some(300), vec![planned.job.clone()], 200)
        .await
        .unwrap();
    assert_eq!(fired.unwrap().jobs.len(), 0);
    planned.next_at = Some(300);
    let replacing = job("a", keyed(OnDuplicate::Replace));
    let fired = store
        .fire(&planned, Some(400), vec![replacing], 300)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((fired.jobs.len(), fired.replaced.len()), (1, 1));
    assert_eq!(store.counts("q").await.unwrap().pending, 1);
}
