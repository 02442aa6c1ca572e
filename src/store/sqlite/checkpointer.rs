//! The thread that moves the log into the database while the store's thread commits on. What is left of it the store's
//! thread moves itself, where the log would grow too big; mostly that is little.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::error::{Code, Error, Result};

/// Rows that are written between two moves. Many small ones fill about 8 MB.
const ROWS: u64 = 12_000;

/// Moves the log. It ends when it is dropped, after the move that is under way.
#[derive(Debug)]
pub struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The rows that were written when it was last woken.
    seen: u64,
}

impl Checkpointer {
    /// Of that database, which is open.
    pub fn start(path: &Path) -> Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let path = path.to_owned();
        let thread = thread::Builder::new()
            .name("auton8n-move".to_owned())
            .spawn(move || {
                // Where it cannot, the store's thread does all of it.
                if let Ok(connection) = Connection::open(&path) {
                    run(&connection, &woken);
                }
            })
            .map_err(|error| {
                Error::new(Code::StoreUnavailable, "no thread could be started for the job store").because(error)
            })?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            seen: 0,
        })
    }

    /// So many rows were written since the database was opened, and committed.
    pub fn written(&mut self, rows: u64) {
        if let Some(wake) = &self.wake
            && rows.saturating_sub(self.seen) >= ROWS
            // Where it is at work it is woken by the next commit.
            && wake.try_send(()).is_ok()
        {
            self.seen = rows;
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        // An error is one of the store's thread too, which tells it.
        let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }
}
