//! Frames: a length of four bytes, a kind of one byte, and fields.

use std::io::{self, Write};

/// The longest frame that is taken.
pub const MAX_FRAME: usize = 16 << 20;
/// Bytes of a file or of output in one frame.
pub const CHUNK: usize = 64 << 10;

/// What the engine sends.
pub mod from_engine {
    pub const PUT: u8 = 1;
    pub const RUN: u8 = 2;
    pub const CANCEL: u8 = 3;
    pub const COLLECT: u8 = 4;
    pub const QUIT: u8 = 5;
    pub const PUT_END: u8 = 6;
    pub const LAUNCH: u8 = 7;
    pub const PING: u8 = 8;
}

/// What the keeper answers.
pub mod from_keeper {
    pub const READY: u8 = 128;
    pub const OUT: u8 = 129;
    pub const EXIT: u8 = 130;
    pub const FILE: u8 = 131;
    pub const DONE: u8 = 132;
    pub const FAIL: u8 = 133;
}

/// A frame that was read.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub body: Vec<u8>,
}

/// Takes one frame from the front of `buffer` where a whole one is there.
pub fn take(buffer: &mut Vec<u8>) -> Result<Option<Frame>, String> {
    let Some(head) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*head) as usize;
    if length == 0 || length > MAX_FRAME {
        return Err(format!("a frame of {length} bytes is not taken"));
    }
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    let rest = buffer.split_off(4 + length);
    let whole = std::mem::replace(buffer, rest);
    Ok(Some(Frame {
        kind: whole[4],
        body: whole[5..].to_vec(),
    }))
}

/// Writes one frame to standard output.
pub fn send(kind: u8, parts: &[&[u8]]) -> Result<(), String> {
    let length: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(4 + length);
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    bytes.push(kind);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    let mut out = io::stdout().lock();
    out.write_all(&bytes)
        .and_then(|()| out.flush())
        .map_err(|error| format!("cannot answer: {error}"))
}

/// Says that a request could not be carried out.
pub fn fail(message: &str) -> Result<(), String> {
    send(from_keeper::FAIL, &[message.as_bytes()])
}

/// Reads fields from a frame's body.
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        if count > self.rest.len() {
            return Err("a frame is shorter than its fields".to_owned());
        }
        let (head, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(head)
    }

    pub fn u8(&mut self) -> Result<u8, String> {
        Ok(self.bytes(1)?[0])
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        let mut raw = [0; 4];
        raw.copy_from_slice(self.bytes(4)?);
        Ok(u32::from_le_bytes(raw))
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        let mut raw = [0; 8];
        raw.copy_from_slice(self.bytes(8)?);
        Ok(u64::from_le_bytes(raw))
    }

    /// Bytes with their length before them.
    pub fn blob(&mut self) -> Result<&'a [u8], String> {
        let count = self.u32()? as usize;
        self.bytes(count)
    }

    pub fn text(&mut self) -> Result<String, String> {
        String::from_utf8(self.blob()?.to_vec()).map_err(|_| "a text of a frame is not UTF-8".to_owned())
    }

    pub fn texts(&mut self) -> Result<Vec<String>, String> {
        let count = self.u32()? as usize;
        if count > self.rest.len() {
            return Err("a frame is shorter than its fields".to_owned());
        }
        (0..count).map(|_| self.text()).collect()
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// A text with its length before it, as `Fields::text` reads it.
pub fn blob(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + bytes.len());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_taken_when_it_is_whole() {
        let mut buffer = vec![3, 0, 0, 0, 9, 1];
        assert!(take(&mut buffer).unwrap().is_none());
        buffer.extend([2, 77]);
        let frame = take(&mut buffer).unwrap().unwrap();
        assert_eq!((frame.kind, frame.body), (9, vec![1, 2]));
        assert_eq!(buffer, vec![77]);
    }

    #[test]
    fn empty_and_huge_frames_are_refused() {
        assert!(take(&mut vec![0, 0, 0, 0]).is_err());
        assert!(take(&mut vec![255, 255, 255, 255]).is_err());
    }

    #[test]
    fn fields_never_read_past_the_end() {
        assert!(Fields::new(&[5, 0, 0, 0, 1]).blob().is_err());
        assert!(Fields::new(&[255, 255, 255, 255]).texts().is_err());
        assert_eq!(Fields::new(&blob(b"hi")).text().unwrap(), "hi");
    }
}
