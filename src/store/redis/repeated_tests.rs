//! What happens where the server did something and its answer got lost.

use std::sync::Arc;

use super::finish;
use super::insert::{self, Add};
use super::redis_store::RedisStore;
use super::test_server;
use crate::store::dependencies::begin_all;
use crate::store::server::{Ended, Notifier};
use crate::store::{ClaimRequest, Ending, Finish, Finished, JobData, JobOptions, JobStore, Lease, NewJob};

fn new_job(unique_key: Option<&str>) -> NewJob {
    NewJob {
        name: "a".into(),
        data: JobData::default(),
        options: JobOptions {
            unique_key: unique_key.map(Into::into),
            ..JobOptions::default()
        },
        reference: None,
    }
}

fn add(keys: &[Option<&str>]) -> Add {
    let new = keys.iter().map(|key| new_job(*key)).collect();
    Add::new("q", begin_all("q", new, 0).unwrap()).unwrap()
}

#[tokio::test]
async fn an_add_that_comes_again_adds_nothing_twice() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = RedisStore::open(&url).await.unwrap();
    let adds = [add(&[None, None]), add(&[Some("k"), None]), add(&[None])];
    for repeated in [false, true, true] {
        let answers = insert::attempt(&store.links, &adds, repeated).await.unwrap();
        assert_eq!(answers.iter().filter(|answer| answer.is_some()).count(), 1);
        assert_eq!(store.counts("q").await.unwrap().pending, 5, "{repeated}");
    }
    let more = [add(&[None]), add(&[None])];
    insert::attempt(&store.links, &more[..1], false).await.unwrap();
    // What was not stored is stored by the repetition.
    insert::attempt(&store.links, &more, true).await.unwrap();
    assert_eq!(store.counts("q").await.unwrap().pending, 7);
    store.close().await;
}

#[tokio::test]
async fn an_end_that_comes_again_was_held() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = RedisStore::open(&url).await.unwrap();
    let new = (0..5).map(|_| new_job(None)).collect();
    store.add("q", new, 0).await.unwrap();
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 4,
        now: 0,
        lease_until: 100,
    };
    let claims = store.claim(request).await.unwrap().claims;
    let end = |n: usize, fence: i64, remove| {
        let lease = Lease {
            id: claims[n].job.id.clone(),
            fence,
        };
        let ending = Ending::Completed {
            result: serde_json::json!(1),
        };
        Ended::new(Finish { lease, ending, remove }, 1).unwrap()
    };
    let fence = claims[0].fence;
    let ends = [
        end(0, fence, true),
        end(1, fence, false),
        end(2, fence + 1, true),
        end(3, fence + 1, false),
    ];
    let notifier = Arc::new(Notifier::default());
    for repeated in [false, true] {
        let answers = finish::attempt(&store.links, &notifier, &ends, repeated).await.unwrap();
        let held: Vec<bool> = answers.iter().map(|answer: &Finished| answer.held).collect();
        assert_eq!(held, [true, true, false, false], "{repeated}");
    }
    let counts = store.counts("q").await.unwrap();
    assert_eq!((counts.pending, counts.running, counts.completed), (1, 2, 1));
    store.close().await;
}

/// A job that is there again after its server lost what it did last is not told as ended.
#[tokio::test]
async fn an_end_of_a_job_that_waits_again_is_not_told_as_stored() {
    let Some(url) = test_server::database().await else {
        return;
    };
    let store = RedisStore::open(&url).await.unwrap();
    let job = store.add("q", vec![new_job(None)], 0).await.unwrap().jobs.remove(0);
    let finish = Finish {
        lease: Lease { id: job.id, fence: 7 },
        ending: Ending::Completed {
            result: serde_json::json!(1),
        },
        remove: true,
    };
    let ends = [Ended::new(finish, 1).unwrap()];
    let notifier = Arc::new(Notifier::default());
    let answers = finish::attempt(&store.links, &notifier, &ends, true).await.unwrap();
    assert_eq!(answers, [Finished::default()]);
    store.close().await;
}
