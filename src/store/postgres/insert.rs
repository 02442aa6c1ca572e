//! Adds of many callers as one statement.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connections::{Commit, Connections};
use super::rows::get;
use super::sql;
use crate::error::{Code, Error, Result};
use crate::store::job::{Job, JobOptions};
use crate::store::rules::{again, duplicate, json, number};

/// How long an add waits for a server that is away. Each job has its id, so a repetition after an
/// answer that got lost adds nothing twice.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts.
pub const AGAIN: Duration = Duration::from_millis(100);

/// The jobs of one call: all of them are stored or none.
#[derive(Debug)]
pub struct Add {
    pub jobs: Vec<Job>,
    data: Vec<String>,
    options: Vec<String>,
}

impl Add {
    /// Writes the jobs as JSON, on the caller's time.
    pub fn new(jobs: Vec<Job>) -> Result<Self> {
        let data = jobs.iter().map(|job| json(&job.data)).collect::<Result<_>>()?;
        let options = jobs.iter().map(|job| options(&job.options)).collect::<Result<_>>()?;
        Ok(Self { jobs, data, options })
    }

    /// About how big it is.
    pub fn bytes(&self) -> usize {
        self.data.iter().chain(&self.options).map(|text| text.len() + 200).sum()
    }
}

/// Options as JSON: those that nobody set are not written, which is the half of most rows.
pub fn options(options: &JobOptions) -> Result<String> {
    if *options == JobOptions::default() {
        Ok("{}".to_owned())
    } else {
        json(options)
    }
}

/// Stores the adds; answers each with its jobs or its refusal.
pub async fn add(connections: Arc<Connections>, adds: Vec<Add>) -> Vec<Result<Vec<Job>>> {
    let started = Instant::now();
    loop {
        match attempt(&connections, &adds).await {
            Ok(refused) => {
                return adds
                    .into_iter()
                    .zip(refused)
                    .map(|(add, refused)| refused.map_or(Ok(add.jobs), Err))
                    .collect();
            }
            Err(error)
                if matches!(error.code(), Code::StoreUnavailable | Code::JobDuplicate)
                    && started.elapsed() < PATIENCE
                    && !connections.is_closed() =>
            {
                tokio::time::sleep(AGAIN).await;
            }
            // One value that cannot be stored must not harm the adds of others.
            Err(error) if error.code() == Code::OptionInvalid && adds.len() > 1 => {
                let mut answers = Vec::with_capacity(adds.len());
                for one in adds {
                    answers.push(
                        Box::pin(add(connections.clone(), vec![one]))
                            .await
                            .pop()
                            .unwrap_or(Err(again(&error))),
                    );
                }
                return answers;
            }
            Err(error) => return adds.iter().map(|_| Err(again(&error))).collect(),
        }
    }
}

async fn attempt(connections: &Connections, adds: &[Add]) -> Result<Vec<Option<Error>>> {
    let refused = refusals(connections, adds).await?;
    let mut rows = Rows::default();
    for (add, _) in adds.iter().zip(&refused).filter(|(_, refused)| refused.is_none()) {
        for ((job, data), options) in add.jobs.iter().zip(&add.data).zip(&add.options) {
            rows.push(job, data, options);
        }
    }
    if !rows.id.is_empty() {
        let values: [super::connections::Value<'_>; 11] = [
            &rows.id,
            &rows.queue,
            &rows.name,
            &rows.data,
            &rows.options,
            &rows.status,
            &rows.priority,
            &rows.fair_key,
            &rows.unique_key,
            &rows.created_at,
            &rows.run_at,
        ];
        connections.query(Commit::Synced, true, sql!("add"), &values).await?;
    }
    Ok(refused)
}

/// Which adds a live job with the same key stands against, in the store or earlier in the batch.
async fn refusals(connections: &Connections, adds: &[Add]) -> Result<Vec<Option<Error>>> {
    let keyed: Vec<(&str, &str, &str)> = adds
        .iter()
        .flat_map(|add| &add.jobs)
        .filter_map(|job| Some((job.queue.as_str(), job.options.unique_key.as_deref()?, job.id.as_str())))
        .collect();
    if keyed.is_empty() {
        return Ok(adds.iter().map(|_| None).collect());
    }
    let (queues, keys): (Vec<_>, Vec<_>) = keyed.iter().map(|(queue, key, _)| (*queue, *key)).unzip();
    let ids: Vec<_> = keyed.iter().map(|(_, _, id)| *id).collect();
    let rows = connections
        .query(Commit::Lazy, true, sql!("find_unique"), &[&queues, &keys, &ids])
        .await?;
    let mut live: HashMap<(String, String), String> = HashMap::new();
    for row in &rows {
        live.insert((get(row, 0)?, get(row, 1)?), get(row, 2)?);
    }
    Ok(adds.iter().map(|add| refusal(add, &mut live)).collect())
}

fn refusal(add: &Add, live: &mut HashMap<(String, String), String>) -> Option<Error> {
    let mut own = HashMap::new();
    for job in &add.jobs {
        let Some(key) = &job.options.unique_key else { continue };
        let place = (job.queue.clone(), key.clone());
        if let Some(id) = live.get(&place).or_else(|| own.get(&place)) {
            return Some(duplicate(id));
        }
        own.insert(place, job.id.clone());
    }
    live.extend(own);
    None
}

#[derive(Default)]
struct Rows<'a> {
    id: Vec<&'a str>,
    queue: Vec<&'a str>,
    name: Vec<&'a str>,
    data: Vec<&'a str>,
    options: Vec<&'a str>,
    status: Vec<i16>,
    priority: Vec<i16>,
    fair_key: Vec<&'a str>,
    unique_key: Vec<Option<&'a str>>,
    created_at: Vec<i64>,
    run_at: Vec<i64>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, job: &'a Job, data: &'a str, options: &'a str) {
        self.id.push(&job.id);
        self.queue.push(&job.queue);
        self.name.push(&job.name);
        self.data.push(data);
        self.options.push(options);
        self.status.push(number(job.status).into());
        self.priority.push(u8::from(job.options.priority).into());
        self.fair_key.push(job.options.fair_key.as_deref().unwrap_or(""));
        self.unique_key.push(job.options.unique_key.as_deref());
        self.created_at.push(job.created_at);
        self.run_at.push(job.run_at);
    }
}
