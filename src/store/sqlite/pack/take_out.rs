//! A job leaves its pack and is a row from then on.

use rusqlite::params;

use super::chunk::Packed;
use super::heads::{end, head, names};
use super::look::find;
use crate::error::Result;
use crate::store::job::JobStatus;
use crate::store::rules::{is_ready, number};
use crate::store::sqlite::database::Database;
use crate::store::sqlite::rows::execute;
use crate::store::sqlite::sql;

/// What its row is to tell.
#[derive(Debug)]
pub struct State<'a> {
    pub status: JobStatus,
    /// 0 where it never started.
    pub fence: i64,
    pub lease_until: i64,
    pub started_at: Option<i64>,
    pub result: Option<&'a str>,
    pub finished_at: Option<i64>,
}

/// It waits, as it did.
pub const WAITING: State<'static> = State {
    status: JobStatus::Pending,
    fence: 0,
    lease_until: 0,
    started_at: None,
    result: None,
    finished_at: None,
};

/// Makes a job a row; false where it is not in its pack any more.
pub fn take_out(database: &Database, packed: &Packed, state: &State<'_>) -> Result<bool> {
    if !end(database, packed.seq())? {
        return Ok(false);
    }
    let sound = packed.is_sound();
    let mut raw = if sound { packed.unchecked() } else { packed.raw() };
    let mut priority = packed.chunk.priority;
    if let Some(head) = head(database, raw.seq)?.filter(|_| !sound) {
        // What the chunk says of them may be what is damaged.
        (raw.job.queue, raw.job.name, priority) = names(database, &head)?;
    }
    let (data, options, crc) = raw.texts();
    let completed = state.status == JobStatus::Completed;
    let values = params![
        raw.job.id,
        raw.job.queue,
        raw.job.name,
        data,
        options,
        number(state.status),
        is_ready(state.status),
        priority,
        u8::from(state.fence > 0),
        state.fence,
        state.lease_until,
        if completed { 100.0 } else { 0.0 },
        state.result,
        raw.job.created_at,
        raw.job.run_at,
        state.started_at,
        state.finished_at,
        crc,
        raw.seq,
    ];
    execute(database, sql!("take_out"), values)?;
    Ok(true)
}

/// Lets the job of that id be a row, where it lies packed.
pub fn by_id(database: &Database, id: &str) -> Result<()> {
    if let Some(packed) = find(database, id)? {
        take_out(database, &packed, &WAITING)?;
    }
    Ok(())
}
