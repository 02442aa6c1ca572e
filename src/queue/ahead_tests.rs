//! Reading ahead, on real servers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;

use super::ahead::Ahead;
use super::*;
use crate::clock::SystemClock;
use crate::event::{Event, EventSink};
use crate::store::{Claim, Counts, JobFilter, Limits, ReadAhead, open_server, test_databases};

struct Deaf;

impl EventSink for Deaf {
    fn emit(&self, _event: Event) {}
}

/// Notes which jobs started, and takes a moment for each.
struct Notes(Arc<Mutex<Vec<String>>>, Duration);

#[async_trait]
impl Handler for Notes {
    async fn run(&self, attempt: Attempt) -> Result<Value, AttemptError> {
        self.0.lock().push(attempt.job.id);
        tokio::time::sleep(self.1).await;
        Ok(Value::Null)
    }
}

struct Place {
    hub: Hub,
    queue: Queue,
    started: Arc<Mutex<Vec<String>>>,
}

impl Place {
    /// A process's place on each server, with so many jobs that wait.
    async fn all(jobs: usize, takes: Duration) -> Vec<Self> {
        let mut places = Vec::new();
        for url in test_databases().await.into_iter().flatten() {
            let store = open_server(&url).await.unwrap();
            let hub = Hub::open_shared(store, SystemClock::shared(), HubOptions::default())
                .await
                .unwrap();
            let queue = Queue::open(&hub, "q", Arc::new(Deaf)).await.unwrap();
            let started = Arc::default();
            queue
                .register("a", Arc::new(Notes(Arc::clone(&started), takes)))
                .unwrap();
            let place = Self { hub, queue, started };
            place.add(jobs, Priority::Normal).await;
            places.push(place);
        }
        places
    }

    async fn add(&self, count: usize, priority: Priority) -> Vec<Job> {
        let new = |_| NewJob {
            name: "a".into(),
            data: serde_json::from_str("1").unwrap(),
            options: JobOptions {
                priority,
                ..JobOptions::default()
            },
            reference: None,
        };
        self.queue.add((0..count).map(new).collect()).await.unwrap()
    }

    async fn counts(&self) -> Counts {
        self.queue.metrics().await.unwrap().counts
    }

    /// Starts a worker, and waits until it holds more than it runs.
    async fn reading_ahead(&self, concurrency: usize) -> Worker {
        let worker = self.queue.start_worker(WorkerOptions { concurrency }).unwrap();
        self.until("jobs that are read ahead", |counts| {
            counts.running as usize > 3 * concurrency
        })
        .await;
        worker
    }

    async fn until(&self, what: &str, check: impl Fn(&Counts) -> bool) {
        for _ in 0..5_000 {
            if check(&self.counts().await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        panic!("waited in vain for {what}: {:?}", self.counts().await);
    }

    async fn each_ran_once(&self, jobs: usize) {
        self.until("all jobs", |counts| counts.completed as usize == jobs).await;
        let mut started = self.started.lock().clone();
        started.sort_unstable();
        started.dedup();
        assert_eq!((started.len(), self.started.lock().len()), (jobs, jobs));
        // None was taken and left lying until its lease ended.
        let filter = JobFilter {
            limit: Some(1_000),
            ..JobFilter::default()
        };
        let all = self.queue.list(filter).await.unwrap();
        assert!(all.iter().all(|job| job.attempts == 1));
    }

    async fn close(self, worker: Worker) {
        worker.stop(Duration::from_secs(5)).await;
        self.hub.close().await;
    }
}

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_gives_back_what_was_read_ahead() {
    for place in Place::all(800, MOMENT).await {
        let worker = place.reading_ahead(2).await;
        place.queue.pause().await.unwrap();
        place.until("jobs to be given back", |counts| counts.running == 0).await;
        let ran = place.started.lock().len();
        assert!(ran < 800);
        tokio::time::sleep(20 * MOMENT).await;
        assert_eq!(place.started.lock().len(), ran, "nothing starts while it is paused");
        place.queue.resume().await.unwrap();
        place.each_ran_once(800).await;
        place.close(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_gives_back_what_it_did_not_start() {
    for place in Place::all(800, MOMENT).await {
        let worker = place.reading_ahead(2).await;
        worker.stop(Duration::from_secs(5)).await;
        let (counts, ran) = (place.counts().await, place.started.lock().clone());
        assert_eq!((counts.running, counts.completed as usize), (0, ran.len()));
        assert_eq!(counts.pending as usize, 800 - ran.len());
        let filter = JobFilter {
            status: Some(JobStatus::Pending),
            limit: Some(1_000),
            ..JobFilter::default()
        };
        let waiting = place.queue.list(filter).await.unwrap();
        assert!(waiting.iter().all(|job| job.attempts == 0 && !ran.contains(&job.id)));
        let again = place.queue.start_worker(WorkerOptions { concurrency: 2 }).unwrap();
        place.each_ran_once(800).await;
        place.close(again).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_better_priority_overtakes_what_was_read_ahead() {
    for place in Place::all(800, 2 * MOMENT).await {
        let worker = place.reading_ahead(4).await;
        let urgent = place.add(1, Priority::High).await.remove(0).id;
        let before = place.started.lock().len();
        place
            .until("the urgent job", |_| place.started.lock().contains(&urgent))
            .await;
        let at = place.started.lock().iter().position(|id| *id == urgent).unwrap();
        // What ran, and what a claim that was under way brought.
        assert!(at <= before + 3 * 4, "it started {} after it was added", at - before);
        place.each_ran_once(801).await;
        place.close(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_after_it_was_read_ahead_does_not_start() {
    for place in Place::all(600, 5 * MOMENT).await {
        let worker = place.reading_ahead(4).await;
        let filter = JobFilter {
            status: Some(JobStatus::Running),
            limit: Some(1),
            ..JobFilter::default()
        };
        let (mut cancelled, mut unstarted) = (0, None);
        while unstarted.is_none() && place.started.lock().len() < 500 {
            // The newest of those that are held starts last, but may start while it is cancelled.
            let last = place.queue.list(filter.clone()).await.unwrap().pop();
            if let Some(last) = last
                && place.queue.cancel(&last.id).await.unwrap()
            {
                cancelled += 1;
                unstarted = Some(last.id).filter(|id| !place.started.lock().contains(id));
            }
        }
        let unstarted = unstarted.expect("one that did not start");
        place
            .until("the others", |counts| counts.completed + cancelled == 600)
            .await;
        assert!(!place.started.lock().contains(&unstarted));
        place.close(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_end_reading_ahead_and_slow_jobs_are_not_hoarded() {
    for place in Place::all(800, MOMENT).await {
        let worker = place.reading_ahead(2).await;
        let limits = Limits {
            concurrency: Some(2),
            ..Limits::default()
        };
        place.queue.set_limits(limits).await.unwrap();
        place
            .until("no more than the limit", |counts| counts.running <= 2)
            .await;
        for _ in 0..20 {
            assert!(place.counts().await.running <= 2);
        }
        place.queue.set_limits(Limits::default()).await.unwrap();
        place
            .queue
            .register("a", Arc::new(Notes(place.started.clone(), 300 * MOMENT)))
            .unwrap();
        // What was read ahead while jobs were fast goes back when they are not.
        tokio::time::sleep(Duration::from_secs(1)).await;
        place.until("jobs to be given back", |counts| counts.running <= 2).await;
        place.close(worker).await;
    }
}

fn held(priority: Priority) -> ReadAhead {
    let new = NewJob {
        name: "a".into(),
        ..NewJob::default()
    };
    let mut job = crate::store::test_job("q", new);
    job.options.priority = priority;
    ReadAhead {
        claim: Claim {
            job: Box::new(job),
            fence: 1,
            stalls: 0,
        },
        doubtful: false,
    }
}

#[test]
fn so_much_is_read_ahead_as_a_moment_of_work_and_no_more_than_some_hundreds() {
    let mut ahead = Ahead::new(10, 15_000, 0);
    assert_eq!(ahead.wants(), 0, "nothing is known yet");
    ahead.ended(4, 9);
    assert_eq!(ahead.wants(), 0, "too short to tell");
    ahead.ended(20, 20);
    assert_eq!(ahead.wants(), 50, "one each millisecond");
    ahead.push((0..24).map(|_| held(Priority::Normal)).collect(), 20);
    assert_eq!(ahead.wants(), 26);
    ahead.push((0..2).map(|_| held(Priority::Normal)).collect(), 20);
    assert_eq!(ahead.wants(), 0, "more than half are there");
    ahead.ended(20_000, 1_000);
    assert_eq!(ahead.wants(), 100 - 26);
    assert_eq!(Ahead::new(10_000, 15_000, 0).wants(), 0);
    ahead.ended(20_001, 3_000);
    assert_eq!((ahead.take().len(), ahead.wants()), (26, 0), "slow jobs are not held");
}

#[test]
fn what_is_held_too_long_or_behind_a_better_one_goes_back() {
    let mut ahead = Ahead::new(10, 15_000, 0);
    assert_eq!(ahead.lasts(0), None);
    let all = [Priority::High, Priority::Normal, Priority::Low].map(held);
    ahead.push(all.into(), 100);
    assert_eq!(ahead.lasts(350), Some(Duration::from_millis(250)));
    assert_eq!(ahead.lasts(600), Some(Duration::ZERO));
    let mut brief = Ahead::new(10, 300, 0);
    brief.push(vec![held(Priority::High)], 100);
    assert_eq!(brief.lasts(200), Some(Duration::ZERO), "long before its lease ends");
    let behind = ahead.take_from(u8::from(Priority::High) + 1);
    assert_eq!(behind.len(), 2);
    assert_eq!(ahead.pop().unwrap().claim.job.options.priority, Priority::High);
    assert!(ahead.is_empty());
}
