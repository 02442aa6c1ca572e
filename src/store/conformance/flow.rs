use std::collections::HashMap;

use super::{completed, end, job, request};
use crate::store::{Claim, Ending, JobFailure, JobOptions, JobStore, Priority};

/// The rule of claims as it is written, without a store.
#[derive(Default)]
struct Model {
    /// In the order of adding.
    jobs: Vec<Waiting>,
    served: HashMap<u8, String>,
}

struct Waiting {
    id: String,
    priority: u8,
    key: String,
    ready: bool,
}

impl Model {
    fn next(&mut self) -> Option<String> {
        let priority = self.jobs.iter().filter(|job| job.ready).map(|job| job.priority).min()?;
        let waiting = |job: &&Waiting| job.ready && job.priority == priority;
        let mut keys: Vec<String> = self.jobs.iter().filter(waiting).map(|job| job.key.clone()).collect();
        keys.sort_unstable();
        let after = self.served.get(&priority);
        let turn = keys.iter().find(|key| after.is_some_and(|after| *key > after));
        let key = turn.unwrap_or(&keys[0]).clone();
        let next = self
            .jobs
            .iter_mut()
            .find(|job| job.ready && job.priority == priority && job.key == key)?;
        next.ready = false;
        let id = next.id.clone();
        self.served.insert(priority, key);
        Some(id)
    }

    fn set(&mut self, id: &str, ready: bool) {
        for job in self.jobs.iter_mut().filter(|job| job.id == id) {
            job.ready = ready;
        }
    }
}

/// Compared with the rule as it is written, for seeded comings and goings: whatever a store reads
/// ahead or writes later must not be seen.
pub async fn claims_follow_the_rule_while_jobs_come_and_go(store: &dyn JobStore) {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        // Some seeds mix keys and priorities, some have one of each for long.
        let variety = if seed % 3 == 0 { 4 } else { 40 };
        let queue = format!("flow{seed}");
        let (mut model, mut running) = (Model::default(), Vec::<Claim>::new());
        for now in 0..160 {
            match random.u8(0..10) {
                0..=3 => {
                    let priority = if random.u8(0..variety) == 0 { random.u8(0..4) } else { 2 };
                    let key = if random.u8(0..variety) == 0 { "k" } else { "" };
                    let options = JobOptions {
                        priority: Priority::try_from(priority).unwrap(),
                        fair_key: (!key.is_empty()).then(|| key.to_owned()),
                        ..JobOptions::default()
                    };
                    let new = (0..random.usize(1..5)).map(|_| job("a", options.clone())).collect();
                    for added in store.add(&queue, new, now).await.unwrap().jobs {
                        model.jobs.push(Waiting {
                            id: added.id,
                            priority,
                            key: key.to_owned(),
                            ready: true,
                        });
                    }
                }
                4..=6 => {
                    let mut ask = request(random.usize(1..5), now);
                    ask.queue.clone_from(&queue);
                    let expected: Vec<String> = (0..ask.limit).map_while(|_| model.next()).collect();
                    let claims = store.claim(ask).await.unwrap().claims;
                    let ids: Vec<&String> = claims.iter().map(|claim| &claim.job.id).collect();
                    assert_eq!(ids, expected.iter().collect::<Vec<_>>(), "seed {seed}, step {now}");
                    running.extend(claims);
                }
                7 | 8 if !running.is_empty() => {
                    let claim = running.swap_remove(random.usize(..running.len()));
                    let ready = leave(store, &claim, random.u8(0..4), now).await;
                    model.set(&claim.job.id, ready);
                }
                _ if !model.jobs.is_empty() => {
                    let one = random.usize(..model.jobs.len());
                    let id = model.jobs[one].id.clone();
                    if model.jobs[one].ready {
                        assert!(store.cancel(&queue, &id, now).await.unwrap().is_some());
                        model.set(&id, false);
                        if random.bool() {
                            store.retry(&queue, &id, now).await.unwrap();
                            model.set(&id, true);
                        }
                    }
                }
                _ => {}
            }
        }
        let counts = store.counts(&queue).await.unwrap();
        let ready = model.jobs.iter().filter(|job| job.ready).count() as u64;
        assert_eq!(counts.running, running.len() as u64, "seed {seed}");
        assert_eq!(counts.pending + counts.retrying, ready, "seed {seed}");
    }
}

/// Ends an attempt one way or another; answers whether its job waits again.
async fn leave(store: &dyn JobStore, claim: &Claim, way: u8, now: i64) -> bool {
    let failure = JobFailure {
        code: "X".into(),
        message: "no".into(),
    };
    let (ending, ready) = match way {
        0 | 1 => (completed(), false),
        2 => (Ending::HandedBack, true),
        _ => (
            Ending::Retry {
                failure,
                run_at: now,
                free: false,
            },
            true,
        ),
    };
    let retried = matches!(ending, Ending::Retry { .. });
    assert!(store.finish(end(claim, ending), now).await.unwrap().held);
    if retried {
        store.promote(now).await.unwrap();
    }
    ready
}
