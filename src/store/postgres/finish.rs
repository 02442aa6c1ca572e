//! The ends of many attempts as one statement.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::connections::{Commit, Connections, Value};
use super::rows::{clean, get};
use super::sql;
use crate::error::{Code, Result};
use crate::store::job_store::{Finished, Notice};
use crate::store::rules::{again, number};
use crate::store::server::{Ended, Notifier};

/// While the server is away.
const AGAIN: Duration = Duration::from_millis(200);

const LOST: Finished = Finished {
    held: false,
    released: false,
    makes_room: false,
};

/// Ends the attempts; answers, for each, what became of it.
pub async fn finish(connections: Arc<Connections>, notifier: Arc<Notifier>, ends: Vec<Ended>) -> Vec<Result<Finished>> {
    let mut repeated = false;
    loop {
        match attempt(&connections, &notifier, &ends, repeated).await {
            Ok(kept) => {
                return ends
                    .iter()
                    .map(|end| Ok(kept.get(&(end.id.clone(), end.fence)).copied().unwrap_or(LOST)))
                    .collect();
            }
            // The server may have done it, and only its answer was lost.
            Err(error) if error.code() == Code::StoreUnavailable && !connections.is_closed() => {
                repeated = true;
                tokio::time::sleep(AGAIN).await;
            }
            // One result that cannot be stored must not harm the ends of others.
            Err(error) if error.code() == Code::OptionInvalid && ends.len() > 1 => {
                let mut answers = Vec::with_capacity(ends.len());
                for one in ends {
                    let alone = Box::pin(finish(connections.clone(), notifier.clone(), vec![one]))
                        .await
                        .pop();
                    answers.push(alone.unwrap_or(Err(again(&error))));
                }
                return answers;
            }
            Err(error) => return ends.iter().map(|_| Err(again(&error))).collect(),
        }
    }
}

async fn attempt(
    connections: &Connections,
    notifier: &Notifier,
    ends: &[Ended],
    repeated: bool,
) -> Result<HashMap<(String, i64), Finished>> {
    let mut rows = Vec::new();
    let (removed, stored): (Vec<_>, Vec<_>) = ends.iter().partition(|end| end.remove);
    if !stored.is_empty() {
        let (ids, fences) = leases(&stored);
        let status: Vec<i16> = stored.iter().map(|end| number(end.status).into()).collect();
        let result: Vec<_> = stored.iter().map(|end| end.result.as_deref()).collect();
        let code: Vec<_> = stored
            .iter()
            .map(|end| end.failure.as_ref().map(|failure| &failure.code))
            .collect();
        let message: Vec<_> = stored
            .iter()
            .map(|end| end.failure.as_ref().map(|failure| clean(&failure.message)))
            .collect();
        let at: Vec<_> = stored.iter().map(|end| end.at).collect();
        let back: Vec<_> = stored.iter().map(|end| i32::from(end.uncounted)).collect();
        let values: [Value<'_>; 9] = [&ids, &fences, &status, &result, &code, &message, &at, &back, &repeated];
        rows.extend(
            connections
                .query(Commit::Synced, false, sql!("finish"), &values)
                .await?,
        );
    }
    if !removed.is_empty() {
        let (ids, fences) = leases(&removed);
        let status: Vec<i16> = removed.iter().map(|end| number(end.status).into()).collect();
        let at: Vec<_> = removed.iter().map(|end| end.at).collect();
        let values: [Value<'_>; 4] = [&ids, &fences, &status, &at];
        rows.extend(
            connections
                .query(Commit::Synced, false, sql!("finish_remove"), &values)
                .await?,
        );
    }
    let mut kept = HashMap::new();
    for row in rows {
        let (queue, status): (String, i16) = (get(&row, 2)?, get(&row, 3)?);
        let finished = Finished {
            held: true,
            released: get(&row, 4)?,
            makes_room: get(&row, 5)?,
        };
        if status == 3 || finished.released {
            notifier.tell(Notice::Due);
        }
        if status == 0 || finished.makes_room {
            notifier.tell(Notice::Ready(queue));
        }
        kept.insert((get(&row, 0)?, get(&row, 1)?), finished);
    }
    Ok(kept)
}

fn leases<'a>(ends: &[&'a Ended]) -> (Vec<&'a str>, Vec<i64>) {
    ends.iter().map(|end| (end.id.as_str(), end.fence)).unzip()
}
