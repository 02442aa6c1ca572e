//! Asks registries about packages and advisories, with patience that ends.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::breaker::{BreakerOptions, Outcome, Registry};
use crate::clock::SharedClock;
use crate::dependencies::{
    BulkAnswer, DependencyOptions, Facts, Known, Registered, Tree, bulk_request, day_of, read_bulk,
};
use crate::toolchain::RegistryClient;

/// Questions at once.
const PARALLEL: usize = 8;
/// Bytes of what a registry knows of one package.
const MAX_PACKUMENT: u64 = 64 << 20;
/// Bytes of an answer about advisories.
const MAX_ADVISORIES: u64 = 64 << 20;
/// The endpoint that `npm audit` asks.
const BULK: &str = "-/npm/v1/security/advisories/bulk";

/// Many registries do not have the endpoint: one that failed is left alone for a while.
static ENDPOINTS: LazyLock<Option<Registry>> = LazyLock::new(|| {
    let options = BreakerOptions {
        failure_threshold: 2,
        success_threshold: 1,
        timeout: 30_000,
        ..BreakerOptions::default()
    };
    Registry::new(options).ok()
});

/// Who asks, and until when.
pub struct Asking<'a> {
    pub client: &'a RegistryClient,
    pub options: &'a DependencyOptions,
    pub now_ms: i64,
    pub until: Instant,
    pub token: &'a CancellationToken,
}

/// The registry's names of the packages of a tree.
pub fn names_of(tree: &Tree) -> Vec<String> {
    let names: BTreeSet<&String> = tree
        .nodes
        .iter()
        .filter(|node| node.locked.as_ref().is_none_or(|locked| !locked.link))
        .map(|node| node.real_name.as_ref().unwrap_or(&node.name))
        .collect();
    names.into_iter().cloned().collect()
}

impl Asking<'_> {
    /// Learns of packages, several at once. Whatever was not learnt is told with its reason.
    pub fn learn(&self, names: &[String], facts: &mut Facts) {
        let next = AtomicUsize::new(0);
        let answers = Mutex::new(Vec::with_capacity(names.len()));
        let worker = || {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer = if self.token.is_cancelled() {
                    Err("it was cancelled".to_owned())
                } else {
                    self.package(name)
                };
                answers.lock().push((name, answer));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..PARALLEL.min(names.len()) {
                scope.spawn(worker);
            }
            worker();
        });
        for (name, answer) in answers.into_inner() {
            match answer {
                Ok(registered) => {
                    facts.known.insert(name.clone(), registered);
                }
                Err(why) => {
                    facts.failures.insert(name.clone(), why);
                }
            }
        }
    }

    fn package(&self, name: &str) -> Result<Registered, String> {
        let wrong = || "the registry's answer is not about a package".to_owned();
        let bytes = self.client.packument(name, true, MAX_PACKUMENT, self.until)?;
        let short = Registered::read(&bytes).ok_or_else(wrong)?;
        let age = i64::try_from(self.options.minimum_age).unwrap_or(i64::MAX / 2);
        let old = short.modified().is_some_and(|at| at <= self.now_ms - age);
        if age == 0 || old || short.has_times() {
            return Ok(short);
        }
        // The short form has no times; they are needed where something changed a moment ago.
        let bytes = self.client.packument(name, false, MAX_PACKUMENT, self.until)?;
        Registered::read(&bytes).ok_or_else(wrong)
    }

    /// Asks the registry's advisory endpoint about every package of which the version is known.
    pub fn advisories(&self, tree: &Tree, clock: &SharedClock, known: &mut Known) {
        match self.ask_bulk(tree, clock) {
            Ok(answer) => known.bulk = Some(answer),
            Err(why) => known.silence = Some(why),
        }
    }

    fn ask_bulk(&self, tree: &Tree, clock: &SharedClock) -> Result<BulkAnswer, String> {
        let name = self.client.registry("");
        let breaker = ENDPOINTS.as_ref().and_then(|all| all.breaker(&name, None).ok());
        let mut answer = BulkAnswer {
            day: day_of(self.now_ms),
            ..BulkAnswer::default()
        };
        for request in bulk_request(tree) {
            let body = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
            let started = clock.monotonic_ms();
            let permit = match &breaker {
                Some(breaker) => Some(breaker.try_acquire(started).map_err(|_| {
                    let wait = Duration::from_millis(breaker.due_in(started).unwrap_or_default()).as_secs();
                    format!("it failed a moment ago and is not asked again for {wait} s")
                })?),
                None => None,
            };
            let said = self.client.post(BULK, &body, MAX_ADVISORIES, self.until);
            let said = said.and_then(|bytes| read_bulk(&bytes).ok_or_else(|| "its answer is not one".to_owned()));
            if let (Some(breaker), Some(permit)) = (&breaker, permit) {
                let outcome = if said.is_ok() {
                    Outcome::Success
                } else {
                    Outcome::Failure
                };
                let now = clock.monotonic_ms();
                breaker.record(permit, outcome, now.saturating_sub(started) as f64, now);
            }
            answer.advisories.extend(said?);
            answer.asked.extend(request.keys().map(|name| (*name).to_owned()));
        }
        Ok(answer)
    }
}
