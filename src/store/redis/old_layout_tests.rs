use super::tests::direct;
use super::{RedisStore, test_server};
use crate::error::Code;
use crate::store::{ClaimRequest, Ending, Finish, JobStatus, JobStore, Lease, StoreUrl};

const KEY: &str = "{auton8n}:";

/// A job as format 1 laid it out.
async fn old_job(url: &StoreUrl, seq: u32, status: u8, more: &str, options: &str) -> String {
    let id = format!("0190-{seq}");
    let fields = format!("queue q name a priority 2 fairKey k status {status} seq {seq} createdAt 5 runAt {seq}");
    direct(url, &format!("HSET {KEY}job:{id} {fields}{more}")).await;
    let body = format!(r#"{{"name":"a","data":{{"n":{seq}.50}},"options":{{"fairKey":"k","retries":7{options}}}}}"#);
    direct(url, &format!("SET {KEY}body:{id} {body}")).await;
    direct(url, &format!("ZADD {KEY}status:{status}:q {seq} {id}")).await;
    match status {
        0 => {
            direct(url, &format!("ZADD {KEY}ready:1:q1:a2k {seq} {id}")).await;
            direct(url, &format!("ZADD {KEY}keys:1:q1:a2 0 k")).await;
        }
        2 => drop(direct(url, &format!("ZADD {KEY}leases 500 {id}")).await),
        1 => drop(direct(url, &format!("ZADD {KEY}due {seq} {id}")).await),
        _ => {}
    }
    id
}

async fn old_store() -> Option<(StoreUrl, [String; 5])> {
    let url = test_server::database().await?;
    direct(&url, &format!("SET {KEY}format 1")).await;
    direct(&url, &format!("SET {KEY}seq 9")).await;
    let keyed = r#","uniqueKey":"u""#;
    let ids = [
        old_job(&url, 1, 0, " uniqueKey u", keyed).await,
        old_job(&url, 2, 0, " attempts 1 fence 7 errorCode X errorMessage no", "").await,
        old_job(&url, 3, 1, "", "").await,
        old_job(&url, 4, 2, " attempts 1 fence 9 startedAt 6", "").await,
        old_job(&url, 5, 5, " attempts 8 finishedAt 8 errorCode Y errorMessage so", "").await,
    ];
    direct(&url, &format!("HSET {KEY}unique:q u {}", ids[0])).await;
    Some((url, ids))
}

#[tokio::test]
async fn jobs_of_the_former_layout_are_served() {
    let Some((url, ids)) = old_store().await else { return };
    let store = RedisStore::open(&url).await.unwrap();
    let counts = store.counts("q").await.unwrap();
    assert_eq!(
        (counts.pending, counts.scheduled, counts.running, counts.failed),
        (2, 1, 1, 1)
    );
    assert_eq!(counts.oldest_waiting, Some(5));
    for (place, id) in ids.iter().enumerate() {
        let job = store.get("q", id).await.unwrap().unwrap();
        assert_eq!(job.data.text(), format!(r#"{{"n":{}.50}}"#, place + 1));
        assert_eq!((job.created_at, job.run_at), (5, place as i64 + 1));
        assert_eq!((job.options.retries, job.options.fair_key.as_deref()), (7, Some("k")));
    }
    let held = Lease {
        id: ids[3].clone(),
        fence: 9,
    };
    let finish = Finish {
        lease: held,
        ending: Ending::Completed {
            result: serde_json::json!(1),
        },
        remove: false,
    };
    assert!(store.finish(finish, 10).await.unwrap().held);
    store.promote(10).await.unwrap();
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 9,
        now: 20,
        lease_until: 100,
    };
    let claims = store.claim(request).await.unwrap().claims;
    let claimed: Vec<_> = claims.iter().map(|claim| (&claim.job.id, claim.job.attempts)).collect();
    assert_eq!(claimed, [(&ids[0], 1), (&ids[1], 2), (&ids[2], 1)]);
    let failed = store.retry("q", &ids[4], 30).await.unwrap();
    assert_eq!(failed.status, JobStatus::Pending);
    store.close().await;
    let left = direct(&url, &format!("KEYS {KEY}body:*")).await;
    assert_eq!(left, redis::Value::Array(Vec::new()));
    RedisStore::open(&url).await.unwrap().close().await;
}

#[tokio::test]
async fn a_damaged_job_of_the_former_layout_is_told_and_left_alone() {
    let Some((url, ids)) = old_store().await else { return };
    direct(&url, &format!("SET {KEY}body:{} {{", ids[0])).await;
    let error = RedisStore::open(&url).await.err().unwrap();
    assert_eq!(error.code(), Code::StoreCorrupt, "{error:?}");
    assert_ne!(
        direct(&url, &format!("GET {KEY}body:{}", ids[0])).await,
        redis::Value::Nil
    );
}
