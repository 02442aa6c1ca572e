//! Answers of scripts to jobs.

use std::str::FromStr;

use redis::Value;
use serde::{Deserialize, Serialize};

use super::failure::unavailable;
use crate::error::{Code, Error, Result};
use crate::store::job::{Job, JobFailure, JobOptions, JobStatus};
use crate::store::job_data::JobData;
use crate::store::job_store::Claim;
use crate::store::rules::{status, value};

/// What does not change of a job, as it is stored.
#[derive(Serialize)]
pub struct Body<'a> {
    pub name: &'a str,
    pub data: &'a JobData,
    /// Left out where nothing is set, which is a half of most bodies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<&'a JobOptions>,
}

#[derive(Deserialize)]
struct OwnedBody {
    name: String,
    data: JobData,
    #[serde(default)]
    options: JobOptions,
}

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
    items(rows)?.into_iter().map(|row| Ok(claim(row)?.job)).collect()
}

/// A job of a queue that was claimed for the first time, as `claim.lua` answers it.
pub fn first_claim(row: Value, queue: &str, now: i64) -> Result<Claim> {
    let [fence, created_at, run_at, id, body] = parts(row)?;
    let body: OwnedBody = value(text(&body).ok_or_else(damaged)?)?;
    let job = Job {
        id: string(&id)?,
        queue: queue.to_owned(),
        name: body.name,
        data: body.data,
        options: body.options,
        status: JobStatus::Running,
        attempts: 1,
        progress: 0.0,
        stage: None,
        iteration: 0,
        log: Vec::new(),
        checkpoint: serde_json::Value::Null,
        result: None,
        error: None,
        created_at: number(&created_at).ok_or_else(damaged)?,
        run_at: number(&run_at).ok_or_else(damaged)?,
        started_at: Some(now),
        finished_at: None,
        waits_for: 0,
    };
    Ok(Claim {
        job,
        fence: number(&fence).ok_or_else(damaged)?,
        stalls: 0,
    })
}

/// In the order of `FIELDS` in `common.lua`.
pub fn claim(row: Value) -> Result<Claim> {
    let [
        state,
        attempts,
        stalls,
        fence,
        started_at,
        queue,
        progress,
        stage,
        iteration,
        checkpoint,
        result,
        code,
        message,
        created_at,
        run_at,
        finished_at,
        waits_for,
        id,
        body,
        log,
    ] = parts(row)?;
    let body: OwnedBody = value(text(&body).ok_or_else(damaged)?)?;
    let optional = |value: &Value| text(value).map(ToOwned::to_owned);
    let error = optional(&code)
        .zip(optional(&message))
        .map(|(code, message)| JobFailure { code, message });
    let job = Job {
        id: optional(&id).ok_or_else(damaged)?,
        queue: optional(&queue).ok_or_else(damaged)?,
        name: body.name,
        data: body.data,
        options: body.options,
        status: status(number(&state).ok_or_else(damaged)?)?,
        attempts: number(&attempts).unwrap_or(0),
        progress: text(&progress).and_then(|text| text.parse().ok()).unwrap_or(0.0),
        stage: optional(&stage),
        iteration: number(&iteration).unwrap_or(0),
        log: items(log)?.iter().filter_map(optional).collect(),
        checkpoint: text(&checkpoint).map_or(Ok(serde_json::Value::Null), value)?,
        result: text(&result).map(value).transpose()?,
        error,
        created_at: number(&created_at).ok_or_else(damaged)?,
        run_at: number(&run_at).ok_or_else(damaged)?,
        started_at: number(&started_at),
        finished_at: number(&finished_at),
        waits_for: number(&waits_for).unwrap_or(0),
    };
    Ok(Claim {
        job,
        fence: number(&fence).unwrap_or(0),
        stalls: number(&stalls).unwrap_or(0),
    })
}

fn damaged() -> Error {
    Error::new(Code::StoreCorrupt, "a job of the job store is damaged")
}
