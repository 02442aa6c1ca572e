//! Jobs that wait for others: who they are, and what they wait for at the beginning.

use std::collections::HashMap;

use super::job::{Job, JobFailure, JobStatus, NewJob, OnParentFailure};
use super::rules::begin;
use crate::error::{Code, Error, Result};

/// The jobs of a batch as they begin, with their ids; those that wait for jobs of the batch name
/// them by their ids. A circle is refused.
pub fn begin_all(queue: &str, new: Vec<NewJob>, now: i64) -> Result<Vec<Job>> {
    let references: Vec<Option<String>> = new.iter().map(|job| job.reference.clone()).collect();
    let mut jobs: Vec<Job> = new.into_iter().map(|job| begin(queue, job, now)).collect();
    if jobs.iter().all(|job| job.options.depends_on.is_empty()) {
        return Ok(jobs);
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, reference) in references.into_iter().enumerate() {
        if let Some(reference) = reference
            && places.insert(reference.clone(), place).is_some()
        {
            return Err(Error::new(
                Code::OptionInvalid,
                format!("two jobs of the batch have the `ref` {reference:?}; give each its own"),
            ));
        }
    }
    let within: Vec<Vec<usize>> = jobs
        .iter()
        .map(|job| {
            let parents = job.options.depends_on.iter();
            parents.filter_map(|parent| places.get(parent).copied()).collect()
        })
        .collect();
    refuse_circles(&within)?;
    let ids: Vec<String> = jobs.iter().map(|job| job.id.clone()).collect();
    for job in &mut jobs {
        let parents = &mut job.options.depends_on;
        for parent in parents.iter_mut() {
            if let Some(place) = places.get(parent) {
                parent.clone_from(&ids[*place]);
            }
        }
        parents.sort_unstable();
        parents.dedup();
    }
    Ok(jobs)
}

/// Takes away, again and again, the jobs that wait for none of those that are left.
fn refuse_circles(parents: &[Vec<usize>]) -> Result<()> {
    let mut waits: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut children = vec![Vec::new(); parents.len()];
    for (child, parents) in parents.iter().enumerate() {
        for parent in parents {
            children[*parent].push(child);
        }
    }
    let mut free: Vec<usize> = (0..waits.len()).filter(|job| waits[*job] == 0).collect();
    let mut seen = 0;
    while let Some(job) = free.pop() {
        seen += 1;
        for child in &children[job] {
            waits[*child] -= 1;
            if waits[*child] == 0 {
                free.push(*child);
            }
        }
    }
    if seen == parents.len() {
        Ok(())
    } else {
        Err(Error::new(
            Code::OptionInvalid,
            "jobs of the batch wait for one another in a circle; take one of their `dependsOn` away",
        ))
    }
}

/// Lets a job wait for those of its parents that are not over. `parent` answers the status of a
/// job of the queue, or of one that is added with it.
pub fn wait(job: &mut Job, now: i64, parent: impl Fn(&str) -> Option<JobStatus>) -> Result<()> {
    let mut lost = None;
    for id in &job.options.depends_on {
        match parent(id) {
            None => {
                return Err(no_parent(id));
            }
            Some(JobStatus::Failed | JobStatus::Cancelled) => lost = Some(id.clone()),
            Some(JobStatus::Completed) => {}
            Some(_) => job.waits_for += 1,
        }
    }
    if let (Some(parent), OnParentFailure::Fail) = (lost, job.options.on_parent_failure) {
        // `promote` ends it.
        job.error = Some(failure(&parent));
        job.waits_for = 0;
        job.run_at = job.run_at.min(now);
        job.status = JobStatus::Scheduled;
    } else if job.waits_for > 0 {
        job.status = JobStatus::Scheduled;
    }
    Ok(())
}

/// A job is to wait for one that does not exist.
pub fn no_parent(id: &str) -> Error {
    Error::new(
        Code::JobNotFound,
        format!("there is no job {id:?} in this queue to wait for; jobs that are over are deleted in time"),
    )
    .with_details(serde_json::json!({ "jobId": id }))
}

/// What a job fails with when its parent did.
pub fn failure(parent: &str) -> JobFailure {
    JobFailure {
        code: Code::DependencyFailed.as_str().to_owned(),
        message: format!("the job {parent} that it waits for failed or was cancelled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::job::JobOptions;
    use crate::store::job_data::JobData;

    fn new(reference: &str, depends_on: &[&str]) -> NewJob {
        NewJob {
            name: "a".into(),
            data: JobData::default(),
            options: JobOptions {
                depends_on: depends_on.iter().map(ToString::to_string).collect(),
                ..JobOptions::default()
            },
            reference: Some(reference.into()),
        }
    }

    #[test]
    fn references_become_ids_and_ids_stay() {
        let jobs = begin_all("q", vec![new("b", &["a", "x", "a"]), new("a", &[])], 0).unwrap();
        let mut parents = vec![jobs[1].id.clone(), "x".to_owned()];
        parents.sort();
        assert_eq!(jobs[0].options.depends_on, parents);
    }

    #[test]
    fn circles_are_refused() {
        let circle = vec![new("a", &["c"]), new("b", &["a"]), new("c", &["b"]), new("d", &[])];
        for batch in [vec![new("a", &["a"])], circle, vec![new("a", &[]), new("a", &["a"])]] {
            assert_eq!(begin_all("q", batch, 0).unwrap_err().code(), Code::OptionInvalid);
        }
    }

    #[test]
    fn a_job_waits_for_what_is_not_over() {
        let status = |id: &str| match id {
            "done" => Some(JobStatus::Completed),
            "runs" => Some(JobStatus::Running),
            "failed" => Some(JobStatus::Failed),
            _ => None,
        };
        let job = |parents: &[&str], policy| {
            let mut new = new("j", parents);
            new.options.on_parent_failure = policy;
            let mut job = begin("q", new, 5);
            wait(&mut job, 5, status).map(|()| job)
        };
        let waits = job(&["done", "runs"], OnParentFailure::Fail).unwrap();
        assert_eq!(
            (waits.status, waits.waits_for, waits.error),
            (JobStatus::Scheduled, 1, None)
        );
        let free = job(&["done", "failed"], OnParentFailure::Run).unwrap();
        assert_eq!((free.status, free.waits_for), (JobStatus::Pending, 0));
        let lost = job(&["failed", "runs"], OnParentFailure::Fail).unwrap();
        assert_eq!(
            (lost.status, lost.waits_for, lost.error),
            (JobStatus::Scheduled, 0, Some(failure("failed")))
        );
        assert_eq!(
            job(&["gone"], OnParentFailure::Run).unwrap_err().code(),
            Code::JobNotFound
        );
    }
}
