//! What workers ask of the server.

use super::redis_store::RedisStore;
use super::rows::{self, first_claim, items, number, parts, string, text, unexpected};
use super::schedules;
use super::scripts::{self, BEGIN, CLAIM, PROMOTE, RENEW, REPORT, RESCUE};
use crate::clock::SystemClock;
use crate::error::{Code, Result};
use crate::store::job::JobFailure;
use crate::store::job_store::{ClaimRequest, Claimed, Lease, Notice, Promoted, ReadAhead, Report, Rescued};
use crate::store::rules::{LOG_LINES, json};

/// Claims of one millisecond that get tokens of their own.
const TOKENS: i64 = 4_096;
/// The most leases of one call, which the server does without a pause.
const LEASES: usize = 2_000;

/// As `JobStore` says.
pub async fn claim(store: &RedisStore, request: ClaimRequest, ahead: usize) -> Result<(Claimed, Vec<ReadAhead>)> {
    // The machine's own time, so that a token is new even where the server forgot a claim in a crash.
    let token = SystemClock::shared().now_ms() * TOKENS + fastrand::i64(0..TOKENS);
    let mut call = scripts::call(&CLAIM);
    call.arg(&request.queue)
        .arg(request.limit)
        .arg(request.now)
        .arg(request.lease_until)
        .arg(token)
        .arg(ahead)
        .arg(&request.names);
    let [unfinished, next_at, rows] = parts(store.call(&call, &CLAIM, false).await?)?;
    let mut taken = items(rows)?.into_iter();
    let mut claims = Vec::with_capacity(taken.len() / 2);
    while let (Some(id), Some(found)) = (taken.next(), taken.next()) {
        claims.push(match text(&found) {
            Some(record) => ReadAhead {
                claim: first_claim(string(&id)?, record, token, request.now)?,
                doubtful: false,
            },
            None => rows::read_ahead(found)?,
        });
    }
    let held = claims.split_off(request.limit.min(claims.len()));
    let claimed = Claimed {
        next_at: number(&next_at),
        claims: claims.into_iter().map(|held| held.claim).collect(),
        unfinished: number(&unfinished).is_some_and(|count: i64| count > 0),
    };
    Ok((claimed, held))
}

/// As `JobStore` says.
pub async fn begin(store: &RedisStore, leases: Vec<Lease>, now: i64) -> Result<()> {
    for some in leases.chunks(LEASES) {
        let mut call = scripts::call(&BEGIN);
        call.arg(now);
        for lease in some {
            call.arg(&lease.id).arg(lease.fence);
        }
        store.call(&call, &BEGIN, true).await?;
    }
    Ok(())
}

/// As `JobStore` says.
pub async fn report(store: &RedisStore, reports: Vec<Report>) -> Result<()> {
    if reports.is_empty() {
        return Ok(());
    }
    let mut call = scripts::call(&REPORT);
    call.arg(LOG_LINES);
    for Report {
        lease,
        progress,
        stage,
        iteration,
        checkpoint,
        lines,
    } in reports
    {
        let told = |value: Option<String>| value.unwrap_or_default();
        call.arg(lease.id)
            .arg(lease.fence)
            .arg(told(progress.map(|progress| progress.to_string())))
            .arg(told(stage))
            .arg(told(iteration.map(|iteration| iteration.to_string())))
            .arg(told(checkpoint.as_ref().map(json).transpose()?))
            .arg(lines.len())
            .arg(lines);
    }
    store.call(&call, &REPORT, false).await.map(drop)
}

/// As `JobStore` says.
pub async fn renew(store: &RedisStore, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>> {
    let mut lost = Vec::new();
    for some in leases.chunks(LEASES) {
        let mut call = scripts::call(&RENEW);
        call.arg(until);
        for lease in some {
            call.arg(&lease.id).arg(lease.fence);
        }
        for place in items(store.call(&call, &RENEW, true).await?)? {
            let lease = number::<usize>(&place).and_then(|place| some.get(place));
            lost.push(lease.ok_or_else(unexpected)?.clone());
        }
    }
    Ok(lost)
}

/// As `JobStore` says.
pub async fn rescue(store: &RedisStore, ended_by: i64, now: i64, max_stalls: u32) -> Result<Vec<Rescued>> {
    let mut call = scripts::call(&RESCUE);
    let code = Code::LeaseLost.as_str();
    call.arg(ended_by).arg(now).arg(max_stalls).arg(code);
    let rescued = items(store.call(&call, &RESCUE, false).await?)?
        .into_iter()
        .map(|row| {
            let [queue, id, name, message, ran] = parts(row)?;
            let (code, message) = (code.to_owned(), string(&message)?);
            Ok(Rescued {
                queue: string(&queue)?,
                id: string(&id)?,
                name: string(&name)?,
                ran: number(&ran) == Some(1_i64),
                failure: (!message.is_empty()).then_some(JobFailure { code, message }),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    store.notifier.ready(rescued.iter().map(|one| one.queue.clone()));
    if rescued.iter().any(|one| one.failure.is_some()) {
        // Others may have waited for it.
        store.notifier.tell(Notice::Due);
    }
    Ok(rescued)
}

/// As `JobStore` says.
pub async fn promote(store: &RedisStore, now: i64) -> Result<Promoted> {
    let mut call = scripts::call(&PROMOTE);
    call.arg(now);
    let [next_due, queues, failed, planned] = parts(store.call(&call, &PROMOTE, false).await?)?;
    let mut queues = items(queues)?.iter().map(string).collect::<Result<Vec<_>>>()?;
    queues.sort_unstable();
    store.notifier.ready(queues.iter().cloned());
    let failed = items(failed)?.into_iter().map(|row| {
        let [queue, id, name, code, message] = parts(row)?;
        let (code, message) = (string(&code)?, string(&message)?);
        Ok(Rescued {
            queue: string(&queue)?,
            id: string(&id)?,
            name: string(&name)?,
            ran: true,
            failure: Some(JobFailure { code, message }),
        })
    });
    // A score, which far in the future is written as a fraction.
    let next_due = text(&next_due).and_then(|due| due.parse::<f64>().ok());
    Ok(Promoted {
        queues,
        failed: failed.collect::<Result<_>>()?,
        schedules: schedules::read(planned)?,
        next_due: next_due.map(|due| due as i64),
    })
}
