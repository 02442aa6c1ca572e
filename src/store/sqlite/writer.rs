//! The thread that owns the connection. What waits together is one transaction. It is written when
//! it is committed, which the death of the process cannot undo; whoever asked for more is answered
//! by the syncer, and with many callers one sync of the disk serves all of them.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::claim::{Taken, claim, claim_ready};
use super::database::Database;
use super::failure::coded;
use super::starts;
use super::syncer::{Syncer, Works};
use crate::error::{Code, Error, Result};
use crate::store::job_store::ClaimRequest;
use crate::store::rules::{again, closed};

/// The most commands of one transaction.
const GROUP: usize = 4_000;
/// After a commit, one that only ends jobs waits so long for others, or for so many of them: its
/// workers go on meanwhile.
const PAUSE: Duration = Duration::from_millis(1);
const ENDS: usize = 32;

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

/// How a command gets on with starts that are not written and jobs that were read ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// It minds them itself.
    Own,
    /// It needs the rows as they are.
    Rows,
    /// It may change which job is next, too.
    Order,
}

/// What the thread is asked.
pub enum Command {
    Run(Durability, Care, Box<dyn Work>),
    /// Ends so many jobs.
    End(usize, Box<dyn Work>),
    Claim(ClaimRequest, oneshot::Sender<Result<Taken>>),
    /// Close when everything before is done.
    Close(oneshot::Sender<()>),
}

/// A piece of a group's transaction.
pub trait Work: Send {
    /// Works; false where it failed.
    fn run(&mut self, database: &mut Database) -> bool;

    /// Why it failed.
    fn error(&self) -> Option<Error>;

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

    fn error(&self) -> Option<Error> {
        self.answer.as_ref()?.as_ref().err().map(again)
    }

    fn deliver(self: Box<Self>, error: Option<&Error>) {
        let answer = match (error, self.answer) {
            (Some(error), _) => Err(again(error)),
            (None, Some(answer)) => answer,
            (None, None) => Err(closed()),
        };
        // A caller that is gone asked for nothing any more.
        let _ = self.caller.send(answer);
    }
}

/// Runs until it is closed or every sender is gone. `held` is let go last.
pub fn run(mut database: Database, syncer: Option<Syncer>, commands: &Receiver<Command>, held: Box<dyn Send>) {
    let (mut closing, mut committed) = (None, Instant::now());
    while closing.is_none() {
        let Ok(command) = commands.recv() else { break };
        let mut group = Group::default();
        gather(&mut database, command, commands, &mut group);
        while let Some(left) = group.may_wait(committed) {
            match commands.recv_timeout(left) {
                Ok(command) => gather(&mut database, command, commands, &mut group),
                Err(_) => break,
            }
        }
        closing = group.closing.take();
        if syncer.as_ref().is_some_and(Syncer::failed) {
            database.found_unsynced();
        }
        if !group.pieces.is_empty() {
            commit(&mut database, syncer.as_ref(), group);
            committed = Instant::now();
        }
    }
    // The last sync, and its answers.
    drop(syncer);
    // Closing moves the log into the database, which syncs both.
    drop(database);
    drop(held);
    if let Some(told) = closing {
        let _ = told.send(());
    }
}

#[derive(Default)]
struct Group {
    pieces: Vec<(Durability, Care, Box<dyn Work>)>,
    closing: Option<oneshot::Sender<()>>,
    /// How many jobs it ends, where it does nothing else.
    ends: usize,
    urgent: bool,
}

impl Group {
    /// How long it may wait for others.
    fn may_wait(&self, committed: Instant) -> Option<Duration> {
        let left = PAUSE.checked_sub(committed.elapsed())?;
        (!self.urgent && self.closing.is_none() && self.ends < ENDS && self.ends > 0).then_some(left)
    }
}

/// Takes everything that waits already. Claims that need no transaction are answered at once.
fn gather(database: &mut Database, first: Command, commands: &Receiver<Command>, group: &mut Group) {
    let mut next = Some(first);
    while let Some(command) = next.take() {
        match command {
            Command::Close(told) => {
                group.closing = Some(told);
                return;
            }
            Command::Claim(request, caller) => {
                if let Some(taken) = claim_ready(database, &request) {
                    drop(caller.send(Ok(taken)));
                } else {
                    let task = Task::new(move |database: &mut Database| claim(database, &request), caller);
                    group.pieces.push((Durability::Lazy, Care::Own, Box::new(task)));
                    group.urgent = true;
                }
            }
            Command::Run(durability, care, work) => {
                group.pieces.push((durability, care, work));
                group.urgent = true;
            }
            Command::End(count, work) => {
                group.pieces.push((Durability::Synced, Care::Own, work));
                group.ends += count;
            }
        }
        if group.pieces.len() < GROUP {
            next = commands.try_recv().ok();
        }
    }
}

fn commit(database: &mut Database, syncer: Option<&Syncer>, mut group: Group) {
    let result = database.mend().and_then(|()| transaction(database, &mut group));
    match &result {
        Ok(_) => database.starts.committed(),
        Err(error) => {
            if !database.connection().is_autocommit() {
                // Where even that fails, the next BEGIN does, and is told.
                let _ = execute(database, "ROLLBACK");
            }
            database.starts.rolled_back();
            database.windows.clear();
            if error.code() == Code::StoreFull {
                database.found_full();
            }
        }
    }
    let error = result.as_ref().err();
    let mut unsynced: Works = Vec::new();
    for (durability, _, work) in group.pieces {
        if error.is_none() && durability == Durability::Synced && syncer.is_some() {
            unsynced.push(work);
        } else {
            work.deliver(error);
        }
    }
    if let (Some(syncer), Ok(true)) = (syncer, result) {
        syncer.sync(unsynced);
    }
}

/// Answers whether something was written.
fn transaction(database: &mut Database, group: &mut Group) -> Result<bool> {
    let exact = group.pieces.iter().any(|(_, care, _)| *care != Care::Own) && !database.starts.is_empty();
    let writes = exact
        || group
            .pieces
            .iter()
            .any(|(durability, ..)| *durability != Durability::Read);
    execute(database, if writes { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
    for (durability, care, work) in &mut group.pieces {
        if *care != Care::Own {
            starts::write_out(database)?;
        }
        let undo = *care == Care::Order;
        if undo {
            execute(database, "SAVEPOINT piece")?;
        }
        let good = work.run(database);
        if database.connection().is_autocommit() {
            return Err(Error::new(
                Code::StoreFull,
                "the job store undid its work, most likely because its disk is full; make room and try again",
            ));
        }
        if undo {
            if !good {
                execute(database, "ROLLBACK TO piece")?;
            }
            execute(database, "RELEASE piece")?;
            database.windows.clear();
        } else if !good && *durability != Durability::Read {
            // Half of it may be written.
            return Err(work.error().unwrap_or_else(closed));
        }
    }
    execute(database, "COMMIT")?;
    Ok(writes)
}

fn execute(database: &Database, sql: &'static str) -> Result<()> {
    let mut statement = database.statement(sql)?;
    statement.raw_execute().map_err(coded)?;
    Ok(())
}
