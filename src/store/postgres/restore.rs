//! Jobs of another store, in one transaction.

use futures_util::future::try_join_all;

use super::connections::{Commit, Value};
use super::failure::coded;
use super::postgres_store::PostgresStore;
use super::rows::clean;
use super::{apart, sql};
use crate::error::Result;
use crate::store::job::Job;
use crate::store::job_store::Notice;
use crate::store::rules::{is_ready, json, number, resume};

/// As `JobStore` says.
pub async fn restore(store: &PostgresStore, queue: &str, jobs: Vec<Job>) -> Result<u64> {
    let _call = store.call()?;
    let mut connection = store.connections.connection(Commit::Synced).await?;
    let transaction = connection.transaction().await.map_err(|error| coded(&error))?;
    let statement = transaction
        .prepare_cached(sql!("restore"))
        .await
        .map_err(|error| coded(&error))?;
    let jobs: Vec<Job> = jobs.into_iter().map(|job| resume(queue, job)).collect();
    // They are sent one after the other without waiting for answers, and stored in that order.
    let inserts = jobs.iter().map(|job| {
        let (transaction, statement) = (&transaction, &statement);
        async move {
            let (data, options, checkpoint) = (json(&job.data)?, json(&job.options)?, json(&job.checkpoint)?);
            let result = job.result.as_ref().map(json).transpose()?;
            let (status, priority) = (i16::from(number(job.status)), i16::from(u8::from(job.options.priority)));
            let (code, message) = job
                .error
                .as_ref()
                .map(|error| (&error.code, clean(&error.message)))
                .unzip();
            let (ready, attempts, iteration) = (is_ready(job.status), job.attempts as i32, i64::from(job.iteration));
            let fair_key = job.options.fair_key.as_deref().unwrap_or("");
            let log: Vec<String> = job.log.iter().map(|line| clean(line)).collect();
            let values: [Value<'_>; 23] = [
                &job.id,
                &job.queue,
                &job.name,
                &data,
                &options,
                &status,
                &ready,
                &priority,
                &fair_key,
                &job.options.unique_key,
                &attempts,
                &job.progress,
                &job.stage,
                &iteration,
                &checkpoint,
                &result,
                &code,
                &message,
                &job.created_at,
                &job.run_at,
                &job.started_at,
                &job.finished_at,
                &log,
            ];
            transaction
                .execute(statement, &values)
                .await
                .map_err(|error| coded(&error))
        }
    });
    let restored = try_join_all(inserts).await?.into_iter().sum();
    for job in jobs.iter().filter(|job| job.waits_for > 0) {
        apart::depend(&transaction, job).await?;
        apart::query(&transaction, sql!("depend_count"), &[&job.id]).await?;
    }
    transaction.commit().await.map_err(|error| coded(&error))?;
    store.notifier.ready([queue.to_owned()]);
    store.notifier.tell(Notice::Due);
    Ok(restored)
}
