//! Jobs that wait for a model, once there is one.

use crate::error::{Code, Result};
use crate::queue::{JobFilter, JobStatus, Queue, QueueApi};

/// Lets them run again.
pub async fn wake_waiting(queue: &Queue) -> Result<()> {
    let filter = JobFilter {
        status: Some(JobStatus::Retrying),
        limit: Some(1_000),
        ..JobFilter::default()
    };
    for job in queue.list(filter).await? {
        if job
            .error
            .is_some_and(|failure| failure.code == Code::ModelNeeded.as_str())
        {
            queue.retry(&job.id).await?;
        }
    }
    Ok(())
}
