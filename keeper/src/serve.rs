//! Process 1: takes requests one after another until the engine is gone.

use std::os::fd::{AsRawFd, OwnedFd};

use crate::put::Putter;
use crate::wire::{self, Frame, fail, from_engine, from_keeper, send};
use crate::{collect, identity, launch, ready, run, sys};

/// What comes from the engine.
pub struct Inbox {
    buffer: Vec<u8>,
    chunk: Vec<u8>,
}

impl Inbox {
    pub fn new() -> Self {
        Self {
            buffer: Vec::new(),
            chunk: vec![0; wire::CHUNK],
        }
    }

    /// Reads what is there; `false` where the engine is gone.
    pub fn read(&mut self) -> Result<bool, String> {
        match sys::read_some(0, &mut self.chunk)? {
            None => Ok(true),
            Some([]) => Ok(false),
            Some(bytes) => {
                self.buffer.extend_from_slice(bytes);
                Ok(true)
            }
        }
    }

    pub fn take(&mut self) -> Result<Option<Frame>, String> {
        wire::take(&mut self.buffer)
    }

    /// Whether a cancellation waits in front; it is taken.
    pub fn take_cancel(&mut self) -> Result<bool, String> {
        if self.buffer.get(4) != Some(&from_engine::CANCEL) {
            return Ok(false);
        }
        Ok(self.take()?.is_some())
    }

    /// Whether more may be held while a command runs.
    pub fn has_room(&self) -> bool {
        self.buffer.len() <= wire::MAX_FRAME
    }
}

/// `filters` are those of system calls, in hexadecimal digits, where the engine cannot be given a profile.
pub fn serve(filters: &[String]) -> Result<(), String> {
    // SAFETY: ignoring a signal takes no handler. A peer that is gone is then an error of `write`.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let children = sys::child_signals()?;
    ready::prepare_work()?;
    for filter in filters {
        launch::install(&from_hex(filter)?)?;
    }
    send(from_keeper::READY, &[ready::report()?.as_bytes()])?;
    let mut inbox = Inbox::new();
    let mut putter = Putter::default();
    loop {
        while let Some(frame) = inbox.take()? {
            if !answer(&frame, &mut putter, &mut inbox, &children)? {
                return Ok(());
            }
        }
        wait_for_news(&children);
        if !inbox.read()? {
            return Ok(());
        }
    }
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits
        .filter(|digits| digits.len() % 2 == 0)
        .ok_or("a filter is not in hexadecimal digits")?;
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Waits for the engine, and buries whoever was left to process 1 meanwhile.
fn wait_for_news(children: &OwnedFd) {
    loop {
        let mut entries = [0, children.as_raw_fd()].map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        });
        sys::poll(&mut entries, -1);
        if entries[1].revents != 0 {
            forget_signals(children);
            while let Ok(Some(_)) = sys::reap(false) {}
        }
        if entries[0].revents != 0 {
            return;
        }
    }
}

/// Empties the descriptor, so that it tells only of later ends.
pub fn forget_signals(children: &OwnedFd) {
    let mut buffer = [0; 512];
    while let Ok(Some(bytes)) = sys::read_some(children.as_raw_fd(), &mut buffer) {
        if bytes.is_empty() {
            return;
        }
    }
}

/// Carries out one request; `false` where it was the last.
fn answer(frame: &Frame, putter: &mut Putter, inbox: &mut Inbox, children: &OwnedFd) -> Result<bool, String> {
    match frame.kind {
        from_engine::PUT => putter.take(&frame.body),
        from_engine::PING => send(from_keeper::DONE, &[])?,
        from_engine::PUT_END => match putter.finish() {
            Ok(()) => send(from_keeper::DONE, &[])?,
            Err(message) => fail(&message)?,
        },
        from_engine::RUN => {
            if let Err(message) = run::run(&frame.body, inbox, children)? {
                fail(&message)?;
            }
        }
        // The command that it was meant for has ended meanwhile.
        from_engine::CANCEL => {}
        from_engine::COLLECT => {
            end_everything();
            if let Err(message) = collect::collect(&frame.body) {
                fail(&message)?;
            }
        }
        from_engine::QUIT => {
            end_everything();
            return Ok(false);
        }
        kind => return Err(format!("a frame of kind {kind} is not known")),
    }
    Ok(true)
}

/// Kills and buries all but the keeper.
pub fn end_everything() {
    loop {
        identity::kill_all();
        if sys::reap(true).is_err() {
            return;
        }
    }
}
