//! What does not change of a job, as one value: times, priority, the lengths of what follows, and a new line; then queue,
//! name, fair key, data and, where they are not the usual ones, options. `packed.lua` reads the first of these.

use std::fmt::Write as _;

use crate::error::{Code, Error, Result};
use crate::store::job::{Job, JobOptions};
use crate::store::job_data::JobData;
use crate::store::rules::{json, value};

/// What the record of a job says.
#[derive(Debug, PartialEq)]
pub struct Record {
    pub queue: String,
    pub name: String,
    pub data: JobData,
    pub options: JobOptions,
    pub created_at: i64,
    pub run_at: i64,
}

/// The record of a job.
pub fn write(job: &Job) -> Result<String> {
    let options = if job.options == JobOptions::default() {
        String::new()
    } else {
        json(&job.options)?
    };
    let (key, data) = (job.options.fair_key.as_deref().unwrap_or_default(), job.data.text());
    let texts = [&job.queue, &job.name, key, data, &options];
    let mut record = String::with_capacity(80 + texts.iter().map(|text| text.len()).sum::<usize>());
    let (created, run_at, priority) = (job.created_at, job.run_at, u8::from(job.options.priority));
    // Writing into a string does not fail.
    let _ = write!(record, "{created} {run_at} {priority}");
    for text in &texts[..4] {
        let _ = write!(record, " {}", text.len());
    }
    record.push('\n');
    record.extend(texts);
    Ok(record)
}

/// Reads a record.
pub fn read(record: &str) -> Result<Record> {
    let (head, mut rest) = record.split_once('\n').ok_or_else(damaged)?;
    let mut numbers = head
        .split(' ')
        .map(|number| number.parse::<i64>().map_err(|_| damaged()));
    let mut number = || numbers.next().ok_or_else(damaged)?;
    let (created_at, run_at, _priority) = (number()?, number()?, number()?);
    let mut text = || {
        let length = usize::try_from(number()?).map_err(|_| damaged())?;
        let (text, after) = rest.split_at_checked(length).ok_or_else(damaged)?;
        rest = after;
        Ok::<_, Error>(text)
    };
    let (queue, name, _key, data) = (text()?, text()?, text()?, text()?);
    Ok(Record {
        queue: queue.to_owned(),
        name: name.to_owned(),
        data: JobData::from_text(data.to_owned()).map_err(|_| damaged())?,
        options: if rest.is_empty() {
            JobOptions::default()
        } else {
            value(rest)?
        },
        created_at,
        run_at,
    })
}

/// A job that is not what it should be.
pub fn damaged() -> Error {
    Error::new(Code::StoreCorrupt, "a job of the job store is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::job::NewJob;
    use crate::store::rules::begin;

    fn job(options: JobOptions) -> Job {
        let new = NewJob {
            name: "näme 1\n2 3".into(),
            data: serde_json::json!({ "a": "1\n" }).into(),
            options,
            reference: None,
        };
        begin("que ue\n", new, -5)
    }

    #[test]
    fn what_was_written_is_read() {
        let keyed = JobOptions {
            fair_key: Some("k\n 7".into()),
            retries: 9,
            ..JobOptions::default()
        };
        for options in [JobOptions::default(), keyed] {
            let job = job(options);
            let found = read(&write(&job).unwrap()).unwrap();
            assert_eq!((&found.queue, &found.name), (&job.queue, &job.name));
            assert_eq!((&found.data, &found.options), (&job.data, &job.options));
            assert_eq!((found.created_at, found.run_at), (job.created_at, job.run_at));
        }
    }

    #[test]
    fn a_damaged_record_is_told() {
        let whole = write(&job(JobOptions::default())).unwrap();
        for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            assert_eq!(read(&whole[..cut]).unwrap_err().code(), Code::StoreCorrupt, "{cut}");
        }
    }
}
