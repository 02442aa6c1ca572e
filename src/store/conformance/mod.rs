//! What every store must do, as tests that each store runs against the real thing.

mod adding;
mod dependent;
mod ending;
mod flow;
mod leases;
mod limited;
mod lists;
mod mixture;
mod order;
mod reading_ahead;
mod scheduled;
mod states;
mod unique;

pub use adding::*;
pub use dependent::*;
pub use ending::*;
pub use flow::*;
pub use leases::*;
pub use limited::*;
pub use lists::*;
pub use mixture::*;
pub use order::*;
pub use reading_ahead::*;
pub use scheduled::*;
pub use states::*;
pub use unique::*;

use serde_json::json;
use tokio::sync::oneshot;

use super::{Claim, ClaimRequest, Ending, Finish, Job, JobOptions, JobStore, Lease, NewJob, PlainCaller, PlainJobs};

/// One test for each behaviour; `$open` answers a new, empty store, or `None` where it cannot be had.
macro_rules! suite {
    ($open:path: $($behaviour:ident,)+) => {
        $(#[tokio::test]
        async fn $behaviour() {
            let Some(store) = $open().await else { return };
            $crate::store::conformance::$behaviour(&*store).await;
            store.close().await;
            assert_eq!(store.counts("q").await.unwrap_err().code(), $crate::error::Code::Closed);
        })+
    };
    ($open:ident reading_ahead) => {
        $crate::store::conformance::suite! { $open:
            what_is_read_ahead_comes_after_what_starts,
            a_job_that_was_only_read_ahead_is_no_attempt_of_a_worker_that_died,
            a_job_that_began_is_an_attempt_of_a_worker_that_died,
            only_the_holder_notes_a_begin,
            what_is_handed_back_unstarted_keeps_its_place,
            a_queue_with_limits_is_not_read_ahead,
        }
    };
    ($open:path) => {
        $crate::store::conformance::suite! { $open:
            jobs_are_kept_whole,
            plain_jobs_are_as_if_they_had_been_added_with_options,
            a_batch_with_one_duplicate_is_refused_as_a_whole,
            one_refused_add_harms_no_other,
            a_unique_key_is_free_when_its_job_is_over,
            delayed_jobs_wait_for_their_time_and_tell_the_next,
            claims_follow_priority_turns_and_order_of_adding,
            turns_go_on_from_claim_to_claim,
            claims_follow_the_rule_while_jobs_come_and_go,
            a_mixture_of_jobs_is_what_a_model_says,
            order_does_not_depend_on_the_clock,
            a_claim_takes_only_its_names_and_its_queue,
            claims_at_once_take_no_job_twice,
            a_retried_job_is_first_in_its_key_again,
            an_old_fence_cannot_end_a_job,
            a_renewed_lease_is_not_rescued,
            a_job_that_kills_its_workers_fails,
            a_rescue_looks_at_the_end_of_the_lease_only,
            endings_are_kept,
            a_job_that_is_to_be_removed_is_gone,
            a_job_that_is_handed_back_was_not_tried,
            reports_are_kept_and_the_log_is_bounded,
            cancelled_jobs_cannot_end,
            only_jobs_that_are_over_or_wait_can_be_run_again,
            lists_go_page_by_page_even_when_the_cursor_is_gone,
            lists_are_filtered,
            counts_count,
            clean_deletes_what_is_over_and_old,
            retention_keeps_the_newest,
            a_pause_is_kept,
            jobs_of_another_store_go_on_here,
            a_kept_job_is_answered_in_place_of_another,
            a_replaced_job_is_cancelled_even_while_it_runs,
            replacing_and_keeping_at_once_leaves_one_live_job,
            a_queue_runs_no_more_jobs_than_it_may,
            a_full_key_lets_others_pass,
            a_rate_holds_back_until_its_window_ends,
            claims_at_once_stay_within_the_limits,
            a_job_waits_until_all_others_are_over,
            jobs_of_a_batch_wait_for_one_another,
            a_failed_parent_fails_its_children_or_lets_them_run,
            every_end_of_a_parent_counts,
            jobs_of_another_store_wait_here_too,
            schedules_are_kept_and_told_when_they_are_due,
            a_schedule_fires_once_for_each_of_its_times,
            a_schedule_heeds_unique_keys,
        }
    };
}
pub(in crate::store) use suite;

fn job(name: &str, options: JobOptions) -> NewJob {
    NewJob {
        name: name.into(),
        data: json!({ "n": 1 }).into(),
        options,
        reference: None,
    }
}

fn request(limit: usize, now: i64) -> ClaimRequest {
    ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit,
        now,
        lease_until: now + 100,
    }
}

async fn add_one(store: &dyn JobStore, options: JobOptions) -> Job {
    store
        .add("q", vec![job("a", options)], 0)
        .await
        .unwrap()
        .jobs
        .pop()
        .unwrap()
}

/// Adds plain jobs, where the store takes such and these are.
fn add_plain<'a>(
    store: &'a dyn JobStore,
    queue: &'a str,
    new: &[NewJob],
    now: i64,
) -> Option<impl Future<Output = Vec<String>> + use<'a>> {
    let adds = store.plain_adds()?;
    let is_plain = new.iter().all(|job| job.options == JobOptions::default());
    let pairs = new.iter().flat_map(|job| [json!(job.name), job.data.value()]);
    let jobs = PlainJobs::read(json!(pairs.collect::<Vec<_>>()).to_string())?;
    let (told, answer) = oneshot::channel();
    is_plain.then_some(async move {
        let caller = PlainCaller::new(move |answer| drop(told.send(answer)));
        adds.add_plain(queue, jobs, now, caller);
        let added = answer.await.unwrap().unwrap();
        assert_eq!(added.at, now);
        added.ids.iter().map(ToString::to_string).collect()
    })
}

/// Adds jobs in one of the ways that there are for them.
async fn add(store: &dyn JobStore, queue: &str, new: Vec<NewJob>, now: i64, plain: bool) -> Vec<String> {
    match add_plain(store, queue, &new, now).filter(|_| plain) {
        Some(added) => added.await,
        None => ids(store.add(queue, new, now).await.unwrap().jobs),
    }
}

fn ids(jobs: Vec<Job>) -> Vec<String> {
    jobs.into_iter().map(|job| job.id).collect()
}

async fn claim_one(store: &dyn JobStore, now: i64) -> Claim {
    store.claim(request(1, now)).await.unwrap().claims.pop().unwrap()
}

fn lease(claim: &Claim) -> Lease {
    Lease {
        id: claim.job.id.clone(),
        fence: claim.fence,
    }
}

fn end(claim: &Claim, ending: Ending) -> Finish {
    Finish {
        lease: lease(claim),
        ending,
        remove: false,
    }
}

fn completed() -> Ending {
    Ending::Completed {
        result: json!({ "good": true }),
    }
}
