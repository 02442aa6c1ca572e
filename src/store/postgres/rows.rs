//! Rows to jobs.

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::failure::coded;
use crate::error::Result;
use crate::store::job::{Job, JobFailure};
use crate::store::job_store::{Claim, ReadAhead};
use crate::store::rules::{status, value};

/// A value of a row, or the error that says that it is not what it should be.
pub fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| coded(&error))
}

/// A row of `columns.sql`.
pub fn claim(row: &Row) -> Result<Claim> {
    let number = |index| get::<i32>(row, index).map(i32::unsigned_abs);
    let text = |index| get::<Option<&str>>(row, index);
    let code: Option<String> = get(row, 13)?;
    let message: Option<String> = get(row, 14)?;
    let job = Job {
        id: get(row, 1)?,
        queue: get(row, 2)?,
        name: get(row, 3)?,
        data: value(get(row, 4)?)?,
        options: value(get(row, 5)?)?,
        status: status(get::<i16>(row, 6)? as u8)?,
        attempts: number(7)?,
        progress: get(row, 8)?,
        stage: get(row, 9)?,
        iteration: get::<i64>(row, 10)? as u32,
        checkpoint: text(11)?.map_or(Ok(Value::Null), value)?,
        result: text(12)?.map(value).transpose()?,
        error: code.zip(message).map(|(code, message)| JobFailure { code, message }),
        created_at: get(row, 15)?,
        run_at: get(row, 16)?,
        started_at: get(row, 17)?,
        finished_at: get(row, 18)?,
        waits_for: number(21)?,
        log: get(row, 22)?,
    };
    Ok(Claim {
        job: Box::new(job),
        fence: get(row, 19)?,
        stalls: number(20)?,
    })
}

/// The same as what is read ahead, or as what its worker starts at once.
pub fn read_ahead(row: &Row) -> Result<std::result::Result<ReadAhead, Claim>> {
    let claim = claim(row)?;
    Ok(if get(row, 23)? {
        let doubtful = get(row, 24)?;
        Ok(ReadAhead { claim, doubtful })
    } else {
        Err(claim)
    })
}

/// The same, without what only a worker needs.
pub fn jobs(rows: &[Row]) -> Result<Vec<Job>> {
    rows.iter().map(|row| claim(row).map(|claim| *claim.job)).collect()
}

/// Text as `PostgreSQL` can hold it, which is without the character NUL.
pub fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
