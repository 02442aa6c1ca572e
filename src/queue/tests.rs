use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock, ManualClock, SharedClock, SystemClock};
use crate::error::{Code, Error};
use crate::event::{Event, EventKind, EventSink};
use crate::store::SqliteStore;

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().push(event);
    }
}

impl Heard {
    fn words(&self) -> Vec<String> {
        let word = |event: &Event| {
            serde_json::to_value(&event.kind).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        self.0.lock().iter().map(word).collect()
    }
}

struct Runs<F>(F);

#[async_trait]
impl<F, R> Handler for Runs<F>
where
    F: Fn(Attempt) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, AttemptError>> + Send + 'static,
{
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        (self.0)(attempt).await
    }
}

fn handler<F, R>(run: F) -> Arc<dyn Handler>
where
    F: Fn(Attempt) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, AttemptError>> + Send + 'static,
{
    Arc::new(Runs(run))
}

async fn open_with(clock: SharedClock, options: HubOptions) -> (Queue, Arc<Heard>, Hub) {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let hub = Hub::open(store, clock, options, true).await.unwrap();
    let heard = Arc::new(Heard::default());
    let queue = Queue::open(&hub, "q", heard.clone()).await.unwrap();
    (queue, heard, hub)
}

async fn open() -> (Queue, Arc<Heard>, Hub) {
    open_with(SystemClock::shared(), HubOptions::default()).await
}

async fn add(queue: &Queue, data: Value, options: JobOptions) -> Job {
    queue
        .add(vec![NewJob {
            name: "a".into(),
            data: data.into(),
            options,
            reference: None,
        }])
        .await
        .unwrap()
        .pop()
        .unwrap()
}

async fn until<F, R>(what: &str, check: F)
where
    F: Fn() -> R,
    R: Future<Output = bool>,
{
    for _ in 0..12_000 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain for {what}");
}

async fn status(queue: &Queue, id: &str) -> JobStatus {
    queue.get(id).await.unwrap().unwrap().status
}

async fn until_status(queue: &Queue, id: &str, wanted: JobStatus) -> Job {
    until(&format!("{wanted:?}"), || async { status(queue, id).await == wanted }).await;
    queue.get(id).await.unwrap().unwrap()
}

fn soon() -> JobOptions {
    JobOptions {
        retry_delay: 1,
        jitter: 0.0,
        ..JobOptions::default()
    }
}

#[tokio::test]
async fn a_job_runs_and_tells_its_life_in_order() {
    let (queue, heard, _hub) = open().await;
    let echo = handler(|attempt| async move {
        attempt.reporter.progress(50.0, Some("half"), Some(2));
        attempt.reporter.log("working");
        attempt.reporter.checkpoint(json!("here"));
        Ok(json!({ "got": attempt.job.data.value() }))
    });
    queue.register("a", echo).unwrap();
    let worker = queue.start_worker(WorkerOptions::default()).unwrap();
    let added = add(&queue, json!(7), JobOptions::default()).await;
    let done = until_status(&queue, &added.id, JobStatus::Completed).await;
    assert_eq!(done.result, Some(json!({ "got": 7 })));
    assert_eq!((done.attempts, done.progress, done.iteration), (1, 100.0, 2));
    assert_eq!((done.log, done.checkpoint), (vec!["working".to_owned()], json!("here")));
    until("the last event", || async { heard.words().len() == 5 }).await;
    assert_eq!(heard.words(), ["added", "started", "progress", "log", "completed"]);
    worker.stop(Duration::from_secs(1)).await;
    assert_eq!(queue.metrics().await.unwrap().counts.completed, 1);
}

#[tokio::test]
async fn three_retries_are_four_runs_and_the_last_error_stays() {
    let (queue, heard, _hub) = open().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counter = runs.clone();
    let fails = handler(move |_| {
        let run = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            Err(AttemptError::Retry(Error::new(
                Code::HandlerFailed,
                format!("run {run}"),
            )))
        }
    });
    queue.register("a", fails).unwrap();
    queue.start_worker(WorkerOptions::default()).unwrap();
    let added = add(&queue, Value::Null, soon()).await;
    let failed = until_status(&queue, &added.id, JobStatus::Failed).await;
    assert_eq!((runs.load(Ordering::SeqCst), failed.attempts), (4, 4));
    assert_eq!(failed.error.unwrap().message, "run 4");
    until("failed", || async {
        heard.words().last().is_some_and(|word| word == "failed")
    })
    .await;
    assert_eq!(heard.words().iter().filter(|word| *word == "retrying").count(), 3);
    queue.retry(&added.id).await.unwrap();
    until("a fresh run", || async { runs.load(Ordering::SeqCst) > 4 }).await;
}

#[tokio::test]
async fn a_panic_and_a_timeout_are_failed_attempts() {
    let (queue, _heard, _hub) = open().await;
    queue
        .register(
            "a",
            handler(|attempt| async move {
                assert!(attempt.job.data == JobData::default(), "it broke");
                attempt.token.cancelled().await;
                Ok(Value::Null)
            }),
        )
        .unwrap();
    queue.start_worker(WorkerOptions { concurrency: 2 }).unwrap();
    let options = || JobOptions {
        retries: 0,
        timeout: Some(20),
        ..JobOptions::default()
    };
    let panics = add(&queue, json!(1), options()).await;
    let hangs = add(&queue, Value::Null, options()).await;
    let error = until_status(&queue, &panics.id, JobStatus::Failed).await.error.unwrap();
    assert_eq!(error.code, "AUTON8N_HANDLER_FAILED");
    assert!(error.message.contains("it broke"), "{}", error.message);
    let error = until_status(&queue, &hangs.id, JobStatus::Failed).await.error.unwrap();
    assert_eq!(error.code, "AUTON8N_TIMEOUT");
}

#[tokio::test]
async fn cancel_reaches_waiting_and_running_jobs() {
    let (queue, heard, _hub) = open().await;
    let waiting = add(&queue, Value::Null, JobOptions::default()).await;
    assert!(queue.cancel(&waiting.id).await.unwrap());
    assert!(!queue.cancel(&waiting.id).await.unwrap());
    assert!(!queue.cancel("unknown").await.unwrap());
    let aborted = Arc::new(AtomicU32::new(0));
    let seen = aborted.clone();
    queue
        .register(
            "a",
            handler(move |attempt| {
                let seen = seen.clone();
                async move {
                    attempt.token.cancelled().await;
                    seen.fetch_add(1, Ordering::SeqCst);
                    Ok(json!("too late"))
                }
            }),
        )
        .unwrap();
    queue.start_worker(WorkerOptions::default()).unwrap();
    let running = add(&queue, Value::Null, JobOptions::default()).await;
    until_status(&queue, &running.id, JobStatus::Running).await;
    until("started", || async { heard.words().contains(&"started".to_owned()) }).await;
    assert!(queue.cancel(&running.id).await.unwrap());
    until("the abort", || async { aborted.load(Ordering::SeqCst) == 1 }).await;
    let job = queue.get(&running.id).await.unwrap().unwrap();
    assert_eq!((job.status, job.result), (JobStatus::Cancelled, None));
    let next = add(&queue, Value::Null, JobOptions::default()).await;
    until_status(&queue, &next.id, JobStatus::Running).await;
}

#[tokio::test]
async fn a_stop_waits_until_its_deadline_and_then_hands_back() {
    let (queue, _heard, _hub) = open().await;
    let stopping = Arc::new(tokio::sync::Notify::new());
    let seen = stopping.clone();
    queue
        .register(
            "a",
            handler(move |attempt| {
                let seen = seen.clone();
                async move {
                    if attempt.job.data.value() == json!("quick") {
                        seen.notified().await;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        return Ok(json!("whole"));
                    }
                    attempt.token.cancelled().await;
                    Err(AttemptError::Retry(Error::new(Code::Cancelled, "cut")))
                }
            }),
        )
        .unwrap();
    let worker = queue.start_worker(WorkerOptions { concurrency: 2 }).unwrap();
    let quick = add(&queue, json!("quick"), JobOptions::default()).await;
    let slow = add(
        &queue,
        json!("slow"),
        JobOptions {
            retries: 0,
            ..JobOptions::default()
        },
    )
    .await;
    until_status(&queue, &quick.id, JobStatus::Running).await;
    until_status(&queue, &slow.id, JobStatus::Running).await;
    stopping.notify_one();
    worker.stop(Duration::from_secs(1)).await;
    worker.stopped().await;
    assert_eq!(status(&queue, &quick.id).await, JobStatus::Completed);
    let slow = queue.get(&slow.id).await.unwrap().unwrap();
    assert_eq!((slow.status, slow.attempts), (JobStatus::Pending, 0));
}

#[tokio::test]
async fn pause_survives_and_resume_wakes() {
    let (queue, _heard, hub) = open().await;
    queue.register("a", handler(|_| async { Ok(Value::Null) })).unwrap();
    queue.start_worker(WorkerOptions::default()).unwrap();
    queue.pause().await.unwrap();
    let added = add(&queue, Value::Null, JobOptions::default()).await;
    assert!(hub.store().is_paused("q").await.unwrap());
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(status(&queue, &added.id).await, JobStatus::Pending);
    queue.resume().await.unwrap();
    until_status(&queue, &added.id, JobStatus::Completed).await;
}

#[tokio::test]
async fn delayed_and_waiting_jobs_run_by_themselves() {
    let (queue, _heard, _hub) = open().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counter = runs.clone();
    queue
        .register(
            "a",
            handler(move |_| {
                let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
                async move {
                    let error = || Error::new(Code::ModelNeeded, "give a model");
                    if first {
                        Err(AttemptError::Wait(error(), 3_600_000))
                    } else {
                        Ok(Value::Null)
                    }
                }
            }),
        )
        .unwrap();
    queue.start_worker(WorkerOptions::default()).unwrap();
    let added = add(
        &queue,
        Value::Null,
        JobOptions {
            delay: Some(60),
            ..JobOptions::default()
        },
    )
    .await;
    assert_eq!(added.status, JobStatus::Scheduled);
    let waits = until_status(&queue, &added.id, JobStatus::Retrying).await;
    assert!(waits.started_at.unwrap() >= added.run_at);
    assert_eq!(
        (waits.attempts, waits.error.unwrap().code.as_str()),
        (0, "AUTON8N_MODEL_NEEDED")
    );
    queue.retry(&added.id).await.unwrap();
    until_status(&queue, &added.id, JobStatus::Completed).await;
}

#[tokio::test]
async fn a_lost_lease_stops_the_attempt_and_the_job_runs_again() {
    let clock = ManualClock::at(1_000);
    let options = HubOptions {
        lease: 3_600_000,
        ..HubOptions::default()
    };
    let (queue, heard, hub) = open_with(clock.clone(), options).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counter = runs.clone();
    queue
        .register(
            "a",
            handler(move |attempt| {
                let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
                async move {
                    if first {
                        attempt.token.cancelled().await;
                    }
                    Ok(json!(first))
                }
            }),
        )
        .unwrap();
    queue.start_worker(WorkerOptions::default()).unwrap();
    let added = add(&queue, Value::Null, JobOptions::default()).await;
    until("a run", || async { runs.load(Ordering::SeqCst) == 1 }).await;
    clock.advance(1_000_000);
    heartbeat::renew(hub.shared()).await.unwrap();
    heartbeat::rescue(hub.shared()).await.unwrap();
    clock.advance(3_000_000);
    heartbeat::renew(hub.shared()).await.unwrap();
    heartbeat::rescue(hub.shared()).await.unwrap();
    assert_eq!(status(&queue, &added.id).await, JobStatus::Running);
    // Another worker takes it, as it would after this one slept past its lease.
    hub.store().rescue(i64::MAX, 0, 3).await.unwrap();
    heartbeat::renew(hub.shared()).await.unwrap();
    heartbeat::rescue(hub.shared()).await.unwrap();
    let done = until_status(&queue, &added.id, JobStatus::Completed).await;
    assert_eq!(done.result, Some(json!(false)));
    assert!(!heard.words().contains(&"failed".to_owned()));
}

#[tokio::test]
async fn a_shorter_lease_holds_at_once_and_a_longer_one_changes_nothing() {
    let options = HubOptions {
        lease: 3_600_000,
        ..HubOptions::default()
    };
    let (queue, _heard, hub) = open_with(ManualClock::at(1_000), options).await;
    let waits = handler(|attempt| async move {
        attempt.token.cancelled().await;
        Ok(Value::Null)
    });
    queue.register("a", waits).unwrap();
    queue.start_worker(WorkerOptions::default()).unwrap();
    let added = add(&queue, Value::Null, JobOptions::default()).await;
    until_status(&queue, &added.id, JobStatus::Running).await;
    let ends_by = async |time| !hub.store().rescue(time, 1_000, 3).await.unwrap().is_empty();
    hub.lease_at_most(7_200_000);
    assert!(!ends_by(3_600_000).await);
    hub.lease_at_most(60_000);
    until("a shorter lease", || async { ends_by(61_001).await }).await;
}

#[tokio::test]
async fn every_job_of_many_runs_once_whatever_the_concurrency() {
    let (queue, heard, _hub) = open().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = seen.clone();
    queue
        .register(
            "a",
            handler(move |attempt| {
                list.lock().push(attempt.job.data.value().as_u64().unwrap());
                async { Ok(Value::Null) }
            }),
        )
        .unwrap();
    let jobs = (0..500).map(|n| NewJob {
        name: "a".into(),
        data: json!(n).into(),
        options: JobOptions::default(),
        reference: None,
    });
    queue.add(jobs.collect()).await.unwrap();
    let one = queue.start_worker(WorkerOptions { concurrency: 7 }).unwrap();
    let two = queue.start_worker(WorkerOptions { concurrency: 3 }).unwrap();
    until("all", || async {
        queue.metrics().await.unwrap().counts.completed == 500
    })
    .await;
    let mut seen = seen.lock().clone();
    seen.sort_unstable();
    assert_eq!(seen, (0..500).collect::<Vec<_>>());
    until("all told", || async {
        heard.words().iter().filter(|w| *w == "completed").count() == 500
    })
    .await;
    for worker in [one, two] {
        let mut activity = worker.activity();
        tokio::time::timeout(Duration::from_mins(1), activity.wait_for(|active| !active))
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_worker_leaves_jobs_that_it_has_no_handler_for() {
    let (queue, _heard, _hub) = open().await;
    queue.register("other", handler(|_| async { Ok(Value::Null) })).unwrap();
    let worker = queue.start_worker(WorkerOptions::default()).unwrap();
    let added = add(&queue, Value::Null, JobOptions::default()).await;
    worker.activity().wait_for(|active| !active).await.unwrap();
    assert_eq!(status(&queue, &added.id).await, JobStatus::Pending);
    queue.register("a", handler(|_| async { Ok(Value::Null) })).unwrap();
    until_status(&queue, &added.id, JobStatus::Completed).await;
}

#[tokio::test]
async fn a_closed_queue_says_so() {
    let (queue, _heard, hub) = open().await;
    queue.shutdown(Duration::from_secs(1)).await;
    hub.close().await;
    let error = queue.metrics().await.unwrap_err();
    assert_eq!(error.code(), Code::Closed);
    assert_eq!(
        queue.start_worker(WorkerOptions::default()).err().unwrap().code(),
        Code::Closed
    );
}

/// A wall clock that can be set, beside a monotonic one that cannot.
struct SetClock {
    steady: SharedClock,
    set: std::sync::atomic::AtomicI64,
}

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.steady.now_ms() + self.set.load(Ordering::SeqCst)
    }

    fn monotonic_ms(&self) -> u64 {
        self.steady.monotonic_ms()
    }
}

#[tokio::test]
async fn a_clock_that_is_set_moves_no_delay() {
    const HOUR: i64 = 3_600_000;
    for step in [-HOUR, HOUR] {
        let clock = Arc::new(SetClock {
            steady: SystemClock::shared(),
            set: 0.into(),
        });
        let (queue, _, hub) = open_with(clock.clone(), HubOptions::default()).await;
        queue.register("a", handler(|_| async { Ok(Value::Null) })).unwrap();
        queue.start_worker(WorkerOptions::default()).unwrap();
        let started = std::time::Instant::now();
        let delayed = JobOptions {
            delay: Some(2_000),
            ..JobOptions::default()
        };
        let timed = JobOptions {
            run_at: Some(clock.now_ms() + HOUR / 2),
            ..JobOptions::default()
        };
        let (delayed, timed) = (
            add(&queue, Value::Null, delayed).await,
            add(&queue, Value::Null, timed).await,
        );
        clock.set.store(step, Ordering::SeqCst);
        until_status(&queue, &delayed.id, JobStatus::Completed).await;
        let waited = started.elapsed().as_millis();
        assert!(
            (1_900..20_000).contains(&waited),
            "set by {step} ms it ran after {waited} ms"
        );
        let wanted = if step > 0 {
            JobStatus::Completed
        } else {
            JobStatus::Scheduled
        };
        assert_eq!(
            status(&queue, &timed.id).await,
            wanted,
            "what waits for a time of day heeds the clock"
        );
        hub.close().await;
    }
}

/// Adds plain jobs; `None` where they come back.
async fn add_plain(queue: &Queue, text: Value) -> Option<Result<Vec<String>, Code>> {
    let (told, answer) = tokio::sync::oneshot::channel();
    let jobs = PlainJobs::read(text.to_string()).unwrap();
    let sent = queue.add_plain(jobs, move |answer| drop(told.send(answer)));
    sent.ok()?;
    let answer = answer.await.unwrap().map_err(|error| error.code());
    Some(answer.map(|added| added.ids.iter().map(ToString::to_string).collect()))
}

#[tokio::test]
async fn plain_jobs_are_told_and_run_and_come_back_where_one_is_to_be_refused() {
    let (queue, heard, hub) = open().await;
    queue
        .register("a", handler(|attempt| async move { Ok(attempt.job.data.value()) }))
        .unwrap();
    let worker = queue.start_worker(WorkerOptions::default()).unwrap();
    let ids = add_plain(&queue, json!(["a", 1, "a", 2])).await.unwrap().unwrap();
    for (id, n) in ids.iter().zip([1, 2]) {
        assert_eq!(
            until_status(&queue, id, JobStatus::Completed).await.result,
            Some(json!(n))
        );
    }
    let is_added = |event: &&Event| event.kind == EventKind::Added;
    let told: Vec<_> = heard
        .0
        .lock()
        .iter()
        .filter(is_added)
        .map(|event| event.job_id.clone())
        .collect();
    assert_eq!(told, ids);
    let mut deep = json!(1);
    for _ in 0..101 {
        deep = json!([deep]);
    }
    for wrong in [json!(["a", 1, "", 2]), json!(["a", deep]), json!(["a\n", 1])] {
        assert!(add_plain(&queue, wrong).await.is_none());
    }
    assert_eq!(add_plain(&queue, json!([])).await, Some(Ok(Vec::new())));
    worker.stop(Duration::from_secs(5)).await;
    hub.close().await;
    assert_eq!(add_plain(&queue, json!(["a", 1])).await, Some(Err(Code::Closed)));
}
