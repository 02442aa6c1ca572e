use std::collections::HashMap;

use serde_json::json;

use super::{add, end, request};
use crate::store::{Claim, Counts, Ending, JobFailure, JobFilter, JobOptions, JobStatus, JobStore, NewJob, Priority};

const STEPS: i64 = 120;

/// What a store should hold, without a store.
#[derive(Default)]
pub struct Mixture {
    queue: String,
    /// In the order of adding.
    jobs: Vec<Kept>,
    running: Vec<Claim>,
    served: HashMap<u8, String>,
    now: i64,
}

struct Kept {
    id: String,
    n: usize,
    name: &'static str,
    priority: u8,
    key: &'static str,
    status: JobStatus,
    attempts: u32,
    deleted: bool,
}

impl Kept {
    fn is_ready(&self) -> bool {
        // What is retried here is due at once.
        !self.deleted && matches!(self.status, JobStatus::Pending | JobStatus::Retrying)
    }
}

/// Jobs that may lie together and jobs that may not come and go: whatever a store does to be fast is not seen.
pub async fn a_mixture_of_jobs_is_what_a_model_says(store: &dyn JobStore) {
    for seed in 0..4 {
        let mut model = Mixture::new(format!("mixture{seed}"));
        model.go_on(store, &mut fastrand::Rng::with_seed(seed)).await;
    }
}

impl Mixture {
    pub fn new(queue: String) -> Self {
        Self {
            queue,
            ..Self::default()
        }
    }

    /// The store was closed and opened: whose turn it was is forgotten.
    pub fn reopened(&mut self) {
        self.served.clear();
    }

    pub async fn go_on(&mut self, store: &dyn JobStore, random: &mut fastrand::Rng) {
        for step in 0..STEPS {
            self.now += 1;
            match random.u8(0..12) {
                0 => self.add(store, random, 1).await,
                1 => self.add(store, random, 5).await,
                2 => self.add(store, random, 90).await,
                3..=6 => self.claim(store, random).await,
                7..=9 => self.leave(store, random).await,
                10 => self.cancel(store, random).await,
                _ => self.look(store, random).await,
            }
            if step % 30 == 29 {
                self.compare(store, random).await;
            }
        }
    }

    async fn add(&mut self, store: &dyn JobStore, random: &mut fastrand::Rng, most: usize) {
        let mut kind = |rare: bool| {
            let odd = rare && random.u8(0..8) == 0;
            let name = if random.u8(0..4) == 0 { "b" } else { "a" };
            let priority = if odd { random.u8(0..4) } else { 2 };
            (name, priority, if odd { "k" } else { "" }, odd && random.bool())
        };
        let whole = kind(most > 1);
        let mixed = kind(true).3;
        let kinds: Vec<_> = (0..most).map(|_| if mixed { kind(true) } else { whole }).collect();
        let first = self.jobs.len();
        let new = kinds
            .iter()
            .enumerate()
            .map(|(n, (name, priority, key, large))| NewJob {
                name: (*name).into(),
                data: json!({ "n": first + n, "text": "x".repeat(if *large { 5_000 } else { n }) }).into(),
                options: JobOptions {
                    priority: Priority::try_from(*priority).unwrap(),
                    fair_key: (!key.is_empty()).then(|| (*key).to_owned()),
                    ..JobOptions::default()
                },
                reference: None,
            });
        let ids = add(store, &self.queue, new.collect(), self.now, random.bool()).await;
        for (n, (id, (name, priority, key, _))) in ids.into_iter().zip(kinds).enumerate() {
            self.jobs.push(Kept {
                id,
                n: first + n,
                name,
                priority,
                key,
                status: JobStatus::Pending,
                attempts: 0,
                deleted: false,
            });
        }
    }

    fn next(&mut self, names: &[String]) -> Option<usize> {
        let fits = |job: &Kept| job.is_ready() && names.iter().any(|name| *name == job.name);
        let priority = self.jobs.iter().filter(|job| fits(job)).map(|job| job.priority).min()?;
        let mut keys: Vec<&str> = self
            .jobs
            .iter()
            .filter(|job| fits(job) && job.priority == priority)
            .map(|job| job.key)
            .collect();
        keys.sort_unstable();
        let after = self.served.get(&priority);
        let turn = keys
            .iter()
            .find(|key| after.is_some_and(|after| **key > after.as_str()));
        let key = turn.unwrap_or(&keys[0]).to_string();
        let next = self
            .jobs
            .iter()
            .position(|job| fits(job) && job.priority == priority && job.key == key)?;
        self.served.insert(priority, key);
        self.jobs[next].status = JobStatus::Running;
        self.jobs[next].attempts += 1;
        Some(next)
    }

    async fn claim(&mut self, store: &dyn JobStore, random: &mut fastrand::Rng) {
        let mut ask = request(random.usize(1..30), self.now);
        ask.queue.clone_from(&self.queue);
        // One kind of worker mostly, as it is.
        ask.names = match random.u8(0..8) {
            0 => vec!["a".into()],
            1 => vec!["b".into()],
            _ => vec!["a".into(), "b".into()],
        };
        let expected: Vec<usize> = (0..ask.limit).map_while(|_| self.next(&ask.names)).collect();
        let claims = store.claim(ask).await.unwrap().claims;
        let found: Vec<_> = claims.iter().map(|claim| claim.job.data.value()["n"].clone()).collect();
        assert_eq!(
            found,
            expected.iter().map(|n| json!(n)).collect::<Vec<_>>(),
            "{}, {}",
            self.queue,
            self.now
        );
        for (claim, n) in claims.iter().zip(expected) {
            assert_eq!(
                (&claim.job.id, claim.job.attempts),
                (&self.jobs[n].id, self.jobs[n].attempts)
            );
        }
        self.running.extend(claims);
    }

    async fn leave(&mut self, store: &dyn JobStore, random: &mut fastrand::Rng) {
        let (mut ends, mut retried) = (Vec::new(), false);
        for _ in 0..random.usize(1..20).min(self.running.len()) {
            let claim = self.running.swap_remove(random.usize(..self.running.len()));
            let job = self.jobs.iter_mut().find(|job| job.id == claim.job.id).unwrap();
            let (code, message) = ("X".to_owned(), "no".to_owned());
            let failure = JobFailure { code, message };
            let (ending, status) = match random.u8(0..10) {
                0..=5 => (Ending::Completed { result: json!(job.n) }, JobStatus::Completed),
                6 => (Ending::Failed { failure, result: None }, JobStatus::Failed),
                7 | 8 => (Ending::HandedBack, JobStatus::Pending),
                _ => {
                    retried = true;
                    let (run_at, free) = (self.now, false);
                    (Ending::Retry { failure, run_at, free }, JobStatus::Retrying)
                }
            };
            let mut finish = end(&claim, ending);
            finish.remove = status.is_final() && random.u8(0..3) > 0;
            (job.status, job.deleted) = (status, finish.remove);
            job.attempts -= u32::from(status == JobStatus::Pending);
            ends.push(finish);
        }
        let again = ends.clone();
        for answer in store.finish_all(ends, self.now).await {
            assert!(answer.unwrap().held);
        }
        if random.u8(0..4) == 0 {
            for answer in store.finish_all(again, self.now).await {
                assert!(!answer.unwrap().held, "it ends once");
            }
        }
        if retried {
            store.promote(self.now).await.unwrap();
        }
    }

    async fn cancel(&mut self, store: &dyn JobStore, random: &mut fastrand::Rng) {
        let Some(n) = (!self.jobs.is_empty()).then(|| random.usize(..self.jobs.len())) else {
            return;
        };
        let job = &mut self.jobs[n];
        let lives = !job.deleted && !job.status.is_final();
        let cancelled = store.cancel(&self.queue, &job.id, self.now).await.unwrap();
        assert_eq!(cancelled.is_some(), lives);
        if !lives {
            return;
        }
        assert_eq!(cancelled.unwrap().data.value()["n"], json!(n));
        job.status = JobStatus::Cancelled;
        self.running.retain(|claim| claim.job.id != job.id);
        if random.bool() {
            store.retry(&self.queue, &job.id, self.now).await.unwrap();
            (job.status, job.attempts) = (JobStatus::Pending, 0);
        }
    }

    async fn look(&self, store: &dyn JobStore, random: &mut fastrand::Rng) {
        for _ in 0..5 {
            let Some(job) = random.choice(&self.jobs) else { return };
            let found = store.get(&self.queue, &job.id).await.unwrap();
            let found = found.map(|job| (job.data.value()["n"].as_u64().unwrap(), job.status, job.attempts));
            let expected = (!job.deleted).then_some((job.n as u64, job.status, job.attempts));
            assert_eq!(found, expected, "{}, {}", self.queue, self.now);
        }
    }

    /// Counts and lists, page by page.
    pub async fn compare(&self, store: &dyn JobStore, random: &mut fastrand::Rng) {
        let there = || self.jobs.iter().filter(|job| !job.deleted);
        let count = |status| there().filter(|job| job.status == status).count() as u64;
        let expected = Counts {
            pending: count(JobStatus::Pending),
            scheduled: 0,
            running: count(JobStatus::Running),
            retrying: count(JobStatus::Retrying),
            completed: count(JobStatus::Completed),
            failed: count(JobStatus::Failed),
            cancelled: count(JobStatus::Cancelled),
            oldest_waiting: None,
        };
        let mut found = store.counts(&self.queue).await.unwrap();
        found.oldest_waiting = None;
        assert_eq!(found, expected, "{}, {}", self.queue, self.now);
        let statuses = [None, Some(JobStatus::Pending), Some(JobStatus::Completed)];
        for (status, of) in [
            (statuses[random.usize(..3)], None),
            (statuses[random.usize(..2)], Some("b")),
        ] {
            let expected = there()
                .rev()
                .filter(|job| status.is_none_or(|status| job.status == status) && of.is_none_or(|of| job.name == of))
                .map(|job| job.n as u64);
            let found = listed(store, &self.queue, status, of, random.u32(5..60)).await;
            assert_eq!(
                found,
                expected.collect::<Vec<_>>(),
                "{}, {}: {status:?} {of:?}",
                self.queue,
                self.now
            );
        }
    }
}

async fn listed(
    store: &dyn JobStore,
    queue: &str,
    status: Option<JobStatus>,
    name: Option<&str>,
    limit: u32,
) -> Vec<u64> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (name, limit) = (name.map(ToOwned::to_owned), Some(limit));
        let filter = JobFilter {
            status,
            name,
            limit,
            cursor,
        };
        let page = store.list(queue, filter).await.unwrap();
        all.extend(page.iter().map(|job| job.data.value()["n"].as_u64().unwrap()));
        match page.last() {
            Some(last) if page.len() == limit.unwrap_or(0) as usize => cursor = Some(last.id.clone()),
            _ => return all,
        }
    }
}
