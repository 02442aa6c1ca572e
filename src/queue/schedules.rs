//! Jobs that are added again and again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::check;
use super::cron::{self, Cron};
use super::hub::Shared;
use super::{JobOptions, NewJob};
use crate::error::{Code, Error, Result};
use crate::store::{JobData, Missed, Schedule};

/// What is added, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleOptions {
    pub cron: String,
    #[serde(default = "utc")]
    pub time_zone: String,
    #[serde(default)]
    pub missed: Missed,
    pub name: String,
    #[serde(default)]
    pub data: JobData,
    #[serde(default)]
    pub options: JobOptions,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// The schedule as it is stored first.
pub fn begin(queue: &str, id: &str, options: ScheduleOptions, now: i64) -> Result<Schedule> {
    check::name("schedule", id)?;
    let next_at = Cron::read(&options.cron, &options.time_zone)?.next(now);
    if next_at.is_none() {
        return Err(Error::new(
            Code::OptionInvalid,
            format!("`cron` {:?} never comes true", options.cron),
        ));
    }
    let job = NewJob {
        name: options.name,
        data: options.data,
        options: options.options,
        reference: None,
    };
    check_job(&job)?;
    Ok(Schedule {
        queue: queue.to_owned(),
        id: id.to_owned(),
        cron: options.cron,
        time_zone: options.time_zone,
        missed: options.missed,
        job,
        next_at,
        last_at: None,
    })
}

/// A schedule of another store, with the times that it had there.
pub fn moved(queue: &str, schedule: Schedule) -> Result<Schedule> {
    check::name("schedule", &schedule.id)?;
    Cron::read(&schedule.cron, &schedule.time_zone)?;
    check_job(&schedule.job)?;
    Ok(Schedule {
        queue: queue.to_owned(),
        ..schedule
    })
}

fn check_job(job: &NewJob) -> Result<()> {
    if job.options.run_at.is_some() || !job.options.depends_on.is_empty() {
        return Err(Error::new(
            Code::OptionInvalid,
            "a schedule's job has no `runAt` and no `dependsOn`",
        ));
    }
    check::jobs(std::slice::from_ref(job))
}

/// Adds what a due schedule adds, unless another process was first.
pub async fn fire(shared: &Shared, schedule: &Schedule) -> Result<()> {
    let now = shared.clock.now_ms();
    let firing = match cron::firing(schedule, now) {
        Ok(firing) => firing,
        Err(error) => {
            tracing::error!("the schedule {:?} is not understood and stops: {error}", schedule.id);
            cron::Firing {
                times: Vec::new(),
                next_at: None,
            }
        }
    };
    let jobs = firing.times.iter().map(|at| job_for(schedule, *at)).collect();
    let fired = shared.store.fire(schedule, firing.next_at, jobs, now).await?;
    if let (Some(added), Some(core)) = (fired, shared.opened(&schedule.queue)) {
        shared.added(&core, [&added]);
    }
    Ok(())
}

/// Its metadata say for what time it was added.
fn job_for(schedule: &Schedule, at: i64) -> NewJob {
    let mut job = schedule.job.clone();
    job.options.run_at = Some(at.saturating_add_unsigned(job.options.delay.take().unwrap_or(0)));
    let metadata = job.options.metadata.get_or_insert_with(|| json!({}));
    if let Value::Object(metadata) = metadata {
        metadata.insert("schedule".to_owned(), json!({ "id": schedule.id, "at": at }));
    }
    job
}
