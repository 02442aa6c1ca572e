//! The handle: sends commands to the thread that owns the connection.

use std::sync::mpsc::{self, Sender};
use std::thread;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::oneshot;

use super::database::Database;
use super::rows::{execute, optional};
use super::writer::{self, Command, Durability, Task};
use super::{claim, finish, manage, sql};
use crate::error::{Code, Error, Result};
use crate::store::data_directory::{DataDirectory, Held};
use crate::store::job::{Job, JobStatus, NewJob};
use crate::store::job_store::{
    ClaimRequest, Claimed, Counts, Finish, JobFilter, JobStore, Lease, Promoted, Report, Rescued, Retention,
};
use crate::store::rules::closed;
use crate::store::shared_state::{SharedState, checked};

/// Jobs in `SQLite`. The thread ends when the handle is closed or dropped.
#[derive(Debug)]
pub struct SqliteStore {
    commands: Sender<Command>,
}

impl SqliteStore {
    /// Opens the database of a directory that this process holds. `now` names a damaged file.
    pub async fn open(directory: &DataDirectory, held: Held, now: i64) -> Result<Self> {
        let path = directory.database();
        Self::start(move || Database::open(&path, now), Box::new(held)).await
    }

    /// A store that is gone when it is closed.
    pub async fn in_memory() -> Result<Self> {
        Self::start(Database::in_memory, Box::new(())).await
    }

    async fn start(open: impl FnOnce() -> Result<Database> + Send + 'static, held: Box<dyn Send>) -> Result<Self> {
        let (opened, waiting) = oneshot::channel();
        let (commands, received) = mpsc::channel();
        thread::Builder::new()
            .name("auton8n-store".to_owned())
            .spawn(move || match open() {
                Ok(database) => {
                    let _ = opened.send(Ok(()));
                    writer::run(database, &received, held);
                }
                Err(error) => {
                    drop(held);
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|error| {
                Error::new(Code::StoreUnavailable, "no thread could be started for the job store").because(error)
            })?;
        waiting.await.map_err(|_| closed())??;
        Ok(Self { commands })
    }

    async fn call<T: Send + 'static>(
        &self,
        durability: Durability,
        operation: impl FnOnce(&mut Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (caller, answer) = oneshot::channel();
        let task = Box::new(Task::new(operation, caller));
        self.commands
            .send(Command::Run(durability, task))
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn add(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Result<Vec<Job>> {
        let queue = queue.to_owned();
        self.call(Durability::Synced, move |database| {
            manage::add(database, &queue, jobs, now)
        })
        .await
    }

    async fn restore(&self, queue: &str, jobs: Vec<Job>) -> Result<u64> {
        let queue = queue.to_owned();
        self.call(Durability::Synced, move |database| {
            manage::restore(database, &queue, jobs)
        })
        .await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed> {
        self.call(Durability::Lazy, move |database| claim::claim(database, &request))
            .await
    }

    async fn finish(&self, finish: Finish, now: i64) -> Result<bool> {
        self.call(Durability::Lazy, move |database| finish::finish(database, &finish, now))
            .await
    }

    async fn report(&self, reports: Vec<Report>) -> Result<()> {
        self.call(Durability::Lazy, move |database| finish::report(database, &reports))
            .await
    }

    async fn renew(&self, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
        self.call(Durability::Lazy, move |database| finish::renew(database, leases, until))
            .await
    }

    async fn rescue(&self, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
        self.call(Durability::Lazy, move |database| {
            finish::rescue(database, ended_by, now, max_stalls)
        })
        .await
    }

    async fn promote(&self, now: i64) -> Result<Promoted> {
        self.call(Durability::Lazy, move |database| finish::promote(database, now))
            .await
    }

    async fn get(&self, queue: &str, id: &str) -> Result<Option<Job>> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Durability::Read, move |database| manage::get(database, &queue, &id))
            .await
    }

    async fn list(&self, queue: &str, filter: JobFilter) -> Result<Vec<Job>> {
        let queue = queue.to_owned();
        self.call(Durability::Read, move |database| {
            manage::list(database, &queue, &filter)
        })
        .await
    }

    async fn cancel(&self, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Durability::Synced, move |database| {
            manage::cancel(database, &queue, &id, now)
        })
        .await
    }

    async fn retry(&self, queue: &str, id: &str, now: i64) -> Result<Job> {
        let (queue, id) = (queue.to_owned(), id.to_owned());
        self.call(Durability::Synced, move |database| {
            manage::retry(database, &queue, &id, now)
        })
        .await
    }

    async fn counts(&self, queue: &str) -> Result<Counts> {
        let queue = queue.to_owned();
        self.call(Durability::Read, move |database| manage::counts(database, &queue))
            .await
    }

    async fn clean(&self, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64> {
        let queue = queue.to_owned();
        self.call(Durability::Synced, move |database| {
            manage::clean(database, &queue, ended_by, &statuses)
        })
        .await
    }

    async fn prune(&self, queue: &str, retention: Retention, now: i64) -> Result<u64> {
        let queue = queue.to_owned();
        self.call(Durability::Lazy, move |database| {
            manage::prune(database, &queue, retention, now)
        })
        .await
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<()> {
        let queue = queue.to_owned();
        self.call(Durability::Synced, move |database| {
            execute(database, sql!("pause"), rusqlite::params![queue, paused]).map(drop)
        })
        .await
    }

    async fn is_paused(&self, queue: &str) -> Result<bool> {
        let queue = queue.to_owned();
        self.call(Durability::Read, move |database| {
            Ok(optional(database, sql!("paused"), [queue])?.unwrap_or(false))
        })
        .await
    }

    async fn states(&self, prefix: &str, now: i64) -> Result<Vec<SharedState>> {
        let prefix = prefix.to_owned();
        self.call(Durability::Read, move |database| manage::states(database, &prefix, now))
            .await
    }

    async fn set_state(&self, key: &str, version: i64, value: Value, now: i64) -> Result<bool> {
        let (key, text) = (key.to_owned(), checked(key, &value)?);
        self.call(Durability::Synced, move |database| {
            let changed = execute(database, sql!("set_state"), rusqlite::params![key, version, text, now])?;
            Ok(changed > 0)
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
