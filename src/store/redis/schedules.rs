//! Schedules of jobs that are added again and again, and limits of queues.

use redis::Value;

use super::PREFIX;
use super::insert::{outcome, push};
use super::record;
use super::redis_store::RedisStore;
use super::rows::{items, number, parts, string};
use super::scripts::{self, FIRE, SCHEDULE_LIST, SCHEDULE_REMOVE, SCHEDULE_SET};
use crate::error::{Code, Result};
use crate::store::dependencies::begin_all;
use crate::store::job::NewJob;
use crate::store::job_store::{Added, Notice};
use crate::store::limits::Limits;
use crate::store::rules::{json, value};
use crate::store::schedule::Schedule;

fn time(at: Option<i64>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// As `JobStore` says.
pub async fn set_limits(store: &RedisStore, queue: &str, limits: Limits) -> Result<()> {
    let key = |what| format!("{PREFIX}:{what}:{queue}");
    let mut command = redis::cmd("UNLINK");
    if limits.is_none() {
        command.arg(key("limits")).arg(key("since")).arg(key("used"));
    } else {
        command = redis::cmd("SET");
        command.arg(key("limits")).arg(json(&limits)?);
    }
    store.command(&command).await?;
    store.notifier.tell(Notice::Limited(queue.to_owned()));
    store.notifier.ready([queue.to_owned()]);
    Ok(())
}

/// As `JobStore` says.
pub async fn set(store: &RedisStore, schedule: Schedule) -> Result<()> {
    let mut call = scripts::call(&SCHEDULE_SET);
    call.arg(&schedule.queue)
        .arg(&schedule.id)
        .arg(&schedule.cron)
        .arg(&schedule.time_zone)
        .arg(json(&schedule.missed)?)
        .arg(json(&schedule.job)?)
        .arg(time(schedule.next_at))
        .arg(time(schedule.last_at));
    store.call(&call, &SCHEDULE_SET, true).await?;
    store.notifier.tell(Notice::Due);
    Ok(())
}

/// As `JobStore` says.
pub async fn remove(store: &RedisStore, queue: &str, id: &str) -> Result<bool> {
    let mut call = scripts::call(&SCHEDULE_REMOVE);
    call.arg(queue).arg(id);
    Ok(store.call(&call, &SCHEDULE_REMOVE, false).await? == Value::Int(1))
}

/// As `JobStore` says.
pub async fn list(store: &RedisStore, queue: &str) -> Result<Vec<Schedule>> {
    let mut call = scripts::call(&SCHEDULE_LIST);
    call.arg(queue);
    read(store.call(&call, &SCHEDULE_LIST, true).await?)
}

/// Rows in the order of `SCHEDULE` in `schedules.lua`.
pub fn read(rows: Value) -> Result<Vec<Schedule>> {
    items(rows)?
        .into_iter()
        .map(|row| {
            let [queue, id, cron, time_zone, missed, job, next_at, last_at] = parts(row)?;
            Ok(Schedule {
                queue: string(&queue)?,
                id: string(&id)?,
                cron: string(&cron)?,
                time_zone: string(&time_zone)?,
                missed: value(&string(&missed)?)?,
                job: value(&string(&job)?)?,
                next_at: number(&next_at),
                last_at: number(&last_at),
            })
        })
        .collect()
}

/// As `JobStore` says.
pub async fn fire(
    store: &RedisStore,
    schedule: &Schedule,
    next_at: Option<i64>,
    new: Vec<NewJob>,
    now: i64,
) -> Result<Option<Added>> {
    let queue = &schedule.queue;
    let mut jobs = Vec::with_capacity(new.len());
    // Each is an add of its own, which another one's key may refuse.
    for one in new {
        jobs.extend(begin_all(queue, vec![one], now)?);
    }
    let mut call = scripts::call(&FIRE);
    call.arg(queue)
        .arg(&schedule.id)
        .arg(time(schedule.next_at))
        .arg(time(next_at));
    for job in &jobs {
        push(&mut call, job, &record::write(job)?)?;
    }
    let answer = store.call(&call, &FIRE, false).await?;
    if answer == Value::Nil {
        return Ok(None);
    }
    let mut all = Added::default();
    for (answer, job) in items(answer)?.into_iter().zip(jobs) {
        match outcome(answer, vec![job]) {
            Ok(added) => all.extend(added),
            Err(error) if error.code() == Code::JobDuplicate => {}
            Err(error) => return Err(error),
        }
    }
    store.notifier.added(queue, &all);
    store.notifier.tell(Notice::Due);
    Ok(Some(all))
}
