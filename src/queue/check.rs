//! What may be asked of a queue.

use futures_util::StreamExt;
use serde_json::Value;

use super::{JobFilter, Limits, NewJob};
use crate::error::{Code, Error, Result};
use crate::store::{Parts, PlainJobs};

const NAME: usize = 200;
const KEY: usize = 500;
const DATA: usize = 16 * 1024 * 1024;
/// Lists and objects within one another; what reads JSON bounds them at 128, the envelope of a message included.
const DEPTH: usize = 100;
const BATCH: usize = 100_000;
const PARENTS: usize = 1_000;
const TRACE: usize = 8_192;
const LONGEST_RATE: i64 = 31 * 24 * 3_600_000;
/// A hundred years.
const LONGEST: u64 = 100 * 366 * 24 * 3_600_000;

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::OptionInvalid, message)
}

/// A name of a queue or a job.
pub fn name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(invalid(format!(
            "the {what}'s name must have 1 to {NAME} printable characters"
        )));
    }
    Ok(())
}

/// The id of a job or a schedule that is looked for; no store holds one with NUL, and `PostgreSQL` takes none.
pub fn id(id: &str) -> Result<()> {
    if id.contains('\0') {
        return Err(invalid("an id must not contain NUL"));
    }
    Ok(())
}

/// Jobs that are to be added.
pub fn jobs(jobs: &[NewJob]) -> Result<()> {
    if jobs.len() > BATCH {
        return Err(invalid(format!("at most {BATCH} jobs can be added at once")));
    }
    jobs.iter().try_for_each(job)
}

/// Whether plain jobs may be added, each of them.
pub fn plain(jobs: &PlainJobs) -> bool {
    jobs.names().all(|of| name("job", of).is_ok()) && jobs.data().all(|data| data.len() <= DATA && !is_too_deep(data))
}

/// The same where they still arrive.
pub fn parts(parts: Parts) -> Parts {
    let mut count = 0;
    let check = move |part: Result<Vec<NewJob>>| {
        let part = part?;
        count += part.len();
        if count > BATCH {
            return Err(invalid(format!("at most {BATCH} jobs can be added at once")));
        }
        jobs(&part).map(|()| part)
    };
    parts.map(check).boxed()
}

fn job(job: &NewJob) -> Result<()> {
    name("job", &job.name)?;
    let options = &job.options;
    if options.delay.is_some() && options.run_at.is_some() {
        return Err(invalid(
            "`delay` and `runAt` say the same in two ways; give one of them",
        ));
    }
    let long = [options.delay, options.timeout, Some(options.retry_delay)];
    if long.into_iter().flatten().any(|duration| duration > LONGEST) {
        return Err(invalid(
            "`delay`, `timeout` and `retryDelay` are milliseconds, at most 100 years",
        ));
    }
    if options.run_at.is_some_and(|at| !(0..=i64::MAX / 4).contains(&at)) {
        return Err(invalid("`runAt` is a time in milliseconds since 1970"));
    }
    if options.timeout == Some(0) {
        return Err(invalid("`timeout` must be at least 1 millisecond"));
    }
    if options.retries > 10_000 {
        return Err(invalid("`retries` must be 0 to 10000"));
    }
    if !(0.0..=1.0).contains(&options.jitter) {
        return Err(invalid("`jitter` must be 0 to 1"));
    }
    for (what, key) in [("uniqueKey", &options.unique_key), ("fairKey", &options.fair_key)] {
        if key
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.len() > KEY || key.contains('\0'))
        {
            return Err(invalid(format!("`{what}` must have 1 to {KEY} bytes without NUL")));
        }
    }
    let is_id = |id: &String| !id.is_empty() && id.len() <= KEY && !id.contains('\0');
    if options.depends_on.len() > PARENTS || !options.depends_on.iter().all(is_id) {
        return Err(invalid(format!(
            "`dependsOn` must have at most {PARENTS} ids of jobs, of 1 to {KEY} bytes without NUL"
        )));
    }
    if options.metadata.as_ref().is_some_and(|data| !data.is_object()) {
        return Err(invalid("`metadata` must be an object"));
    }
    if job
        .reference
        .as_ref()
        .is_some_and(|name| name.is_empty() || name.len() > KEY)
    {
        return Err(invalid(format!("`ref` must have 1 to {KEY} bytes")));
    }
    if let Some(trace) = &options.trace {
        let headers = [
            Some(&trace.traceparent),
            trace.tracestate.as_ref(),
            trace.baggage.as_ref(),
        ];
        if headers
            .into_iter()
            .flatten()
            .any(|header| header.len() > TRACE || header.contains('\0'))
        {
            return Err(invalid(format!(
                "the headers of `trace` must have at most {TRACE} bytes each"
            )));
        }
    }
    if is_too_deep(job.data.text()) {
        return Err(too_deep("a job's data"));
    }
    let size = job.data.text().len() + options.metadata.as_ref().map_or(0, |data| data.to_string().len());
    if size > DATA {
        return Err(invalid(format!(
            "a job's data must be at most {DATA} bytes of JSON; store big data elsewhere"
        )));
    }
    Ok(())
}

/// What a handler answers.
pub fn result(result: &Value) -> Result<()> {
    fn levels(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
            Value::Object(items) => 1 + items.values().map(levels).max().unwrap_or(0),
            _ => 0,
        }
    }
    if levels(result) > DEPTH {
        return Err(too_deep("what the handler answered"));
    }
    Ok(())
}

fn is_too_deep(json: &str) -> bool {
    // Mostly there are not even so many side by side.
    memchr::memchr2_iter(b'[', b'{', json.as_bytes()).nth(DEPTH).is_some() && levels(json) > DEPTH
}

/// Lists and objects within one another, of text that is JSON.
fn levels(json: &str) -> usize {
    let (mut level, mut most, mut bytes) = (0_usize, 0, json.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                level += 1;
                most = most.max(level);
            }
            b']' | b'}' => level = level.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    most
}

fn too_deep(what: &str) -> Error {
    invalid(format!(
        "{what} may have at most {DEPTH} lists and objects within one another"
    ))
}

/// Limits of a queue.
pub fn limits(limits: &Limits) -> Result<()> {
    for limit in [limits.whole(), limits.per_key] {
        if limit.concurrency == Some(0) {
            return Err(invalid("`concurrency` must be at least 1; to stop a queue, pause it"));
        }
        if limit
            .rate
            .is_some_and(|rate| rate.count == 0 || !(1..=LONGEST_RATE).contains(&rate.per))
        {
            return Err(invalid(
                "a `rate` has a `count` of at least 1 and `per` of 1 millisecond to 31 days",
            ));
        }
    }
    Ok(())
}

/// A filter of a list.
pub fn filter(filter: &JobFilter) -> Result<()> {
    if filter.limit.is_some_and(|limit| !(1..=1000).contains(&limit)) {
        return Err(invalid("`limit` must be 1 to 1000"));
    }
    if filter.name.as_ref().is_some_and(|name| name.contains('\0')) {
        return Err(invalid("`name` must not contain NUL"));
    }
    filter.cursor.as_deref().map_or(Ok(()), id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{JobData, JobOptions};

    fn with(change: impl FnOnce(&mut JobOptions)) -> Result<()> {
        let mut options = JobOptions::default();
        change(&mut options);
        job(&NewJob {
            name: "a".into(),
            data: JobData::default(),
            options,
            reference: None,
        })
    }

    #[test]
    fn senseless_options_are_told() {
        assert!(with(|_| ()).is_ok());
        assert!(with(|o| o.run_at = Some(5)).is_ok());
        assert!(with(|o| o.metadata = Some(serde_json::json!({ "a": 1 }))).is_ok());
        let wrong: [fn(&mut JobOptions); 11] = [
            |o| (o.delay, o.run_at) = (Some(1), Some(1)),
            |o| o.delay = Some(u64::MAX),
            |o| o.run_at = Some(-1),
            |o| o.timeout = Some(0),
            |o| o.retries = 10_001,
            |o| o.jitter = f64::NAN,
            |o| o.jitter = 1.5,
            |o| o.unique_key = Some(String::new()),
            |o| o.fair_key = Some("x".repeat(501)),
            |o| o.depends_on = vec!["a\0".into()],
            |o| o.metadata = Some(serde_json::json!([1])),
        ];
        for (n, wrong) in wrong.into_iter().enumerate() {
            assert_eq!(with(wrong).unwrap_err().code(), Code::OptionInvalid, "{n}");
        }
    }

    #[test]
    fn names_and_sizes_are_bounded() {
        assert!(name("queue", "").is_err());
        assert!(name("queue", "a\nb").is_err());
        assert!(name("queue", &"x".repeat(201)).is_err());
        assert!(
            name("queue", &"é".repeat(200)).is_ok(),
            "characters are counted, not bytes"
        );
        assert!(name("queue", &"é".repeat(201)).is_err());
        assert!(id("a\0").is_err());
        let data = serde_json::Value::String("x".repeat(DATA + 1)).into();
        assert!(
            jobs(&[NewJob {
                name: "a".into(),
                data,
                options: JobOptions::default(),
                reference: None
            }])
            .is_err()
        );
    }
}
