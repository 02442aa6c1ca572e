//! The ends of many attempts as one call of a script.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;

use super::links::Links;
use super::rows::{items, number as count, parts, string, unexpected};
use super::scripts::{self, FINISH};
use crate::error::{Code, Result};
use crate::store::job::JobStatus;
use crate::store::job_store::{Finished, Notice};
use crate::store::rules::{again, number};
use crate::store::server::{Ended, Notifier};

/// While the server is away.
const AGAIN: Duration = Duration::from_millis(200);

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
    let (plain, others): (Vec<usize>, Vec<usize>) = (0..ends.len()).partition(|place| leaves_nothing(&ends[*place]));
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
            .arg(u8::from(end.uncounted))
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

/// It completed, and nothing of it is kept.
fn leaves_nothing(end: &Ended) -> bool {
    end.remove && end.status == JobStatus::Completed
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
