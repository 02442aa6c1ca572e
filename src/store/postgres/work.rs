//! What workers ask of the server.

use super::connections::{Commit, Value};
use super::postgres_store::PostgresStore;
use super::rows::{clean, get, read_ahead as to_read_ahead};
use super::{schedules, sql};
use crate::clock::SystemClock;
use crate::error::{Code, Result};
use crate::store::job::{JobFailure, JobStatus};
use crate::store::job_store::{ClaimRequest, Claimed, Lease, Promoted, ReadAhead, Report, Rescued};
use crate::store::rules::{LOG_LINES, json, status};

/// Claims of one millisecond that get tokens of their own.
const TOKENS: i64 = 4_096;

/// As `JobStore` says.
pub async fn claim(store: &PostgresStore, request: ClaimRequest, ahead: usize) -> Result<(Claimed, Vec<ReadAhead>)> {
    let _call = store.call()?;
    // The machine's own time, so that a token is new even where the server forgot a claim in a crash.
    let token = SystemClock::shared().now_ms() * TOKENS + fastrand::i64(0..TOKENS);
    let most = |count| i32::try_from(count).unwrap_or(i32::MAX);
    let (starts, limit) = (most(request.limit), most(request.limit.saturating_add(ahead)));
    let values: [Value<'_>; 7] = [
        &request.queue,
        &request.names,
        &limit,
        &request.now,
        &request.lease_until,
        &token,
        &starts,
    ];
    let statement = concat!("SELECT ", sql!("columns", "claim"));
    let rows = store.connections.query(Commit::Lazy, false, statement, &values).await?;
    let (mut claims, mut read_ahead) = (Vec::new(), Vec::new());
    for row in &rows {
        match to_read_ahead(row)? {
            Ok(ahead) => read_ahead.push(ahead),
            Err(claim) => claims.push(claim),
        }
    }
    let (mut unfinished, mut next_at) = (false, None);
    if rows.is_empty() {
        let values: [Value<'_>; 2] = [&request.queue, &request.now];
        let rows = store
            .connections
            .query(Commit::Lazy, true, sql!("unfinished"), &values)
            .await?;
        if let Some(row) = rows.first() {
            (unfinished, next_at) = (get(row, 0)?, get(row, 1)?);
        }
    }
    let claimed = Claimed {
        claims,
        unfinished,
        next_at,
    };
    Ok((claimed, read_ahead))
}

/// As `JobStore` says.
pub async fn begin(store: &PostgresStore, leases: Vec<Lease>, now: i64) -> Result<()> {
    let (ids, fences): (Vec<_>, Vec<_>) = leases.into_iter().map(|lease| (lease.id, lease.fence)).unzip();
    store
        .query(Commit::Lazy, sql!("begin"), &[&ids, &fences, &now])
        .await
        .map(drop)
}

/// As `JobStore` says.
pub async fn report(store: &PostgresStore, reports: Vec<Report>) -> Result<()> {
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
        store.query(Commit::Lazy, sql!("report"), &values).await?;
    }
    Ok(())
}

/// As `JobStore` says.
pub async fn renew(store: &PostgresStore, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
    if leases.is_empty() {
        return Ok(leases);
    }
    let (ids, fences): (Vec<_>, Vec<_>) = leases.into_iter().map(|lease| (lease.id, lease.fence)).unzip();
    store
        .query(Commit::Lazy, sql!("renew"), &[&ids, &fences, &until])
        .await?;
    let lost = store.query(Commit::Lazy, sql!("lost"), &[&ids, &fences]).await?;
    lost.iter()
        .map(|row| {
            Ok(Lease {
                id: get(row, 0)?,
                fence: get(row, 1)?,
            })
        })
        .collect()
}

/// As `JobStore` says.
pub async fn rescue(store: &PostgresStore, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
    let (most, code) = (i32::try_from(max_stalls).unwrap_or(i32::MAX), Code::LeaseLost.as_str());
    let rows = store
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
                ran: get(row, 5)?,
                failure,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    store.notifier.ready(rescued.iter().map(|one| one.queue.clone()));
    Ok(rescued)
}

/// As `JobStore` says.
pub async fn promote(store: &PostgresStore, now: i64) -> Result<Promoted> {
    let mut failed = Vec::new();
    // An end may let others fail, which then are due at once.
    loop {
        let rows = store.query(Commit::Lazy, sql!("promote_failed"), &[&now]).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            failed.push(Rescued {
                queue: get(&row, 0)?,
                id: get(&row, 1)?,
                name: get(&row, 2)?,
                ran: true,
                failure: Some(JobFailure {
                    code: get(&row, 3)?,
                    message: get(&row, 4)?,
                }),
            });
        }
    }
    let rows = store.query(Commit::Lazy, sql!("promote"), &[&now]).await?;
    let mut queues = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()?;
    queues.sort_unstable();
    queues.dedup();
    store.notifier.ready(queues.iter().cloned());
    let rows = store.query(Commit::Lazy, sql!("next_due"), &[]).await?;
    let next_due: Option<i64> = rows.first().map_or(Ok(None), |row| get(row, 0))?;
    let schedules = match next_due {
        Some(due) if due <= now => schedules::due(store, now).await?,
        _ => Vec::new(),
    };
    Ok(Promoted {
        queues,
        failed,
        schedules,
        next_due,
    })
}
