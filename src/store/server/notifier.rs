//! Tells other processes what happened here: gathered, and sent a moment after the commit that it
//! speaks of. Sending with each commit would make all commits of the server wait for one another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::store::job::{Job, JobStatus, Priority};
use crate::store::job_store::{Added, Notice};

/// Between two notifications.
const PAUSE: Duration = Duration::from_millis(5);

/// A notice on its way, with the store that sent it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sent {
    pub from: String,
    pub notice: Notice,
}

/// Notices that are not sent yet.
#[derive(Debug, Default)]
pub struct Notifier {
    waiting: Mutex<BTreeSet<Notice>>,
    filled: Notify,
}

impl Notifier {
    /// To be sent soon.
    pub fn tell(&self, notice: Notice) {
        self.waiting.lock().insert(notice);
        self.filled.notify_one();
    }

    /// That jobs of the queues wait.
    pub fn ready(&self, queues: impl IntoIterator<Item = String>) {
        for queue in queues {
            self.tell(Notice::Ready(queue));
        }
    }

    /// That jobs were added to a queue.
    pub fn added(&self, queue: &str, added: &Added) {
        for job in &added.replaced {
            self.tell(Notice::Cancelled(job.id.clone()));
        }
        let is = |status| move |job: &&Job| job.status == status;
        if !added.replaced.is_empty() || added.jobs.iter().any(|job| is(JobStatus::Scheduled)(&job)) {
            self.tell(Notice::Due);
        }
        let waiting = added.jobs.iter().filter(is(JobStatus::Pending));
        // Nothing is overtaken by what is last anyway.
        if let Some(best) = waiting
            .map(|job| job.options.priority)
            .min()
            .filter(|best| *best < Priority::Low)
        {
            self.tell(Notice::Arrived(queue.to_owned(), best));
        }
        self.tell(Notice::Ready(queue.to_owned()));
    }

    /// Hands payloads to `send` until it is stopped, and then what still waits.
    pub async fn run<F>(self: Arc<Self>, from: String, stop: CancellationToken, send: impl Fn(Vec<String>) -> F)
    where
        F: Future<Output = Result<()>>,
    {
        while stop.run_until_cancelled(self.filled.notified()).await.is_some() {
            self.send(&from, &send).await;
            tokio::time::sleep(PAUSE).await;
        }
        self.send(&from, &send).await;
    }

    async fn send<F>(&self, from: &str, send: &impl Fn(Vec<String>) -> F)
    where
        F: Future<Output = Result<()>>,
    {
        let notices = std::mem::take(&mut *self.waiting.lock());
        let payloads: Vec<String> = notices
            .into_iter()
            .filter_map(|notice| {
                serde_json::to_string(&Sent {
                    from: from.to_owned(),
                    notice,
                })
                .ok()
            })
            .collect();
        if payloads.is_empty() {
            return;
        }
        // A lost notice costs time only: every process looks by itself now and then.
        if let Err(error) = send(payloads).await {
            tracing::warn!("other processes were not told: {error}");
        }
    }
}
