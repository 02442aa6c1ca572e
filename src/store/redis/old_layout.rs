//! Jobs as format 1 laid them out: a hash with all that is known of a job, and its name, data and options as JSON beside it.

use redis::Value;
use serde::Deserialize;

use super::PREFIX;
use super::links::Unused;
use super::record;
use super::rows::{items, number, parts, string, text, unexpected};
use super::scripts::{self, OLD_JOBS, OLD_JOBS_MOVE, OLD_LEASES};
use crate::error::Result;
use crate::store::job::{JobOptions, NewJob};
use crate::store::job_data::JobData;
use crate::store::rules::{begin, value};

/// About how many keys of the database are looked at in one call.
const LOOK: u32 = 2_000;

#[derive(Deserialize)]
struct Body {
    name: String,
    data: JobData,
    #[serde(default)]
    options: JobOptions,
}

/// Lays all jobs out anew. It may be cut off at any moment, and be done again.
pub async fn lay_out_anew(unused: &mut Unused) -> Result<()> {
    let mut cursor = "0".to_owned();
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor)
            .arg("MATCH")
            .arg(format!("{PREFIX}:body:*"))
            .arg("COUNT")
            .arg(LOOK);
        let [next, keys] = parts(unused.send(&scan).await?)?;
        lay_out(unused, keys).await?;
        cursor = string(&next)?;
        if cursor == "0" {
            break;
        }
    }
    unused.call(&scripts::call(&OLD_LEASES), &OLD_LEASES).await.map(drop)
}

async fn lay_out(unused: &mut Unused, keys: Value) -> Result<()> {
    let before = format!("{PREFIX}:body:");
    let mut find = scripts::call(&OLD_JOBS);
    for key in items(keys)? {
        find.arg(string(&key)?.strip_prefix(&before).ok_or_else(unexpected)?);
    }
    let mut moves = scripts::call(&OLD_JOBS_MOVE);
    for row in items(unused.call(&find, &OLD_JOBS).await?)? {
        let [id, queue, created_at, run_at, body] = parts(row)?;
        let body: Body = value(text(&body).ok_or_else(record::damaged)?)?;
        let new = NewJob {
            name: body.name,
            data: body.data,
            options: body.options,
            reference: None,
        };
        let mut job = begin(&string(&queue)?, new, 0);
        job.created_at = number(&created_at).ok_or_else(record::damaged)?;
        job.run_at = number(&run_at).ok_or_else(record::damaged)?;
        moves.arg(string(&id)?).arg(record::write(&job)?);
    }
    unused.call(&moves, &OLD_JOBS_MOVE).await.map(drop)
}
