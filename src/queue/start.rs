//! How a worker starts jobs that it took.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tracing::instrument::WithSubscriber;

use super::Handler;
use super::attempt;
use super::intake::Intake;
use super::slot::Slot;
use super::ticket::{Hold, Ticket};
use crate::event::EventKind;
use crate::store::Claim;

/// Runs that one handler takes at once.
type Together = (Arc<dyn Handler>, Vec<Arc<Ticket>>);

impl Intake {
    /// Starts jobs, each in the room that was kept for it.
    pub fn start(&self, starts: Vec<(OwnedSemaphorePermit, Claim)>, now: i64) {
        if starts.is_empty() {
            return;
        }
        {
            let mut stats = self.core.stats.lock();
            for (_, claim) in &starts {
                stats.claimed(now, claim.job.run_at);
            }
        }
        let mut together: Vec<Together> = Vec::new();
        for (permit, claim) in starts {
            let handler = self.handlers.read().get(&claim.job.name).cloned();
            let Some(handler) = handler else { continue };
            let slot = Slot::new(permit, &self.ending, &self.ended);
            if handler.takes_tickets() && claim.job.options.timeout.is_none() {
                let task = self.tasks.token();
                let ticket = Ticket::new(&self.shared, &self.core, &handler, claim, Hold { slot, _task: task });
                match together.last_mut() {
                    Some((last, tickets)) if Arc::ptr_eq(last, &handler) => tickets.push(ticket),
                    _ => together.push((handler, vec![ticket])),
                }
            } else {
                let (shared, core, id) = (self.shared.clone(), self.core.clone(), self.id);
                let run = async move { attempt::run(&shared, &core, handler, claim, id, slot).await };
                self.tasks.spawn(run.with_current_subscriber());
            }
        }
        for (handler, tickets) in together {
            let began = self.shared.clock.monotonic_ms();
            self.shared.running.start_all(&tickets, self.id, began);
            self.shared.beat.notify_one();
            for ticket in &tickets {
                let job = ticket.job();
                let kind = EventKind::Started { attempt: job.attempts };
                self.core.emit(&job.id, &job.name, now, kind);
            }
            handler.start(tickets);
        }
    }
}
