//! What workers ask most: jobs, and to end them.

use tokio::sync::oneshot;

use super::claim::Taken;
use super::ending::Ends;
use super::rows::LastOptions;
use super::sqlite_store::SqliteStore;
use super::task::Task;
use super::writer::Command;
use crate::error::{Error, Result};
use crate::store::job::JobFailure;
use crate::store::job_store::{ClaimRequest, Claimed, Ending, Finish, Finished, Lease};
use crate::store::rules::{again, closed};

impl SqliteStore {
    /// Takes jobs; their texts are read here, not by the store's thread.
    pub(super) async fn claim_rows(&self, request: ClaimRequest) -> Result<Claimed> {
        let now = request.now;
        loop {
            let taken = match self.lent.claim(&request) {
                Some(rows) => Taken {
                    rows,
                    ..Taken::default()
                },
                None => self.ask_for(request.clone()).await?,
            };
            let (mut claims, mut damaged) = (Vec::with_capacity(taken.rows.len()), Vec::new());
            let mut last = LastOptions::default();
            for next in taken.rows {
                match next.into_claim(now, &mut last) {
                    Ok(claim) => claims.push(claim),
                    Err((lease, error)) => damaged.push(unreadable(lease, &error)),
                }
            }
            if !damaged.is_empty() {
                // Nobody can run them, and they are not to stand in the way of others.
                let ended = self.end(damaged, now).await.into_iter().collect::<Result<Vec<_>>>()?;
                if claims.is_empty() && ended.iter().all(|end| end.held) {
                    continue;
                }
            }
            return Ok(Claimed {
                claims,
                unfinished: taken.unfinished,
                next_at: taken.next_at,
            });
        }
    }

    async fn ask_for(&self, request: ClaimRequest) -> Result<Taken> {
        let (caller, answer) = oneshot::channel();
        self.commands
            .send(Command::Claim(request, caller))
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Ends attempts, all in one command.
    pub(super) async fn end(&self, finishes: Vec<Finish>, now: i64) -> Vec<Result<Finished>> {
        let count = finishes.len();
        let (caller, answer) = oneshot::channel();
        let task = Task::new(Ends::new(finishes, now), caller);
        let sent = self.commands.send(Command::End(count, Box::new(task)));
        let done = match sent {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(closed())),
            Err(_) => Err(closed()),
        };
        done.unwrap_or_else(|error| (0..count).map(|_| Err(again(&error))).collect())
    }
}

fn unreadable(lease: Lease, error: &Error) -> Finish {
    tracing::error!("the job {} cannot be read: {error}", lease.id);
    let failure = JobFailure {
        code: error.code().as_str().to_owned(),
        message: error.message().to_owned(),
    };
    Finish {
        lease,
        ending: Ending::Failed { failure, result: None },
        remove: false,
    }
}
