//! A piece of a transaction, and who waits for it.

use tokio::sync::oneshot;

use super::database::Database;
use crate::error::{Error, Result};
use crate::store::rules::{again, closed};

/// A piece of a group's transaction.
pub trait Work: Send {
    /// Takes what it needs of what others claim from.
    fn prepare(&mut self, database: &mut Database);

    /// Works; false where it failed.
    fn run(&mut self, database: &mut Database) -> bool;

    /// Why it failed.
    fn error(&self) -> Option<Error>;

    /// Tells the caller, after the commit or with its error.
    fn deliver(self: Box<Self>, error: Option<&Error>);
}

/// What is to be done with the database.
pub trait Operation<T> {
    /// Takes what it needs of what others claim from.
    fn prepare(&mut self, _database: &mut Database) {}

    /// Does it, within a transaction.
    fn run(self, database: &mut Database) -> Result<T>;
}

impl<T, F: FnOnce(&mut Database) -> Result<T>> Operation<T> for F {
    fn run(self, database: &mut Database) -> Result<T> {
        self(database)
    }
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
    F: Operation<T> + Send,
{
    fn prepare(&mut self, database: &mut Database) {
        if let Some(operation) = &mut self.operation {
            operation.prepare(database);
        }
    }

    fn run(&mut self, database: &mut Database) -> bool {
        self.answer = self.operation.take().map(|operation| operation.run(database));
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
