//! The ends of many attempts as one call of a script.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;

use super::links::Links;
use super::rows::{items, number as count, parts, string, unexpected};
use super::scripts::{self, FINISH};
use crate::error::{Code, Result};
use crate::store::job::{JobFailure, JobStatus};
use crate::store::job_store::{Ending, Finish, Finished, Notice};
use crate::store::rules::{again, json, number};
use crate::store::server::Notifier;

/// While the server is away.
const AGAIN: Duration = Duration::from_millis(200);

/// An end, with its result as JSON.
#[derive(Debug)]
pub struct Ended {
    id: String,
    fence: i64,
    status: JobStatus,
    result: Option<String>,
    failure: Option<JobFailure>,
    at: i64,
    uncounted: u8,
    remove: bool,
}

impl Ended {
    /// Writes the result as JSON, on the caller's time.
    pub fn new(finish: Finish, now: i64) -> Result<Self> {
        let Finish { lease, ending, remove } = finish;
        let (status, result, failure, at, uncounted) = match ending {
            Ending::Completed { result } => (JobStatus::Completed, Some(json(&result)?), None, now, 0),
            Ending::Failed { failure, result } => {
                let result = result.as_ref().map(json).transpose()?;
                (JobStatus::Failed, result, Some(failure), now, 0)
            }
            Ending::Retry { failure, run_at, free } => (JobStatus::Retrying, None, Some(failure), run_at, free.into()),
            Ending::HandedBack => (JobStatus::Pending, None, None, now, 1),
        };
        Ok(Self {
            id: lease.id,
            fence: lease.fence,
            status,
            result,
            failure,
            at,
            uncounted,
            remove,
        })
    }

    /// It completed, and nothing of it is kept.
    fn leaves_nothing(&self) -> bool {
        self.remove && self.status == JobStatus::Completed
    }

    /// About how big it is.
    pub fn bytes(&self) -> usize {
        200 + self.result.as_ref().map_or(0, String::len)
    }
}

/// Ends the attempts; answers, for each, whether its lease was still held.
pub async fn finish(links: Arc<Links>, notifier: Arc<Notifier>, ends: Vec<Ended>) -> Vec<Result<Finished>> {
    let mut repeated = false;
    loop {
        match attempt(&links, &notifier, &ends, repeated).await {
            Ok(finished) => return finished.into_iter().map(Ok).collect(),
            // The server may have done it, and only its answer was lost.
            Err(error) if error.code() == Code::StoreUnavailable && !links.is_closed() => {
                repeated = true;
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return ends.iter().map(|_| Err(again(&error))).collect(),
        }
    }
}

pub(super) async fn attempt(
    links: &Links,
    notifier: &Notifier,
    ends: &[Ended],
    repeated: bool,
) -> Result<Vec<Finished>> {
    let mut call = scripts::call(&FINISH);
    let (plain, others): (Vec<usize>, Vec<usize>) = (0..ends.len()).partition(|place| ends[*place].leaves_nothing());
    call.arg(u8::from(repeated)).arg(plain.len());
    for end in plain.iter().map(|place| &ends[*place]) {
        call.arg(&end.id).arg(end.fence);
    }
    for end in others.iter().map(|place| &ends[*place]) {
        let (code, message) = end
            .failure
            .as_ref()
            .map_or(("", ""), |failure| (&failure.code, &failure.message));
        call.arg(&end.id)
            .arg(end.fence)
            .arg(number(end.status))
            .arg(end.result.as_deref().unwrap_or_default())
            .arg(code)
            .arg(message)
            .arg(end.at)
            .arg(end.uncounted)
            .arg(u8::from(end.remove));
    }
    let answers = items(links.send(&call, Some(&FINISH), false).await?)?;
    if answers.is_empty() {
        let held = Finished {
            held: true,
            ..Finished::default()
        };
        if others.iter().any(|place| ends[*place].status == JobStatus::Retrying) {
            notifier.tell(Notice::Due);
        }
        return Ok(vec![held; ends.len()]);
    }
    if answers.len() != ends.len() {
        return Err(unexpected());
    }
    let mut finished = vec![Finished::default(); ends.len()];
    for (place, answer) in plain.into_iter().chain(others).zip(answers) {
        let one = read(answer, notifier)?;
        if one.released || one.held && ends[place].status == JobStatus::Retrying {
            notifier.tell(Notice::Due);
        }
        finished[place] = one;
    }
    Ok(finished)
}

/// A sum, and the queue where other processes should know that it waits or has room.
fn read(answer: Value, notifier: &Notifier) -> Result<Finished> {
    let sum = match answer {
        Value::Array(_) => {
            let [sum, queue] = parts(answer)?;
            notifier.ready([string(&queue)?]);
            sum
        }
        sum => sum,
    };
    let sum: u8 = count(&sum).ok_or_else(unexpected)?;
    Ok(Finished {
        held: sum & 1 > 0,
        released: sum & 2 > 0,
        makes_room: sum & 4 > 0,
    })
}
