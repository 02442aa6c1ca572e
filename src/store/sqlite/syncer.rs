//! The thread that syncs the log. While it waits for the disk, the store's thread commits on: what
//! was written meanwhile is the next sync's.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::task::Work;
use crate::error::{Code, Error, Result};

/// What nobody waits for is synced after this at the latest.
const LAZY: Duration = Duration::from_millis(10);
/// The same of what somebody waits for without haste. A sync costs as much as many commits.
const SOON: Duration = Duration::from_millis(2);

/// Works that were committed, and are told when they are on the disk.
pub type Works = Vec<Box<dyn Work>>;

/// Syncs what was committed. It ends when it is closed or dropped, after its last sync.
pub struct Syncer {
    /// Empty: something was committed that nobody waits for. With them, whether it is urgent.
    written: Option<Sender<(Works, bool)>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<AtomicBool>,
}

impl Syncer {
    /// Syncs that file.
    pub fn start(log: File) -> Result<Self> {
        let (written, received) = mpsc::channel();
        let failed = Arc::new(AtomicBool::new(false));
        let told = failed.clone();
        let thread = thread::Builder::new()
            .name("auton8n-sync".to_owned())
            .spawn(move || run(&log, &received, &told))
            .map_err(|error| {
                Error::new(Code::StoreUnavailable, "no thread could be started for the job store").because(error)
            })?;
        Ok(Self {
            written: Some(written),
            thread: Some(thread),
            failed,
        })
    }

    /// Tells the works when what was committed so far is on the disk.
    pub fn sync(&self, works: Works, urgent: bool) {
        if let Some(written) = &self.written {
            // The thread ends only after this sender.
            let _ = written.send((works, urgent));
        }
    }

    /// A sync failed since this was asked last: what lies in the log may never reach the disk.
    pub fn failed(&self) -> bool {
        self.failed.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        drop(self.written.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(log: &File, received: &Receiver<(Works, bool)>, failed: &AtomicBool) {
    while let Ok((mut works, mut urgent)) = received.recv() {
        let since = Instant::now();
        while !urgent {
            let patience = if works.is_empty() { LAZY } else { SOON };
            match received.recv_timeout(patience.saturating_sub(since.elapsed())) {
                Ok((more, now)) => {
                    works.extend(more);
                    urgent = now;
                }
                Err(_) => break,
            }
        }
        while let Ok((more, _)) = received.try_recv() {
            works.extend(more);
        }
        let error = log.sync_data().err().map(|error| {
            failed.store(true, Ordering::Release);
            Error::new(
                Code::StoreUnavailable,
                "the disk of the job store did not take what was written; look at its state and try again",
            )
            .because(error)
        });
        for work in works {
            work.deliver(error.as_ref());
        }
    }
}
