//! Records: rows as they lie in a page.

use rusqlite::types::Value;

use crate::store::job::{Job, JobFailure};
use crate::store::rules::{checksum, status, value};

/// What stands in a page.
pub enum Cell {
    /// A row of a job; `None` where its values cannot be read.
    Row {
        seq: i64,
        values: Option<Vec<Value>>,
    },
    /// There is a job of that number.
    Named {
        seq: i64,
    },
    /// What may be the head of a pack, or some of its jobs.
    Head {
        seq: i64,
        values: Vec<Value>,
    },
    Chunk {
        seq: i64,
        bytes: Vec<u8>,
    },
}

/// A number of one to nine bytes, and where the next thing begins.
pub fn varint(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let mut number: u64 = 0;
    for index in 0..9 {
        let byte = *bytes.get(at + index)?;
        if index == 8 {
            return Some(((number << 8 | u64::from(byte)) as i64, at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number as i64, at + index + 1));
        }
    }
    None
}

/// The values of a record; `None` where it is none.
pub fn read_values(payload: &[u8]) -> Option<Vec<Value>> {
    let (header, mut at) = varint(payload, 0)?;
    let end = usize::try_from(header).ok()?;
    let mut body = end;
    let mut values = Vec::new();
    while at < end {
        let (kind, next) = varint(payload, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let bytes = payload.get(body..body.checked_add(length)?)?;
        body += length;
        values.push(match kind {
            0 => Value::Null,
            8 | 9 => Value::Integer(kind - 8),
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            _ if kind % 2 == 1 => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
            _ => Value::Blob(bytes.to_vec()),
        });
    }
    Some(values)
}

fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        -1
    } else {
        0
    };
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

/// The job of a row, where it is whole.
pub fn read_job(values: &[Value]) -> Option<Job> {
    let text = |column: usize| match values.get(column)? {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let integer = |column: usize| match values.get(column)? {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    let (data, options) = (text(4)?, text(5)?);
    let progress = match values.get(15)? {
        Value::Real(progress) => *progress,
        Value::Integer(progress) => *progress as f64,
        _ => return None,
    };
    let job = Job {
        id: text(1)?,
        queue: text(2)?,
        name: text(3)?,
        data: value(&data).ok()?,
        options: value(&options).ok()?,
        status: status(u8::try_from(integer(6)?).ok()?).ok()?,
        attempts: u32::try_from(integer(11)?).ok()?,
        progress,
        stage: text(16),
        iteration: u32::try_from(integer(17)?).ok()?,
        log: Vec::new(),
        checkpoint: text(18).map_or(Ok(serde_json::Value::Null), |text| value(&text)).ok()?,
        result: text(19).map(|text| value(&text)).transpose().ok()?,
        error: text(20)
            .zip(text(21))
            .map(|(code, message)| JobFailure { code, message }),
        created_at: integer(22)?,
        run_at: integer(23)?,
        started_at: integer(24),
        finished_at: integer(25),
        waits_for: u32::try_from(integer(26).unwrap_or(0)).ok()?,
    };
    let sound =
        integer(28).is_none_or(|crc| crc == i64::from(checksum([&job.id, &job.queue, &job.name, &data, &options])));
    (sound && job.status.is_final() == job.finished_at.is_some()).then_some(job)
}
