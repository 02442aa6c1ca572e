//! Ends of attempts on their way to a server: those of one turn of JavaScript stay together.

use super::batcher::Batcher;
use super::ended::Ended;
use crate::error::Result;
use crate::store::job_store::{Finish, Finished};
use crate::store::rules::closed;

/// Ends attempts together with those of other callers. One that cannot be written harms no other.
pub async fn end_all(
    ends: &Batcher<Vec<Ended>, Vec<Result<Finished>>>,
    finishes: Vec<Finish>,
    now: i64,
) -> Vec<Result<Finished>> {
    let mut good = Vec::new();
    let all = finishes.into_iter().map(|finish| Ended::new(finish, now));
    let refused: Vec<Option<_>> = all.map(|end| end.map(|end| good.push(end)).err()).collect();
    let size = good.iter().map(Ended::bytes).sum();
    let stored = if good.is_empty() {
        None
    } else {
        ends.call(good, size).await
    };
    let mut stored = stored.unwrap_or_default().into_iter();
    let answer = |refused: Option<_>| match refused {
        Some(error) => Err(error),
        None => stored.next().unwrap_or_else(|| Err(closed())),
    };
    refused.into_iter().map(answer).collect()
}

/// Ends of many callers as those of one.
pub async fn in_one<F>(batch: Vec<Vec<Ended>>, end: impl FnOnce(Vec<Ended>) -> F) -> Vec<Vec<Result<Finished>>>
where
    F: Future<Output = Vec<Result<Finished>>>,
{
    let lengths: Vec<usize> = batch.iter().map(Vec::len).collect();
    let mut answers = end(batch.into_iter().flatten().collect()).await.into_iter();
    let of_one = lengths
        .into_iter()
        .map(|length| answers.by_ref().take(length).collect());
    of_one.collect()
}
