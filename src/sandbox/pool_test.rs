//! The pool's promises, with an engine whose boxes are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::run::{Command, Isolation, Limits, Outcome};
use super::{Pool, PoolOptions, SandboxEngine, Session};
use crate::error::{Code, Error, Result};
use crate::files::FileSet;

/// Milliseconds that a box takes.
const MAKING: u64 = 200;

#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    alive: AtomicUsize,
    fails: AtomicBool,
}

struct Boxes(Arc<Counts>);

struct Counted {
    counts: Arc<Counts>,
    number: usize,
    is_dead: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl SandboxEngine for Boxes {
    fn name(&self) -> String {
        "counted".to_owned()
    }

    fn isolation(&self) -> Isolation {
        Isolation::Full
    }

    async fn start(&self, limits: &Limits) -> Result<Box<dyn Session>> {
        tokio::time::sleep(Duration::from_millis(MAKING)).await;
        if self.0.fails.load(Ordering::SeqCst) {
            return Err(Error::new(Code::SandboxFailed, "no box today"));
        }
        self.0.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Counted {
            counts: Arc::clone(&self.0),
            number: self.0.made.fetch_add(1, Ordering::SeqCst),
            // A box of one byte stands for one that ends while it waits.
            is_dead: limits.tmpfs == 1,
        }))
    }

    async fn close(&self) {}
}

#[async_trait]
impl Session for Counted {
    async fn is_well(&mut self) -> bool {
        !self.is_dead
    }

    async fn put(&mut self, _files: &FileSet) -> Result<()> {
        Ok(())
    }

    async fn run(&mut self, _command: &Command, _token: &CancellationToken) -> Result<Outcome> {
        Ok(Outcome {
            exit_code: Some(self.number as i32),
            ..Outcome::default()
        })
    }

    async fn collect(&mut self, _paths: &[String]) -> Result<FileSet> {
        Ok(FileSet::new())
    }

    async fn close(self: Box<Self>) {}
}

fn pool(size: usize, limits: Limits) -> (Pool, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let options = PoolOptions {
        size,
        idle: Duration::from_secs(10),
    };
    (Pool::new(Arc::new(Boxes(Arc::clone(&counts))), limits, options), counts)
}

async fn number(pool: &Pool) -> i32 {
    let mut session = pool.start(&Limits::default()).await.unwrap();
    let outcome = session.run(&Command::default(), &CancellationToken::new()).await;
    session.close().await;
    outcome.unwrap().exit_code.unwrap()
}

async fn settle(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_box_that_waits_is_handed_out_at_once_and_only_once() {
    let (pool, counts) = pool(2, Limits::default());
    pool.warm();
    settle(MAKING + 1).await;
    let began = tokio::time::Instant::now();
    let mut seen = vec![number(&pool).await, number(&pool).await];
    assert!(began.elapsed().as_millis() < 5);
    for _ in 0..20 {
        seen.push(number(&pool).await);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 22, "a box was used twice");
    settle(MAKING + 1).await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 2, "no more than its size waits");
    pool.close().await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 0);
    assert_eq!(pool.start(&Limits::default()).await.err().unwrap().code(), Code::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_is_waited_for_and_not_made_twice() {
    let (pool, counts) = pool(1, Limits::default());
    pool.warm();
    settle(MAKING / 2).await;
    let began = tokio::time::Instant::now();
    assert_eq!(number(&pool).await, 0);
    assert!(began.elapsed().as_millis() <= u128::from(MAKING / 2) + 5);
    settle(MAKING * 2).await;
    assert_eq!(counts.made.load(Ordering::SeqCst), 2);
    pool.close().await;
}

#[tokio::test(start_paused = true)]
async fn many_at_once_do_not_wait_for_one_another() {
    let (pool, counts) = pool(1, Limits::default());
    let began = tokio::time::Instant::now();
    let all = futures_util::future::join_all((0..50).map(|_| number(&pool))).await;
    assert_eq!(all.len(), 50);
    assert!(began.elapsed().as_millis() <= u128::from(MAKING) + 5);
    settle(MAKING * 2).await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 1);
    pool.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_box_that_nobody_takes_goes_and_is_not_replaced() {
    let (pool, counts) = pool(2, Limits::default());
    pool.warm();
    settle(MAKING + 1).await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 2);
    settle(10_100).await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 0);
    settle(60_000).await;
    assert_eq!(counts.made.load(Ordering::SeqCst), 2);
    assert!(number(&pool).await >= 2, "it goes on when it is asked again");
    pool.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_box_that_ended_while_it_waited_is_not_handed_out() {
    let sick = Limits {
        tmpfs: 1,
        ..Limits::default()
    };
    let (pool, counts) = pool(1, sick.clone());
    pool.warm();
    settle(MAKING + 1).await;
    let session = pool.start(&sick).await.unwrap();
    assert!(counts.made.load(Ordering::SeqCst) >= 2);
    session.close().await;
    pool.close().await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_fails_is_told_of_and_asked_again() {
    let (pool, counts) = pool(1, Limits::default());
    counts.fails.store(true, Ordering::SeqCst);
    pool.warm();
    settle(10).await;
    let error = pool.start(&Limits::default()).await.err().unwrap();
    assert_eq!(error.message(), "no box today");
    counts.fails.store(false, Ordering::SeqCst);
    number(&pool).await;
    pool.close().await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_box_of_other_limits_is_made_on_demand() {
    let (pool, counts) = pool(1, Limits::default());
    let other = Limits {
        pids: 33,
        ..Limits::default()
    };
    pool.start(&other).await.unwrap().close().await;
    settle(MAKING * 2).await;
    assert_eq!(counts.made.load(Ordering::SeqCst), 1);
    pool.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_dropped_keeps_nothing() {
    let (pool, counts) = pool(2, Limits::default());
    pool.warm();
    settle(MAKING + 1).await;
    drop(pool);
    settle(1).await;
    assert_eq!(counts.alive.load(Ordering::SeqCst), 0);
}
