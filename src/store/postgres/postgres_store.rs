//! The handle.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::connections::{Commit, Connections, Value};
use super::finish::finish;
use super::insert::{Add, add};
use super::listener::Listener;
use super::{apart, manage, migrations, restore, schedules, work};
use crate::clock::SharedClock;
use crate::error::{Error, Result};
use crate::store::dependencies::begin_all;
use crate::store::job::{Job, JobStatus, NewJob};
use crate::store::job_store::{
    Added, ClaimRequest, Claimed, Counts, Finish, Finished, JobFilter, JobStore, Lease, Notice, Promoted, ReadAhead,
    Report, Rescued, Retention,
};
use crate::store::limits::Limits;
use crate::store::rules::closed;
use crate::store::schedule::Schedule;
use crate::store::server::{Batcher, Ended, Notifier, ServerClock, end_all, in_one};
use crate::store::{SharedState, StoreUrl};

/// How long a closing store waits for calls that run, which may wait for a server that is away.
const CLOSE: Duration = Duration::from_secs(5);
/// Batches of ends that are stored at once, so that the next one is sent while the disk is synced.
const ENDS: usize = 2;
/// Notices that a slow listener may miss before it is told so.
const NOTICES: usize = 1_024;

/// Jobs on a `PostgreSQL` server.
pub struct PostgresStore {
    pub(super) connections: Arc<Connections>,
    pub(super) notifier: Arc<Notifier>,
    adds: Batcher<Add, Result<Vec<Job>>>,
    ends: Batcher<Vec<Ended>, Vec<Result<Finished>>>,
    clock: Arc<ServerClock>,
    heard: broadcast::Sender<Notice>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Calls that run.
    calls: TaskTracker,
}

impl PostgresStore {
    /// Connects and brings the schema up to date. Must be called within a tokio runtime.
    pub async fn open(url: &StoreUrl) -> Result<Self> {
        let connections = Connections::new(url)?;
        let (clock, notifier) = (Arc::new(ServerClock::new()), Arc::<Notifier>::default());
        let (heard, stop, tasks) = (
            broadcast::Sender::new(NOTICES),
            CancellationToken::new(),
            TaskTracker::new(),
        );
        let own = Uuid::now_v7().to_string();
        let listener = Listener {
            connections: connections.clone(),
            clock: clock.clone(),
            heard: heard.clone(),
            own: own.clone(),
            stop: stop.clone(),
        };
        let (mut client, payloads) = listener.connect().await?;
        migrations::migrate(&mut client).await?;
        listener.begin(&client).await?;
        tasks.spawn(listener.run(client, payloads));
        tasks.spawn(notifier.clone().run(own, stop.clone(), {
            let connections = connections.clone();
            move |payloads| manage::notify(connections.clone(), payloads)
        }));
        let adds = Batcher::start(1, {
            let connections = connections.clone();
            move |batch| add(connections.clone(), batch).boxed()
        });
        let ends = Batcher::start(ENDS, {
            let (connections, notifier) = (connections.clone(), notifier.clone());
            move |batch| {
                let (connections, notifier) = (connections.clone(), notifier.clone());
                in_one(batch, |all| finish(connections, notifier, all)).boxed()
            }
        });
        Ok(Self {
            connections,
            notifier,
            adds,
            ends,
            clock,
            heard,
            stop,
            tasks,
            calls: TaskTracker::new(),
        })
    }

    /// Runs a statement that does no harm twice.
    pub(super) async fn query(
        &self,
        commit: Commit,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<tokio_postgres::Row>> {
        let _call = self.call()?;
        self.connections.query(commit, true, sql, values).await
    }

    /// A call that runs, which a closing store waits for.
    pub(super) fn call(&self) -> Result<tokio_util::task::task_tracker::TaskTrackerToken> {
        if self.calls.is_closed() {
            Err(closed())
        } else {
            Ok(self.calls.token())
        }
    }
}

#[async_trait]
impl JobStore for PostgresStore {
    async fn add(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Result<Added> {
        let _call = self.call()?;
        if jobs.is_empty() {
            return Ok(Added::default());
        }
        let jobs = begin_all(queue, jobs, now)?;
        if apart::is_apart(&jobs) {
            return apart::add(self, jobs, now).await;
        }
        let add = Add::new(jobs)?;
        let bytes = add.bytes();
        let added = self.adds.call(add, bytes).await.ok_or_else(closed)??.into();
        self.notifier.added(queue, &added);
        Ok(added)
    }

    async fn restore(&self, queue: &str, jobs: Vec<Job>) -> Result<u64> {
        restore::restore(self, queue, jobs).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed> {
        work::claim(self, request, 0).await.map(|(claimed, _)| claimed)
    }

    async fn claim_ahead(&self, request: ClaimRequest, ahead: usize) -> Result<(Claimed, Vec<ReadAhead>)> {
        work::claim(self, request, ahead).await
    }

    async fn begin(&self, leases: Vec<Lease>, now: i64) -> Result<()> {
        work::begin(self, leases, now).await
    }

    fn reads_ahead(&self) -> bool {
        true
    }

    async fn finish(&self, finish: Finish, now: i64) -> Result<Finished> {
        let mut answers = self.finish_all(vec![finish], now).await;
        answers.pop().unwrap_or_else(|| Err(closed()))
    }

    async fn finish_all(&self, finishes: Vec<Finish>, now: i64) -> Vec<Result<Finished>> {
        let Ok(_call) = self.call() else {
            return finishes.iter().map(|_| Err(closed())).collect();
        };
        end_all(&self.ends, finishes, now).await
    }

    async fn report(&self, reports: Vec<Report>) -> Result<()> {
        work::report(self, reports).await
    }

    async fn renew(&self, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
        work::renew(self, leases, until).await
    }

    async fn rescue(&self, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
        work::rescue(self, ended_by, now, max_stalls).await
    }

    async fn promote(&self, now: i64) -> Result<Promoted> {
        work::promote(self, now).await
    }

    async fn get(&self, queue: &str, id: &str) -> Result<Option<Job>> {
        manage::get_job(self, queue, id).await
    }

    async fn list(&self, queue: &str, filter: JobFilter) -> Result<Vec<Job>> {
        manage::list(self, queue, filter).await
    }

    async fn cancel(&self, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
        manage::cancel(self, queue, id, now).await
    }

    async fn retry(&self, queue: &str, id: &str, now: i64) -> Result<Job> {
        manage::retry(self, queue, id, now).await
    }

    async fn counts(&self, queue: &str) -> Result<Counts> {
        manage::counts(self, queue).await
    }

    async fn clean(&self, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64> {
        manage::clean(self, queue, ended_by, statuses).await
    }

    async fn prune(&self, queue: &str, retention: Retention, now: i64) -> Result<u64> {
        manage::prune(self, queue, retention, now).await
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<()> {
        manage::set_paused(self, queue, paused).await
    }

    async fn is_paused(&self, queue: &str) -> Result<bool> {
        manage::is_paused(self, queue).await
    }

    async fn set_limits(&self, queue: &str, limits: Limits) -> Result<()> {
        schedules::set_limits(self, queue, limits).await
    }

    async fn limits(&self, queue: &str) -> Result<Limits> {
        schedules::limits(self, queue).await
    }

    async fn set_schedule(&self, schedule: Schedule) -> Result<()> {
        schedules::set(self, schedule).await
    }

    async fn remove_schedule(&self, queue: &str, id: &str) -> Result<bool> {
        schedules::remove(self, queue, id).await
    }

    async fn schedules(&self, queue: &str) -> Result<Vec<Schedule>> {
        schedules::list(self, queue).await
    }

    async fn fire(
        &self,
        schedule: &Schedule,
        next_at: Option<i64>,
        jobs: Vec<NewJob>,
        now: i64,
    ) -> Result<Option<Added>> {
        let _call = self.call()?;
        let jobs = begin_all(&schedule.queue, jobs, now)?;
        apart::fire(self, schedule, next_at, jobs, now).await
    }

    async fn states(&self, prefix: &str, now: i64) -> Result<Vec<SharedState>> {
        manage::states(self, prefix, now).await
    }

    async fn set_state(&self, key: &str, version: i64, value: serde_json::Value, now: i64) -> Result<bool> {
        manage::set_state(self, key, version, &value, now).await
    }

    async fn close(&self) {
        self.calls.close();
        if tokio::time::timeout(CLOSE, self.calls.wait()).await.is_err() {
            tracing::warn!("the database server is away; what was not stored is done again after its lease");
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.connections.close();
    }

    fn notices(&self) -> Option<broadcast::Receiver<Notice>> {
        Some(self.heard.subscribe())
    }

    fn clock(&self) -> Option<SharedClock> {
        Some(self.clock.clone())
    }

    fn problem(&self) -> Option<Error> {
        self.connections.problem()
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
