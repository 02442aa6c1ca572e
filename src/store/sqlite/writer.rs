//! The thread that owns the connection. What waits together is one transaction, and is answered
//! after its commit: with many callers, one sync of the disk serves all of them.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::database::Database;
use super::failure::{again, coded};
use super::sql;
use crate::error::{Code, Error, Result};

/// The most commands of one transaction.
const GROUP: usize = 4_000;
/// A lazily committed row is synced after this at the latest.
const LAZY: Duration = Duration::from_millis(10);

/// What a command asks of the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing is written.
    Read,
    /// Written at once, synced soon: the death of the process loses nothing.
    Lazy,
    /// Synced before it is answered.
    Synced,
}

/// What the thread is asked.
pub enum Command {
    Run(Durability, Box<dyn Work>),
    /// Close when everything before is done.
    Close(oneshot::Sender<()>),
}

/// A piece of a group's transaction.
pub trait Work: Send {
    /// Works; false undoes only this piece.
    fn run(&mut self, database: &mut Database) -> bool;

    /// Tells the caller, after the commit or with its error.
    fn deliver(self: Box<Self>, error: Option<&Error>);
}

/// An operation and who waits for its answer.
pub struct Task<T, F> {
    operation: Option<F>,
    answer: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, F> Task<T, F> {
    /// An operation, and where its answer goes.
    pub const fn new(operation: F, caller: oneshot::Sender<Result<T>>) -> Self {
        Self {
            operation: Some(operation),
            answer: None,
            caller,
        }
    }
}

impl<T, F> Work for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Database) -> Result<T> + Send,
{
    fn run(&mut self, database: &mut Database) -> bool {
        self.answer = self.operation.take().map(|operation| operation(database));
        matches!(self.answer, Some(Ok(_)))
    }

    fn deliver(self: Box<Self>, error: Option<&Error>) {
        let answer = match (error, self.answer) {
            (Some(error), _) => Err(again(error)),
            (None, Some(answer)) => answer,
            (None, None) => Err(super::failure::closed()),
        };
        // A caller that is gone asked for nothing any more.
        let _ = self.caller.send(answer);
    }
}

/// Runs until it is closed or every sender is gone. `held` is let go last.
pub fn run(mut database: Database, commands: &Receiver<Command>, held: Box<dyn Send>) {
    let mut unsynced: Option<Instant> = None;
    let mut closing = None;
    while closing.is_none() {
        let first = match unsynced {
            None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => commands.recv_timeout(LAZY.saturating_sub(since.elapsed())),
        };
        match first {
            Ok(command) => {
                let (needed, works, close) = gather(command, commands);
                closing = close;
                // A sync that is due rides along.
                let due = unsynced.is_some_and(|since| since.elapsed() >= LAZY);
                let level = if due { Durability::Synced } else { needed };
                let committed = transaction(&mut database, works, level, due);
                unsynced = match (committed, level) {
                    (true, Durability::Synced) => None,
                    (true, Durability::Lazy) => unsynced.or_else(|| Some(Instant::now())),
                    _ => unsynced,
                };
            }
            Err(RecvTimeoutError::Timeout) => {
                let synced = transaction(&mut database, Vec::new(), Durability::Synced, true);
                unsynced = (!synced).then(Instant::now);
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // Closing checkpoints the log, which syncs it.
    drop(database);
    drop(held);
    if let Some(told) = closing {
        let _ = told.send(());
    }
}

type Works = Vec<Box<dyn Work>>;

/// Takes everything that waits already.
fn gather(first: Command, commands: &Receiver<Command>) -> (Durability, Works, Option<oneshot::Sender<()>>) {
    let mut works = Vec::new();
    let mut needed = Durability::Read;
    let mut next = Some(first);
    while let Some(command) = next.take() {
        match command {
            Command::Close(told) => return (needed, works, Some(told)),
            Command::Run(durability, work) => {
                needed = needed.max(durability);
                works.push(work);
            }
        }
        if works.len() < GROUP {
            next = commands.try_recv().ok();
        }
    }
    (needed, works, None)
}

fn transaction(database: &mut Database, mut works: Works, level: Durability, touch: bool) -> bool {
    database.make_room();
    let result = attempt(database, &mut works, level, touch);
    if result.is_err() && !database.connection().is_autocommit() {
        // Where even that fails, the next BEGIN does, and is told.
        let _ = execute(database, "ROLLBACK");
    }
    if result.as_ref().is_err_and(|error| error.code() == Code::StoreFull) {
        database.found_full();
    }
    let error = result.as_ref().err();
    for work in works {
        work.deliver(error);
    }
    error.is_none()
}

fn attempt(database: &mut Database, works: &mut Works, level: Durability, touch: bool) -> Result<()> {
    database.sync_commits(level == Durability::Synced)?;
    execute(
        database,
        if level == Durability::Read {
            "BEGIN"
        } else {
            "BEGIN IMMEDIATE"
        },
    )?;
    for work in works {
        execute(database, "SAVEPOINT piece")?;
        let good = work.run(database);
        if database.connection().is_autocommit() {
            return Err(Error::new(
                Code::StoreFull,
                "the job store undid its work, most likely because its disk is full; make room and try again",
            ));
        }
        if !good {
            execute(database, "ROLLBACK TO piece")?;
        }
        execute(database, "RELEASE piece")?;
    }
    if touch {
        execute(database, sql!("sync"))?;
    }
    execute(database, "COMMIT")
}

fn execute(database: &Database, sql: &'static str) -> Result<()> {
    let mut statement = database.statement(sql)?;
    statement.raw_execute().map_err(coded)?;
    Ok(())
}
