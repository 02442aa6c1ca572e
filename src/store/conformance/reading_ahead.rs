use super::{add_one, claim_one, completed, end, job, lease, request};
use crate::store::{Claim, Ending, JobOptions, JobStatus, JobStore, Limits, ReadAhead};

async fn read(store: &dyn JobStore, limit: usize, ahead: usize, now: i64) -> (Vec<Claim>, Vec<ReadAhead>) {
    let (claimed, held) = store.claim_ahead(request(limit, now), ahead).await.unwrap();
    (claimed.claims, held)
}

async fn add_many(store: &dyn JobStore, count: usize) -> Vec<String> {
    let new = (0..count).map(|_| job("a", JobOptions::default())).collect();
    let added = store.add("q", new, 0).await.unwrap();
    added.jobs.into_iter().map(|job| job.id).collect()
}

async fn job_of(store: &dyn JobStore, id: &str) -> crate::store::Job {
    store.get("q", id).await.unwrap().unwrap()
}

pub async fn what_is_read_ahead_comes_after_what_starts(store: &dyn JobStore) {
    let ids = add_many(store, 5).await;
    let (starts, held) = read(store, 2, 2, 1).await;
    let starts: Vec<_> = starts.iter().map(|claim| claim.job.id.clone()).collect();
    let held_ids: Vec<_> = held.iter().map(|one| one.claim.job.id.clone()).collect();
    assert_eq!((starts.as_slice(), held_ids.as_slice()), (&ids[..2], &ids[2..4]));
    assert!(held.iter().all(|one| !one.doubtful && one.claim.job.attempts == 1));
    let (starts, held_too) = read(store, 0, 9, 2).await;
    assert!(starts.is_empty());
    assert_eq!(held_too.len(), 1, "without room for a start too");
    // It can end without being noted before.
    assert!(store.finish(end(&held[0].claim, completed()), 3).await.unwrap().held);
    assert_eq!(job_of(store, &ids[2]).await.status, JobStatus::Completed);
}

pub async fn a_job_that_was_only_read_ahead_is_no_attempt_of_a_worker_that_died(store: &dyn JobStore) {
    let ids = add_many(store, 3).await;
    for death in 0..6 {
        let (_, held) = read(store, 0, 3, 0).await;
        assert_eq!(held.len(), 3, "death {death}");
        assert!(
            held.iter()
                .all(|one| one.claim.stalls == 0 && one.claim.job.attempts == 1)
        );
        assert!(held.iter().all(|one| one.doubtful == (death > 0)), "death {death}");
        let rescued = store.rescue(i64::MAX, 9, 3).await.unwrap();
        assert_eq!(rescued.len(), 3);
        assert!(rescued.iter().all(|one| !one.ran && one.failure.is_none()));
    }
    for id in &ids {
        let job = job_of(store, id).await;
        assert_eq!((job.status, job.attempts, job.error), (JobStatus::Pending, 0, None));
    }
    assert_eq!(claim_one(store, 10).await.job.id, ids[0], "it keeps its place");
}

pub async fn a_job_that_began_is_an_attempt_of_a_worker_that_died(store: &dyn JobStore) {
    let ids = add_many(store, 2).await;
    for death in 0..4 {
        let (_, held) = read(store, 0, 2, 0).await;
        let begun = lease(&held[0].claim);
        store.begin(vec![begun], 5).await.unwrap();
        assert_eq!(held[0].claim.stalls, death);
        let rescued = store.rescue(i64::MAX, 9, 3).await.unwrap();
        let of = |id: &String| rescued.iter().find(|one| one.id == *id).unwrap();
        assert_eq!((of(&ids[0]).ran, of(&ids[1]).ran), (true, false));
        assert_eq!(of(&ids[0]).failure.is_some(), death == 3, "death {death}");
    }
    assert_eq!(job_of(store, &ids[0]).await.status, JobStatus::Failed);
    let innocent = job_of(store, &ids[1]).await;
    assert_eq!((innocent.status, innocent.attempts), (JobStatus::Pending, 0));
    // Sent again, it is a job like any other.
    store.retry("q", &ids[0], 10).await.unwrap();
    let (_, held) = read(store, 0, 2, 11).await;
    let first = held.iter().find(|one| one.claim.job.id == ids[0]).unwrap();
    assert_eq!(
        (first.doubtful, first.claim.stalls, first.claim.job.attempts),
        (false, 0, 1)
    );
}

pub async fn only_the_holder_notes_a_begin(store: &dyn JobStore) {
    add_one(store, JobOptions::default()).await;
    let (_, old) = read(store, 0, 1, 0).await;
    store.rescue(i64::MAX, 9, 3).await.unwrap();
    let (_, new) = read(store, 0, 1, 10).await;
    store.begin(vec![lease(&old[0].claim)], 11).await.unwrap();
    assert!(!store.rescue(i64::MAX, 12, 3).await.unwrap()[0].ran);
    assert!(new[0].claim.fence > old[0].claim.fence);
}

pub async fn what_is_handed_back_unstarted_keeps_its_place(store: &dyn JobStore) {
    let ids = add_many(store, 3).await;
    let (_, held) = read(store, 0, 3, 0).await;
    let back = held.iter().map(|one| end(&one.claim, Ending::HandedBack)).collect();
    for answer in store.finish_all(back, 1).await {
        assert!(answer.unwrap().held);
    }
    let (starts, held) = read(store, 3, 0, 2).await;
    assert!(held.is_empty());
    let again: Vec<_> = starts.iter().map(|claim| claim.job.id.clone()).collect();
    assert_eq!(again, ids);
    assert!(starts.iter().all(|claim| claim.job.attempts == 1 && claim.stalls == 0));
    // They start as if they had never been held.
    assert!(store.rescue(i64::MAX, 9, 3).await.unwrap().iter().all(|one| one.ran));
}

pub async fn a_queue_with_limits_is_not_read_ahead(store: &dyn JobStore) {
    add_many(store, 5).await;
    let limits = Limits {
        concurrency: Some(4),
        ..Limits::default()
    };
    store.set_limits("q", limits).await.unwrap();
    let (starts, held) = read(store, 2, 3, 1).await;
    assert_eq!((starts.len(), held.len()), (2, 0));
    store.set_paused("q", true).await.unwrap();
    let (starts, held) = read(store, 2, 3, 2).await;
    assert_eq!((starts.len(), held.len()), (0, 0));
}
