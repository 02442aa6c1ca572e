//! The handle: sends commands to the thread that owns the connection.

use std::sync::mpsc::{self, Sender};
use std::thread;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::oneshot;

use super::checkpointer::Checkpointer;
use super::database::Database;
use super::front::Lent;
use super::rows::{execute, optional};
use super::syncer::Syncer;
use super::task::{Task, Work};
use super::writer::Care::{Order, Own, Rows};
use super::writer::Durability::{Lazy, Read, Synced};
use super::writer::{self, Care, Command, Durability};
use super::{finish, limited, lists, manage, schedules, sql};
use crate::error::{Code, Error, Result};
use crate::store::data_directory::{DataDirectory, Held};
use crate::store::job::{Job, JobStatus, NewJob};
use crate::store::job_store::{
    Added, ClaimRequest, Claimed, Counts, Finish, Finished, JobFilter, JobStore, Lease, Parts, Promoted, Report,
    Rescued, Retention,
};
use crate::store::limits::Limits;
use crate::store::plain::PlainAdds;
use crate::store::rules::closed;
use crate::store::schedule::Schedule;
use crate::store::shared_state::{SharedState, checked};

/// Jobs in `SQLite`. The thread ends when the handle is closed or dropped.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) commands: Sender<Command>,
    pub(super) lent: Lent,
}

impl SqliteStore {
    /// Opens the database of a directory that this process holds. `now` names a damaged file.
    pub async fn open(directory: &DataDirectory, held: Held, now: i64) -> Result<Self> {
        let path = directory.database();
        let open = move || {
            let database = Database::open(&path, now)?;
            let syncer = Syncer::start(Database::log(&path)?)?;
            Ok((database, Some((syncer, Checkpointer::start(&path)?))))
        };
        Self::start(open, Box::new(held)).await
    }

    /// A store that is gone when it is closed.
    pub async fn in_memory() -> Result<Self> {
        Self::start(|| Ok((Database::in_memory()?, None)), Box::new(())).await
    }

    async fn start(
        open: impl FnOnce() -> Result<(Database, Option<(Syncer, Checkpointer)>)> + Send + 'static,
        held: Box<dyn Send>,
    ) -> Result<Self> {
        let (opened, waiting) = oneshot::channel();
        let (commands, received) = mpsc::channel();
        thread::Builder::new()
            .name("auton8n-store".to_owned())
            .spawn(move || match open() {
                Ok((database, helpers)) => {
                    let _ = opened.send(Ok(database.held.lent.clone()));
                    writer::run(database, helpers, &received, held);
                }
                Err(error) => {
                    drop(held);
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|error| {
                Error::new(Code::StoreUnavailable, "no thread could be started for the job store").because(error)
            })?;
        let lent = waiting.await.map_err(|_| closed())??;
        Ok(Self { commands, lent })
    }

    async fn call<T: Send + 'static>(
        &self,
        durability: Durability,
        care: Care,
        operation: impl FnOnce(&mut Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (caller, answer) = oneshot::channel();
        self.send(durability, care, Task::new(operation, caller))?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) fn send(&self, durability: Durability, care: Care, work: impl Work + 'static) -> Result<()> {
        self.commands
            .send(Command::Run(durability, care, Box::new(work)))
            .map_err(|_| closed())
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn add(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Result<Added> {
        let mut answers = self.add_each(queue, vec![jobs], now).await;
        answers.pop().unwrap_or_else(|| Err(closed()))
    }

    async fn add_each(&self, queue: &str, batches: Vec<Vec<NewJob>>, now: i64) -> Vec<Result<Added>> {
        self.add_all(queue, batches, now).await
    }

    async fn add_parts(&self, queue: &str, parts: Parts, now: i64) -> Result<Added> {
        self.add_streamed(queue, parts, now).await
    }

    fn plain_adds(&self) -> Option<&dyn PlainAdds> {
        Some(self)
    }

    async fn restore(&self, queue: &str, jobs: Vec<Job>) -> Result<u64> {
        let queue = queue.to_owned();
        self.call(Synced, Order, move |database| manage::restore(database, &queue, jobs))
            .await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed> {
        self.claim_rows(request).await
    }

    async fn finish(&self, finish: Finish, now: i64) -> Result<Finished> {
        let mut answers = self.end(vec![finish], now).await;
        answers.pop().unwrap_or_else(|| Err(closed()))
    }

    async fn finish_all(&self, finishes: Vec<Finish>, now: i64) -> Vec<Result<Finished>> {
        self.end(finishes, now).await
    }

    async fn report(&self, reports: Vec<Report>) -> Result<()> {
        self.call(Lazy, Own, move |database| finish::report(database, &reports))
            .await
    }

    async fn renew(&self, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
        self.call(Lazy, Own, move |database| finish::renew(database, leases, until))
            .await
    }

    async fn rescue(&self, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
        self.call(Lazy, Order, move |database| {
            finish::rescue(database, ended_by, now, max_stalls)
        })
        .await
    }

    async fn promote(&self, now: i64) -> Result<Promoted> {
        self.call(Lazy, Order, move |database| finish::promote(database, now))
            .await
    }

    async fn get(&self, queue: &str, id: &str) -> Result<Option<Job>> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Read, Rows, move |database| lists::get(database, &queue, &id))
            .await
    }

    async fn list(&self, queue: &str, filter: JobFilter) -> Result<Vec<Job>> {
        let queue = queue.to_owned();
        self.call(Read, Rows, move |database| lists::list(database, &queue, &filter))
            .await
    }

    async fn cancel(&self, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Synced, Order, move |database| {
            manage::cancel(database, &queue, &id, now)
        })
        .await
    }

    async fn retry(&self, queue: &str, id: &str, now: i64) -> Result<Job> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Synced, Order, move |database| manage::retry(database, &queue, &id, now))
            .await
    }

    async fn counts(&self, queue: &str) -> Result<Counts> {
        let queue = queue.to_owned();
        self.call(Read, Rows, move |database| lists::counts(database, &queue))
            .await
    }

    async fn clean(&self, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64> {
        let queue = queue.to_owned();
        self.call(Synced, Rows, move |database| {
            manage::clean(database, &queue, ended_by, &statuses)
        })
        .await
    }

    async fn prune(&self, queue: &str, retention: Retention, now: i64) -> Result<u64> {
        let queue = queue.to_owned();
        self.call(Lazy, Own, move |database| {
            manage::prune(database, &queue, retention, now)
        })
        .await
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<()> {
        let queue = queue.to_owned();
        self.call(Synced, Own, move |database| {
            execute(database, sql!("pause"), rusqlite::params![queue, paused]).map(drop)
        })
        .await
    }

    async fn is_paused(&self, queue: &str) -> Result<bool> {
        let queue = queue.to_owned();
        self.call(Read, Own, move |database| {
            Ok(optional(database, sql!("paused"), [queue])?.unwrap_or(false))
        })
        .await
    }

    async fn set_limits(&self, queue: &str, limits: Limits) -> Result<()> {
        let queue = queue.to_owned();
        self.call(Synced, Order, move |database| {
            limited::set_limits(database, &queue, limits)
        })
        .await
    }

    async fn limits(&self, queue: &str) -> Result<Limits> {
        let queue = queue.to_owned();
        self.call(Read, Own, move |db| limited::limits(db, &queue)).await
    }

    async fn set_schedule(&self, schedule: Schedule) -> Result<()> {
        self.call(Synced, Own, move |db| schedules::set(db, &schedule)).await
    }

    async fn remove_schedule(&self, queue: &str, id: &str) -> Result<bool> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Synced, Own, move |db| schedules::remove(db, &queue, &id))
            .await
    }

    async fn schedules(&self, queue: &str) -> Result<Vec<Schedule>> {
        let queue = queue.to_owned();
        self.call(Read, Own, move |database| schedules::list(database, &queue))
            .await
    }

    async fn fire(
        &self,
        schedule: &Schedule,
        next_at: Option<i64>,
        jobs: Vec<NewJob>,
        now: i64,
    ) -> Result<Option<Added>> {
        let schedule = schedule.clone();
        self.call(Synced, Order, move |database| {
            schedules::fire(database, &schedule, next_at, jobs, now)
        })
        .await
    }

    async fn shift(&self, by: i64) -> Result<()> {
        self.call(Lazy, Rows, move |database| manage::shift(database, by)).await
    }

    async fn states(&self, prefix: &str, now: i64) -> Result<Vec<SharedState>> {
        let prefix = prefix.to_owned();
        self.call(Read, Own, move |database| manage::states(database, &prefix, now))
            .await
    }

    async fn set_state(&self, key: &str, version: i64, value: Value, now: i64) -> Result<bool> {
        let (key, text) = (key.to_owned(), checked(key, &value)?);
        self.call(Synced, Own, move |database| {
            manage::set_state(database, &key, version, &text, now)
        })
        .await
    }

    async fn close(&self) {
        let (told, closed) = oneshot::channel();
        if self.commands.send(Command::Close(told)).is_ok() {
            let _ = closed.await;
        }
    }
}
