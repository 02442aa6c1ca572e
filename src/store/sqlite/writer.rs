//! The thread that owns the connection. What waits together is one transaction. It is written when
//! it is committed, which the death of the process cannot undo; whoever asked for more is answered
//! by the syncer, and with many callers one sync of the disk serves all of them.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::checkpointer::Checkpointer;
use super::claim::{Taken, claim, claim_ready};
use super::database::Database;
use super::failure::coded;
use super::syncer::{Syncer, Works};
use super::task::{Task, Work};
use super::{pack, starts, window};
use crate::error::{Code, Error, Result};
use crate::store::job_store::ClaimRequest;
use crate::store::rules::closed;

/// The most commands of one transaction.
const GROUP: usize = 4_000;
/// After a commit, one that only ends jobs waits so long for others, or for so many of them: its
/// workers go on meanwhile.
const PAUSE: Duration = Duration::from_millis(1);
const ENDS: usize = 384;

/// A page of packed jobs is as much as so many rows.
const PAGE: u64 = 12;

/// What a command asks of the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing is written.
    Read,
    /// Written at once, synced soon: the death of the process loses nothing.
    Lazy,
    /// Synced before it is answered, together with what comes in the next milliseconds.
    Soon,
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
    /// It has nothing to do with them but for what it prepares: others may claim meanwhile.
    Apart,
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

/// Runs until it is closed or every sender is gone. `held` is let go last.
pub fn run(
    mut database: Database,
    helpers: Option<(Syncer, Checkpointer)>,
    commands: &Receiver<Command>,
    held: Box<dyn Send>,
) {
    let (syncer, mut checkpointer) = helpers.unzip();
    let (mut closing, mut committed) = (None, Instant::now());
    while closing.is_none() {
        let Some(command) = next(&mut database, commands) else {
            break;
        };
        let mut group = Group::default();
        gather(&mut database, command, commands, &mut group);
        while let Some(left) = group.may_wait(committed) {
            database.lend();
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
            refill(&mut database);
            if let Some(checkpointer) = &mut checkpointer {
                checkpointer.written(database.connection().total_changes() + database.pages * PAGE);
            }
        }
    }
    // Nobody claims any more.
    database.front();
    // The last sync, and its answers.
    drop(syncer);
    drop(checkpointer);
    // Closing moves the log into the database, which syncs both.
    drop(database);
    drop(held);
    if let Some(told) = closing {
        let _ = told.send(());
    }
}

/// The next command. While there is none, it is read ahead.
fn next(database: &mut Database, commands: &Receiver<Command>) -> Option<Command> {
    loop {
        database.lend();
        match commands.try_recv() {
            Err(TryRecvError::Empty) if refill(database) => {}
            Err(TryRecvError::Empty) => {
                database.lend();
                return commands.recv().ok();
            }
            received => return received.ok(),
        }
    }
}

/// Reads ahead where that is low.
fn refill(database: &mut Database) -> bool {
    // An error is one of the next claim too, which tells it.
    database.connection().is_autocommit() && window::refill(database).unwrap_or(false)
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
                group.pieces.push((Durability::Soon, Care::Apart, work));
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
        Ok(_) => database.front().starts.committed(),
        Err(error) => {
            if !database.connection().is_autocommit() {
                // Where even that fails, the next BEGIN does, and is told.
                let _ = execute(database, "ROLLBACK");
            }
            database.front().starts.rolled_back();
            database.front().windows.clear();
            pack::clear(database);
            database.limits.clear();
            if error.code() == Code::StoreFull {
                database.found_full();
            }
        }
    }
    let error = result.as_ref().err();
    let (mut unsynced, mut urgent): (Works, bool) = (Vec::new(), false);
    for (durability, _, work) in group.pieces {
        if error.is_none() && durability >= Durability::Soon && syncer.is_some() {
            unsynced.push(work);
            urgent |= durability == Durability::Synced;
        } else {
            work.deliver(error);
        }
    }
    if let (Some(syncer), Ok(true)) = (syncer, result) {
        syncer.sync(unsynced, urgent);
    }
}

/// Answers whether something was written.
fn transaction(database: &mut Database, group: &mut Group) -> Result<bool> {
    let minds = |care: Care| matches!(care, Care::Rows | Care::Order);
    let exact = group.pieces.iter().any(|(_, care, _)| minds(*care)) && !database.front().starts.is_empty();
    let writes = exact
        || group
            .pieces
            .iter()
            .any(|(durability, ..)| *durability != Durability::Read);
    execute(database, if writes { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
    let apart = group.pieces.iter().all(|(_, care, _)| *care == Care::Apart);
    if apart {
        group.pieces.iter_mut().for_each(|(.., work)| work.prepare(database));
        database.lend();
    }
    for (durability, care, work) in &mut group.pieces {
        if !apart {
            work.prepare(database);
        }
        if minds(*care) {
            starts::write_out(database)?;
        }
        let undo = *care == Care::Order;
        if undo {
            pack::flush(database)?;
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
                pack::clear(database);
                database.limits.clear();
            }
            execute(database, "RELEASE piece")?;
            database.front().windows.clear();
        } else if !good && *durability != Durability::Read {
            // Half of it may be written.
            return Err(work.error().unwrap_or_else(closed));
        }
    }
    pack::flush(database)?;
    execute(database, "COMMIT")?;
    Ok(writes)
}

fn execute(database: &Database, sql: &'static str) -> Result<()> {
    let mut statement = database.statement(sql)?;
    statement.raw_execute().map_err(coded)?;
    Ok(())
}
