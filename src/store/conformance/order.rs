use std::collections::{BTreeMap, HashSet, VecDeque};

use futures_util::future::join_all;
use serde_json::json;

use super::{add_one, claim_one, end, request};
use crate::store::{Claim, Ending, JobFailure, JobOptions, JobStore, NewJob, Priority};

fn of_key(n: usize, priority: u8, key: &str, name: &str) -> NewJob {
    let options = JobOptions {
        priority: Priority::try_from(priority).unwrap(),
        fair_key: (!key.is_empty()).then(|| key.to_owned()),
        ..JobOptions::default()
    };
    NewJob {
        name: name.into(),
        data: json!(n).into(),
        options,
        reference: None,
    }
}

fn number(claim: &Claim) -> usize {
    usize::try_from(claim.job.data.value().as_u64().unwrap()).unwrap()
}

async fn take(store: &dyn JobStore, limit: usize) -> Vec<usize> {
    store
        .claim(request(limit, 0))
        .await
        .unwrap()
        .claims
        .iter()
        .map(number)
        .collect()
}

/// Compared with the rule as it is written, for seeded mixtures of priorities, keys and names.
pub async fn claims_follow_priority_turns_and_order_of_adding(store: &dyn JobStore) {
    for seed in 0..24 {
        let queue = format!("q{seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let mixture: Vec<(u8, usize, usize)> = (0..random.usize(1..40))
            .map(|_| (random.u8(0..4), random.usize(0..4), random.usize(0..2)))
            .collect();
        let limit = random.usize(1..7);
        let new = mixture
            .iter()
            .enumerate()
            .map(|(n, (priority, key, name))| of_key(n, *priority, ["", "k1", "k2", "k3"][*key], ["a", "b"][*name]));
        store.add(&queue, new.collect(), 0).await.unwrap();
        let mut all = Vec::new();
        loop {
            let mut ask = request(limit, 0);
            ask.queue.clone_from(&queue);
            ask.names.push("b".into());
            let claimed = store.claim(ask).await.unwrap();
            if claimed.claims.is_empty() {
                assert!(!claimed.unfinished);
                break;
            }
            assert!(claimed.claims.len() <= limit);
            all.extend(claimed.claims.iter().map(number));
        }
        assert_eq!(all, in_order(&mixture), "seed {seed}, limit {limit}: {mixture:?}");
    }
}

fn in_order(jobs: &[(u8, usize, usize)]) -> Vec<usize> {
    let mut order = Vec::new();
    for priority in 0..4 {
        let mut keys: BTreeMap<usize, VecDeque<usize>> = BTreeMap::new();
        for (n, job) in jobs.iter().enumerate().filter(|(_, job)| job.0 == priority) {
            keys.entry(job.1).or_default().push_back(n);
        }
        while keys.values().any(|waiting| !waiting.is_empty()) {
            order.extend(keys.values_mut().filter_map(VecDeque::pop_front));
        }
    }
    order
}

pub async fn turns_go_on_from_claim_to_claim(store: &dyn JobStore) {
    let many = (0..4).map(|n| of_key(n, 2, "busy", "a")).collect();
    store.add("q", many, 0).await.unwrap();
    assert_eq!(take(store, 1).await, [0]);
    store
        .add("q", vec![of_key(10, 2, "calm", "a"), of_key(11, 2, "aunt", "a")], 0)
        .await
        .unwrap();
    assert_eq!(take(store, 1).await, [10], "the key after the one that was served last");
    assert_eq!(take(store, 2).await, [11, 1]);
    store.add("q", vec![of_key(20, 0, "busy", "a")], 0).await.unwrap();
    assert_eq!(take(store, 9).await, [20, 2, 3]);
}

pub async fn order_does_not_depend_on_the_clock(store: &dyn JobStore) {
    for (n, now) in [500, 100, 300, 100].into_iter().enumerate() {
        store.add("q", vec![of_key(n, 2, "", "a")], now).await.unwrap();
    }
    assert_eq!(take(store, 9).await, [0, 1, 2, 3]);
}

pub async fn a_claim_takes_only_its_names_and_its_queue(store: &dyn JobStore) {
    store
        .add("q", vec![of_key(0, 0, "", "b"), of_key(1, 3, "", "a")], 0)
        .await
        .unwrap();
    store.add("elsewhere", vec![of_key(2, 0, "", "a")], 0).await.unwrap();
    assert_eq!(take(store, 9).await, [1]);
}

pub async fn claims_at_once_take_no_job_twice(store: &dyn JobStore) {
    for keys in [1, 5] {
        let new = (0..200).map(|n| of_key(n, 2, &format!("k{}", n % keys), "a"));
        store.add("q", new.collect(), 0).await.unwrap();
        let mut taken = Vec::new();
        // A claim may find all locked by others; what is left is there for the next.
        while taken.len() < 200 {
            let claims = join_all((0..8).map(|_| take(store, 7))).await;
            let before = taken.len();
            taken.extend(claims.into_iter().flatten());
            assert!(taken.len() > before, "{} of 200", taken.len());
        }
        assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 200);
        assert_eq!(taken.len(), 200);
    }
}

pub async fn a_retried_job_is_first_in_its_key_again(store: &dyn JobStore) {
    for _ in 0..2 {
        add_one(store, JobOptions::default()).await;
    }
    let first = claim_one(store, 0).await;
    let failure = JobFailure {
        code: "X".into(),
        message: "no".into(),
    };
    store
        .finish(
            end(
                &first,
                Ending::Retry {
                    failure,
                    run_at: 5,
                    free: false,
                },
            ),
            1,
        )
        .await
        .unwrap();
    store.promote(5).await.unwrap();
    let again = claim_one(store, 6).await;
    assert_eq!((again.job.id, again.job.attempts), (first.job.id, 2));
}
