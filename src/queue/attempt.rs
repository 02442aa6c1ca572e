//! One run of a job: from the claim to its ending in the store.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::core::Core;
use super::hub::Shared;
use super::outcome::{self, ending};
use super::reports::JobReporter;
use super::room::Slot;
use super::running::Stop;
use super::ticket::Outcome;
use super::{Attempt, AttemptError, Handler, Job};
use crate::error::{Code, Error};
use crate::event::EventKind;
use crate::store::{Claim, Ending, Finish, Finished, Lease};

/// How long a handler may wind down before it is dropped: its job is over already.
pub const WIND_DOWN: Duration = Duration::from_secs(5);
/// The same where its job is to be handed back, which waits for it.
pub const HAND_BACK: Duration = Duration::from_secs(2);
/// The store is asked again after its disk was full.
const AGAIN: Duration = Duration::from_millis(250);
/// Retention is applied each time so many attempts ended.
const PRUNE: u64 = 500;
/// The same where nothing is kept, so that hardly anything is left to delete.
const PRUNE_LITTLE: u64 = 5_000;

enum End {
    Ended(Outcome),
    TimedOut,
    Stopped,
}

/// Runs it to its end.
pub async fn run(
    shared: &Shared,
    core: &Arc<Core>,
    handler: Arc<dyn Handler>,
    claim: Claim,
    worker: u64,
    mut slot: Slot,
) {
    let Claim { job, fence, stalls } = claim;
    let lease = Lease {
        id: job.id.clone(),
        fence,
    };
    let started = shared.clock.monotonic_ms();
    let (token, why) = shared.running.start(&lease, worker, started);
    shared.beat.notify_one();
    core.emit(
        &job.id,
        &job.name,
        shared.clock.now_ms(),
        EventKind::Started { attempt: job.attempts },
    );
    let reporter = Arc::new(JobReporter {
        reports: shared.reports.clone(),
        core: core.clone(),
        clock: shared.clock.clone(),
        lease: lease.clone(),
        name: job.name.clone(),
        used: AtomicBool::new(false),
        over: AtomicBool::new(false),
    });
    let attempt = Attempt {
        job: (*job).clone(),
        token: token.clone(),
        why: why.clone(),
        is_last: job.attempts.saturating_sub(stalls) > job.options.retries,
        reporter: reporter.clone(),
    };
    let mut running = guarded(handler, attempt);
    let end = tokio::select! {
        biased;
        outcome = &mut running => End::Ended(outcome),
        () = token.cancelled() => End::Stopped,
        () = within(job.options.timeout) => End::TimedOut,
    };
    let (outcome, left) = match end {
        End::Ended(outcome) => (Some(outcome), None),
        End::TimedOut => {
            why.get_or_init(|| Stop::TimedOut);
            token.cancel();
            (Some(Err(AttemptError::Retry(timed_out(&job)))), Some(running))
        }
        End::Stopped if shared.running.stopped(&lease) == Some(Stop::HandBack) => {
            // What it still completes in this time counts.
            (tokio::time::timeout(HAND_BACK, running).await.ok(), None)
        }
        End::Stopped => (None, Some(running)),
    };
    reporter.over.store(true, Ordering::Release);
    // A handler that still winds down keeps its slot, so that deaf ones cannot pile up without bound.
    if left.is_none() {
        slot.free().await;
    }
    if reporter.used.load(Ordering::Acquire)
        && let Err(error) = shared.reports.flush(&*shared.store).await
    {
        tracing::warn!("the last reports of a job were not stored: {error}");
    }
    let took = shared.clock.monotonic_ms().saturating_sub(started) as i64;
    let stopped = shared.running.stopped(&lease);
    if !matches!(stopped, Some(Stop::Cancelled | Stop::LeaseLost)) {
        // The error of one that was asked to stop says nothing about the job.
        let outcome = outcome.filter(|outcome| outcome.is_ok() || stopped.is_none());
        let ending = match outcome {
            Some(outcome) => {
                let now = shared.clock.now_ms();
                ending(
                    outcome,
                    &job.options,
                    job.attempts.saturating_sub(stalls),
                    now,
                    fastrand::f64(),
                )
            }
            None => Ending::HandedBack,
        };
        finish(shared, core, &job, &lease, ending, took).await;
    }
    shared.running.end(&lease);
    if let Some(running) = left {
        let _ = tokio::time::timeout(WIND_DOWN, running).await;
    }
    prune(shared, core, 1).await;
}

#[allow(
    clippy::result_large_err,
    reason = "an attempt ends once, and its error is moved, not copied, on the way"
)]
fn guarded(handler: Arc<dyn Handler>, attempt: Attempt) -> BoxFuture<'static, Outcome> {
    let work = async move { handler.run(attempt).await };
    AssertUnwindSafe(work)
        .catch_unwind()
        .map(|outcome| {
            outcome.unwrap_or_else(|panic| {
                let what = panic
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                let error = Error::new(Code::HandlerFailed, format!("the handler panicked: {what}"));
                Err(AttemptError::Retry(error))
            })
        })
        .boxed()
}

async fn within(timeout: Option<u64>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(Duration::from_millis(timeout)).await,
        None => std::future::pending().await,
    }
}

fn timed_out(job: &Job) -> Error {
    let timeout = job.options.timeout.unwrap_or_default();
    Error::new(Code::Timeout, format!("the attempt timed out after {timeout} ms"))
        .with_details(json!({ "timeout": timeout }))
}

/// Commits the ending, then tells it.
async fn finish(shared: &Shared, core: &Core, job: &Job, lease: &Lease, ending: Ending, took: i64) {
    let remove = Shared::removes(core, &job.options, &ending);
    let mut finish = Finish {
        lease: lease.clone(),
        ending,
        remove,
    };
    let finished = loop {
        let now = shared.clock.now_ms();
        match shared.store.finish(finish.clone(), now).await {
            Ok(finished) => break finished,
            Err(error) if matches!(error.code(), Code::StoreFull | Code::StoreUnavailable) => {
                tracing::warn!("the end of a job is not stored yet: {error}");
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) if error.code() == Code::Closed => return,
            Err(error) => {
                // The answer itself cannot be stored: that is the job's failure.
                if matches!(finish.ending, Ending::Failed { .. }) {
                    tracing::error!("the end of a job cannot be stored: {error}");
                    return;
                }
                finish.ending = Ending::Failed {
                    failure: outcome::failure(&error),
                    result: None,
                };
            }
        }
    };
    if !finished.held {
        tracing::debug!("a job ended after its lease was lost");
        return;
    }
    let now = shared.clock.now_ms();
    tell(shared, core, job, finish.ending, finished, (now, took));
}

/// Tells an ending that is stored: of that time, after so many milliseconds.
pub fn tell(shared: &Shared, core: &Core, job: &Job, ending: Ending, finished: Finished, (now, took): (i64, i64)) {
    if finished.released {
        shared.due.notify_one();
    }
    if finished.makes_room {
        core.wake();
    }
    core.stats
        .lock()
        .ended(now, took, matches!(ending, Ending::Completed { .. }));
    let kind = match ending {
        Ending::Completed { result } => EventKind::Completed { result },
        Ending::Failed { failure, .. } => EventKind::Failed {
            code: failure.code,
            message: failure.message,
        },
        Ending::Retry { failure, run_at, .. } => {
            shared.due.notify_one();
            EventKind::Retrying {
                code: failure.code,
                message: failure.message,
                run_at,
            }
        }
        Ending::HandedBack => {
            core.wake();
            return;
        }
    };
    core.emit(&job.id, &job.name, now, kind);
}

/// Applies retention now and then, after so many more attempts ended.
pub async fn prune(shared: &Shared, core: &Core, ended: u64) {
    let before = core.ended.fetch_add(ended, Ordering::Relaxed);
    let Some(retention) = core.retention() else { return };
    let each = if retention.count > 0 { PRUNE } else { PRUNE_LITTLE };
    if before / each != (before + ended) / each {
        let now = shared.clock.now_ms();
        if let Err(error) = shared.store.prune(&core.name, retention, now).await {
            tracing::warn!("old jobs were not deleted: {error}");
        }
    }
}
