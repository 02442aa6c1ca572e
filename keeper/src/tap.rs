//! A stream of a program, on its way to the engine.

use std::os::fd::{AsRawFd, OwnedFd};

use crate::sys;
use crate::wire::{from_keeper, send};

/// A stream that is passed on up to its limit; the rest is read and counted, so that nobody blocks.
pub struct Tap {
    stream: u8,
    pub fd: Option<OwnedFd>,
    left: u64,
    /// Bytes that were not kept.
    pub dropped: u64,
}

impl Tap {
    pub const fn new(stream: u8, fd: OwnedFd, left: u64) -> Self {
        Self {
            stream,
            fd: Some(fd),
            left,
            dropped: 0,
        }
    }

    /// Reads what is there; `true` while there was something.
    pub fn pump(&mut self, buffer: &mut [u8]) -> Result<bool, String> {
        let Some(fd) = &self.fd else { return Ok(false) };
        let Some(bytes) = sys::read_some(fd.as_raw_fd(), buffer)? else {
            return Ok(false);
        };
        if bytes.is_empty() {
            self.fd = None;
            return Ok(false);
        }
        let kept = (bytes.len() as u64).min(self.left);
        self.left -= kept;
        self.dropped += bytes.len() as u64 - kept;
        if kept > 0 {
            send(from_keeper::OUT, &[&[self.stream], &bytes[..kept as usize]])?;
        }
        Ok(true)
    }
}
