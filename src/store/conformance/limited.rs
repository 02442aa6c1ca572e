use futures_util::future::join_all;

use super::{claim_one, completed, end, job, request};
use crate::store::{Claim, JobOptions, JobStore, Limit, Limits, Rate};

async fn add(store: &dyn JobStore, keys: &[&str]) {
    let new = keys.iter().map(|key| {
        job(
            "a",
            JobOptions {
                fair_key: (!key.is_empty()).then(|| (*key).to_owned()),
                ..JobOptions::default()
            },
        )
    });
    store.add("q", new.collect(), 0).await.unwrap();
}

async fn claim(store: &dyn JobStore, limit: usize, now: i64) -> Vec<Claim> {
    store.claim(request(limit, now)).await.unwrap().claims
}

fn keys(claims: &[Claim]) -> Vec<&str> {
    claims
        .iter()
        .map(|claim| claim.job.options.fair_key.as_deref().unwrap_or(""))
        .collect()
}

pub async fn a_queue_runs_no_more_jobs_than_it_may(store: &dyn JobStore) {
    add(store, &["", "x", "y", "x", ""]).await;
    let limits = Limits {
        concurrency: Some(2),
        ..Limits::default()
    };
    store.set_limits("q", limits).await.unwrap();
    assert_eq!(store.limits("q").await.unwrap(), limits);
    assert_eq!(store.limits("other").await.unwrap(), Limits::default());
    let claims = claim(store, 9, 0).await;
    assert_eq!(keys(&claims), ["", "x"]);
    let held = store.claim(request(9, 0)).await.unwrap();
    assert!(held.claims.is_empty() && held.unfinished);
    assert_eq!(held.next_at, None);
    let finished = store.finish(end(&claims[0], completed()), 1).await.unwrap();
    assert!(finished.held && finished.makes_room);
    assert_eq!(keys(&claim(store, 9, 1).await), ["y"], "the turns go on");
    store.cancel("q", &claims[1].job.id, 2).await.unwrap().unwrap();
    assert_eq!(claim(store, 9, 2).await.len(), 1, "a cancelled job leaves its place");
    assert_eq!(store.rescue(i64::MAX, 3, 3).await.unwrap().len(), 2);
    assert_eq!(claim(store, 9, 3).await.len(), 2, "a rescued one too");
    store.set_limits("q", Limits::default()).await.unwrap();
    assert_eq!(claim(store, 9, 4).await.len(), 1);
    assert!(!store.claim(request(9, 4)).await.unwrap().unfinished);
}

pub async fn a_full_key_lets_others_pass(store: &dyn JobStore) {
    add(store, &["x", "x", "x", "y", "", ""]).await;
    let limits = Limits {
        per_key: Limit {
            concurrency: Some(1),
            rate: None,
        },
        ..Limits::default()
    };
    store.set_limits("q", limits).await.unwrap();
    let first = claim(store, 9, 0).await;
    assert_eq!(keys(&first), ["", "x", "y", ""], "jobs without a key are not held back");
    assert!(store.claim(request(9, 0)).await.unwrap().unfinished);
    store.finish(end(&first[1], completed()), 1).await.unwrap();
    assert_eq!(keys(&claim(store, 9, 1).await), ["x"]);
}

pub async fn a_rate_holds_back_until_its_window_ends(store: &dyn JobStore) {
    add(store, &["x", "x", "x", "y", "y", "y"]).await;
    let rate = |count, per| Some(Rate { count, per });
    let limits = Limits {
        rate: rate(4, 1_000),
        per_key: Limit {
            concurrency: None,
            rate: rate(1, 100),
        },
        ..Limits::default()
    };
    store.set_limits("q", limits).await.unwrap();
    assert_eq!(keys(&claim(store, 9, 5_000).await), ["x", "y"]);
    let held = store.claim(request(9, 5_099)).await.unwrap();
    assert_eq!(
        (held.claims.len(), held.unfinished, held.next_at),
        (0, true, Some(5_100))
    );
    assert_eq!(keys(&claim(store, 9, 5_100).await), ["x", "y"]);
    let held = store.claim(request(9, 5_300)).await.unwrap();
    assert_eq!(
        (held.claims.len(), held.next_at),
        (0, Some(6_000)),
        "the queue's own rate"
    );
    let rest = claim(store, 9, 6_000).await;
    assert_eq!(keys(&rest), ["x", "y"]);
    store
        .prune("q", crate::store::Retention::default(), 9_000)
        .await
        .unwrap();
    for claim in rest {
        assert!(store.finish(end(&claim, completed()), 6_001).await.unwrap().held);
    }
}

/// Several workers, which know nothing of one another, over seeded mixtures.
pub async fn claims_at_once_stay_within_the_limits(store: &dyn JobStore) {
    let limits = Limits {
        concurrency: Some(5),
        rate: None,
        per_key: Limit {
            concurrency: Some(2),
            rate: None,
        },
    };
    store.set_limits("q", limits).await.unwrap();
    let names: Vec<String> = (0..60).map(|n| format!("k{}", n % 4)).collect();
    add(store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut running: Vec<Claim> = Vec::new();
    let mut done = 0;
    let mut random = fastrand::Rng::with_seed(7);
    while done < 60 {
        let claims = join_all((0..6).map(|_| claim(store, 3, 0))).await;
        running.extend(claims.into_iter().flatten());
        assert!(running.len() <= 5, "{}", running.len());
        for key in 0..4 {
            let of_key = format!("k{key}");
            let count = keys(&running).iter().filter(|running| **running == of_key).count();
            assert!(count <= 2, "{count} of {of_key}");
        }
        assert!(!running.is_empty());
        for _ in 0..random.usize(1..=running.len()) {
            let ended = running.swap_remove(random.usize(0..running.len()));
            store.finish(end(&ended, completed()), 1).await.unwrap();
            done += 1;
        }
    }
    add(store, &["x"]).await;
    claim_one(store, 0).await;
}
