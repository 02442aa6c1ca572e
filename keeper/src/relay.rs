//! A judge that only listens: its standard input goes to the job, and what the job says to its standard output.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::FromRawFd;

use crate::wire::CHUNK;

/// Our end of the pair.
const PAIR: i32 = 3;

/// Ends when no process of the job has the other end any more.
pub fn relay() -> Result<(), String> {
    // SAFETY: the keeper gave a judge this descriptor, and nobody else in the process owns it.
    let mut pair = unsafe { File::from_raw_fd(PAIR) };
    let fault = |error: io::Error| format!("cannot relay: {error}");
    let mut given = Vec::new();
    io::stdin().lock().read_to_end(&mut given).map_err(fault)?;
    // A job that has ended already is seen below.
    let _ = pair.write_all(&given);
    let mut out = io::stdout().lock();
    let mut buffer = vec![0; CHUNK];
    loop {
        // Not `io::copy`: that splices, and a splice holds our pipe while it waits, so that the keeper hangs in reading it.
        match pair.read(&mut buffer) {
            // A job that was killed may have left words of ours unread.
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(fault(error)),
            Ok(count) => out
                .write_all(&buffer[..count])
                .and_then(|()| out.flush())
                .map_err(fault)?,
        }
    }
}
