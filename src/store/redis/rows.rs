//! Answers of scripts to jobs.

use std::str::FromStr;

use redis::Value;

use super::failure::unavailable;
use super::record::{self, Record, damaged};
use crate::error::{Error, Result};
use crate::store::job::{Job, JobFailure, JobStatus};
use crate::store::job_store::{Claim, ReadAhead};
use crate::store::rules::{status, value};

/// A value as text, where it is one.
pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// A value as a number, where it is one.
pub fn number<T: FromStr + TryFrom<i64>>(value: &Value) -> Option<T> {
    match value {
        Value::Int(number) => T::try_from(*number).ok(),
        other => text(other)?.parse().ok(),
    }
}

/// A value that must be text.
pub fn string(value: &Value) -> Result<String> {
    text(value).map(ToOwned::to_owned).ok_or_else(unexpected)
}

/// The items of a list.
pub fn items(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(unexpected()),
    }
}

/// The items of a list of a known length.
pub fn parts<const N: usize>(value: Value) -> Result<[Value; N]> {
    items(value)?.try_into().map_err(|_| unexpected())
}

/// The server answered what no script answers.
pub fn unexpected() -> Error {
    unavailable("an answer was not understood")
}

/// Rows to jobs.
pub fn jobs(rows: Value) -> Result<Vec<Job>> {
    items(rows)?.into_iter().map(|row| Ok(*claim(row)?.job)).collect()
}

/// A job that was claimed for the first time.
pub fn first_claim(id: String, record: &str, fence: i64, now: i64) -> Result<Claim> {
    let job = Job {
        status: JobStatus::Running,
        attempts: 1,
        started_at: Some(now),
        ..job(id, record::read(record)?)
    };
    let job = Box::new(job);
    Ok(Claim { job, fence, stalls: 0 })
}

/// As it was added.
fn job(id: String, record: Record) -> Job {
    let Record {
        queue,
        name,
        data,
        options,
        created_at,
        run_at,
    } = record;
    Job {
        data,
        options,
        created_at,
        run_at,
        ..Job::waiting(id, queue, name)
    }
}

/// In the order of `FIELDS` in `packed.lua`.
pub fn claim(row: Value) -> Result<Claim> {
    read_ahead(row).map(|held| held.claim)
}

/// The same as what is read ahead.
pub fn read_ahead(row: Value) -> Result<ReadAhead> {
    let [
        state,
        attempts,
        stalls,
        fence,
        started_at,
        progress,
        stage,
        iteration,
        checkpoint,
        result,
        code,
        message,
        run_at,
        finished_at,
        waits_for,
        doubtful,
        id,
        record,
        log,
    ] = parts(row)?;
    let optional = |value: &Value| text(value).map(ToOwned::to_owned);
    let error = optional(&code)
        .zip(optional(&message))
        .map(|(code, message)| JobFailure { code, message });
    let added = job(
        optional(&id).ok_or_else(damaged)?,
        record::read(text(&record).ok_or_else(damaged)?)?,
    );
    let job = Job {
        status: status(number(&state).ok_or_else(damaged)?)?,
        attempts: number(&attempts).unwrap_or(0),
        progress: text(&progress).and_then(|text| text.parse().ok()).unwrap_or(0.0),
        stage: optional(&stage),
        iteration: number(&iteration).unwrap_or(0),
        log: items(log)?.iter().filter_map(optional).collect(),
        checkpoint: text(&checkpoint).map_or(Ok(serde_json::Value::Null), value)?,
        result: text(&result).map(value).transpose()?,
        error,
        run_at: number(&run_at).unwrap_or(added.run_at),
        started_at: number(&started_at),
        finished_at: number(&finished_at),
        waits_for: number(&waits_for).unwrap_or(0),
        ..added
    };
    Ok(ReadAhead {
        claim: Claim {
            job: Box::new(job),
            fence: number(&fence).unwrap_or(0),
            stalls: number(&stalls).unwrap_or(0),
        },
        doubtful: text(&doubtful).is_some(),
    })
}
