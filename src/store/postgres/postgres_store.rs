//! The handle.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::batcher::Batcher;
use super::connections::{Commit, Connections, Value};
use super::finish::{Ended, finish};
use super::insert::{Add, add};
use super::listener::Listener;
use super::notifier::Notifier;
use super::rows::{claim, clean, get, jobs};
use super::server_clock::ServerClock;
use super::{migrations, sql};
use crate::clock::{SharedClock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::store::StoreUrl;
use crate::store::job::{Job, JobFailure, JobStatus, NewJob};
use crate::store::job_store::{
    ClaimRequest, Claimed, Counts, Finish, JobFilter, JobStore, Lease, Notice, Promoted, Report, Rescued, Retention,
};
use crate::store::rules::{FINAL, LOG_LINES, begin, closed, duplicate, json, not_again, not_found, number, status};

/// How long a closing store waits for calls that run, which may wait for a server that is away.
const CLOSE: Duration = Duration::from_secs(5);
/// Notices that a slow listener may miss before it is told so.
const NOTICES: usize = 1_024;
/// Claims of one millisecond that get tokens of their own.
const TOKENS: i64 = 4_096;

/// Jobs on a PostgreSQL server.
pub struct PostgresStore {
    connections: Arc<Connections>,
    notifier: Arc<Notifier>,
    adds: Batcher<Add, Result<Vec<Job>>>,
    ends: Batcher<Ended, Result<bool>>,
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
        tasks.spawn(notifier.clone().run(connections.clone(), own, stop.clone()));
        let adds = Batcher::start({
            let connections = connections.clone();
            move |batch| add(connections.clone(), batch).boxed()
        });
        let ends = Batcher::start({
            let (connections, notifier) = (connections.clone(), notifier.clone());
            move |batch| finish(connections.clone(), notifier.clone(), batch).boxed()
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

    async fn query(&self, commit: Commit, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>> {
        let _call = self.call()?;
        // Everything but claims and retries does no harm twice.
        self.connections.query(commit, true, sql, values).await
    }

    fn call(&self) -> Result<tokio_util::task::task_tracker::TaskTrackerToken> {
        if self.calls.is_closed() {
            Err(closed())
        } else {
            Ok(self.calls.token())
        }
    }

    fn ready(&self, queues: impl IntoIterator<Item = String>) {
        for queue in queues {
            self.notifier.tell(Notice::Ready(queue));
        }
    }
}

#[async_trait]
impl JobStore for PostgresStore {
    async fn add(&self, queue: &str, jobs: Vec<NewJob>, now: i64) -> Result<Vec<Job>> {
        let _call = self.call()?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let add = Add::new(jobs.into_iter().map(|job| begin(queue, job, now)).collect())?;
        let bytes = add.bytes();
        let jobs = self.adds.call(add, bytes).await.ok_or_else(closed)??;
        if jobs.iter().any(|job| job.status == JobStatus::Scheduled) {
            self.notifier.tell(Notice::Due);
        }
        self.ready([queue.to_owned()]);
        Ok(jobs)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed> {
        let _call = self.call()?;
        // The machine's own time, so that a token is new even where the server forgot a claim in a crash.
        let token = SystemClock::shared().now_ms() * TOKENS + fastrand::i64(0..TOKENS);
        let (limit, names) = (i32::try_from(request.limit).unwrap_or(i32::MAX), &request.names);
        let values: [Value<'_>; 6] = [
            &request.queue,
            names,
            &limit,
            &request.now,
            &request.lease_until,
            &token,
        ];
        let statement = concat!("SELECT ", sql!("columns", "claim"));
        let rows = self.connections.query(Commit::Lazy, false, statement, &values).await?;
        let claims = rows.iter().map(claim).collect::<Result<Vec<_>>>()?;
        let unfinished = claims.is_empty() && {
            let rows = self
                .connections
                .query(Commit::Lazy, true, sql!("unfinished"), &[&request.queue])
                .await?;
            rows.first().map_or(Ok(false), |row| get(row, 0))?
        };
        Ok(Claimed { claims, unfinished })
    }

    async fn finish(&self, finish: Finish, now: i64) -> Result<bool> {
        let _call = self.call()?;
        let end = Ended::new(finish, now)?;
        let bytes = end.bytes();
        self.ends.call(end, bytes).await.ok_or_else(closed)?
    }

    async fn report(&self, reports: Vec<Report>) -> Result<()> {
        for report in reports {
            let checkpoint = report.checkpoint.as_ref().map(json).transpose()?;
            let (stage, lines) = (
                report.stage.as_deref().map(clean),
                report.lines.iter().map(|line| clean(line)),
            );
            let (lines, iteration): (Vec<_>, _) = (lines.collect(), report.iteration.map(i64::from));
            let Lease { id, fence } = &report.lease;
            let kept = LOG_LINES as i32;
            let values: [Value<'_>; 8] = [
                id,
                fence,
                &report.progress,
                &stage,
                &iteration,
                &checkpoint,
                &lines,
                &kept,
            ];
            self.query(Commit::Lazy, sql!("report"), &values).await?;
        }
        Ok(())
    }

    async fn renew(&self, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
        if leases.is_empty() {
            return Ok(leases);
        }
        let (ids, fences): (Vec<_>, Vec<_>) = leases.into_iter().map(|lease| (lease.id, lease.fence)).unzip();
        self.query(Commit::Lazy, sql!("renew"), &[&ids, &fences, &until])
            .await?;
        let lost = self.query(Commit::Lazy, sql!("lost"), &[&ids, &fences]).await?;
        lost.iter()
            .map(|row| {
                Ok(Lease {
                    id: get(row, 0)?,
                    fence: get(row, 1)?,
                })
            })
            .collect()
    }

    async fn rescue(&self, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
        let (most, code) = (i32::try_from(max_stalls).unwrap_or(i32::MAX), Code::LeaseLost.as_str());
        let rows = self
            .query(Commit::Lazy, sql!("rescue"), &[&ended_by, &now, &most, &code])
            .await?;
        let rescued = rows
            .iter()
            .map(|row| {
                let failed = status(get::<i16>(row, 3)? as u8)? == JobStatus::Failed;
                let message: Option<String> = get(row, 4)?;
                let failure = message.filter(|_| failed).map(|message| JobFailure {
                    code: code.to_owned(),
                    message,
                });
                Ok(Rescued {
                    queue: get(row, 0)?,
                    id: get(row, 1)?,
                    name: get(row, 2)?,
                    failure,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        self.ready(rescued.iter().map(|one| one.queue.clone()));
        Ok(rescued)
    }

    async fn promote(&self, now: i64) -> Result<Promoted> {
        let rows = self.query(Commit::Lazy, sql!("promote"), &[&now]).await?;
        let mut queues = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()?;
        queues.sort_unstable();
        queues.dedup();
        self.ready(queues.iter().cloned());
        let rows = self.query(Commit::Lazy, sql!("next_due"), &[]).await?;
        let next_due = rows.first().map_or(Ok(None), |row| get(row, 0))?;
        Ok(Promoted { queues, next_due })
    }

    async fn get(&self, queue: &str, id: &str) -> Result<Option<Job>> {
        if id.contains('\0') {
            return Ok(None);
        }
        let statement = concat!("SELECT ", sql!("columns", "get"));
        Ok(jobs(&self.query(Commit::Lazy, statement, &[&queue, &id]).await?)?.pop())
    }

    async fn list(&self, queue: &str, filter: JobFilter) -> Result<Vec<Job>> {
        let before: i64 = match filter.cursor.as_deref().map(clean) {
            None => i64::MAX,
            Some(id) => match self.query(Commit::Lazy, sql!("seq_of"), &[&id]).await?.first() {
                Some(row) => get(row, 0)?,
                None => 0,
            },
        };
        let name = filter.name.as_deref().map(clean);
        let (limit, wanted) = (
            i64::from(filter.limit.unwrap_or(100)),
            filter.status.map(|s| i16::from(number(s))),
        );
        let values: [Value<'_>; 5] = [&queue, &before, &name, &limit, &wanted];
        jobs(
            &self
                .query(Commit::Lazy, concat!("SELECT ", sql!("columns", "list")), &values)
                .await?,
        )
    }

    async fn cancel(&self, queue: &str, id: &str, now: i64) -> Result<Option<Job>> {
        let (id, statement) = (clean(id), sql!("cancel", "columns"));
        let _call = self.call()?;
        let rows = self
            .connections
            .query(Commit::Synced, false, statement, &[&queue, &id, &now])
            .await?;
        let job = jobs(&rows)?.pop();
        if job.is_some() {
            self.notifier.tell(Notice::Cancelled(id));
        }
        Ok(job)
    }

    async fn retry(&self, queue: &str, id: &str, now: i64) -> Result<Job> {
        let Some(job) = self.get(queue, id).await? else {
            return Err(not_found(id));
        };
        if let (true, Some(key)) = (job.status.is_final(), &job.options.unique_key) {
            let values: [Value<'_>; 3] = [&vec![queue], &vec![key.as_str()], &vec![id]];
            if let Some(row) = self.query(Commit::Lazy, sql!("find_unique"), &values).await?.first() {
                return Err(duplicate(get(row, 2)?));
            }
        }
        let _call = self.call()?;
        let values: [Value<'_>; 3] = [&queue, &id, &now];
        let rows = self
            .connections
            .query(Commit::Synced, false, sql!("retry", "columns"), &values)
            .await?;
        let again = jobs(&rows)?.pop().ok_or_else(|| not_again(job.status))?;
        self.ready([queue.to_owned()]);
        Ok(again)
    }

    async fn counts(&self, queue: &str) -> Result<Counts> {
        let rows = self.query(Commit::Lazy, sql!("oldest_waiting"), &[&queue]).await?;
        let oldest_waiting = rows.first().map(|row| get(row, 0)).transpose()?;
        let mut counts = Counts {
            oldest_waiting,
            ..Counts::default()
        };
        for row in self.query(Commit::Lazy, sql!("counts"), &[&queue]).await? {
            *match status(get::<i16>(&row, 0)? as u8)? {
                JobStatus::Pending => &mut counts.pending,
                JobStatus::Scheduled => &mut counts.scheduled,
                JobStatus::Running => &mut counts.running,
                JobStatus::Retrying => &mut counts.retrying,
                JobStatus::Completed => &mut counts.completed,
                JobStatus::Failed => &mut counts.failed,
                JobStatus::Cancelled => &mut counts.cancelled,
            } = get::<i64>(&row, 1)?.unsigned_abs();
        }
        Ok(counts)
    }

    async fn clean(&self, queue: &str, ended_by: i64, statuses: Vec<JobStatus>) -> Result<u64> {
        let over = statuses.into_iter().filter(|status| status.is_final());
        let numbers: Vec<i16> = over.map(|status| number(status).into()).collect();
        let connection = self.connections.connection(Commit::Synced).await?;
        let deleted = connection.execute(sql!("clean"), &[&queue, &numbers, &ended_by]).await;
        deleted.map_err(|error| super::failure::coded(&error))
    }

    async fn prune(&self, queue: &str, retention: Retention, now: i64) -> Result<u64> {
        let (keep, before) = (
            i64::try_from(retention.count).unwrap_or(i64::MAX),
            now.saturating_sub(retention.age),
        );
        let mut deleted = 0;
        for status in FINAL.map(|status| i16::from(number(status))) {
            let connection = self.connections.connection(Commit::Lazy).await?;
            let statement = connection
                .prepare_cached(sql!("prune"))
                .await
                .map_err(|e| super::failure::coded(&e))?;
            let answer = connection.execute(&statement, &[&queue, &status, &keep, &before]).await;
            deleted += answer.map_err(|error| super::failure::coded(&error))?;
        }
        Ok(deleted)
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<()> {
        self.query(Commit::Synced, sql!("pause"), &[&queue, &paused]).await?;
        self.notifier.tell(Notice::Paused(queue.to_owned(), paused));
        Ok(())
    }

    async fn is_paused(&self, queue: &str) -> Result<bool> {
        let rows = self.query(Commit::Lazy, sql!("paused"), &[&queue]).await?;
        rows.first().map_or(Ok(false), |row| get(row, 0))
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
