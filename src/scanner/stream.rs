//! Files of any size, in windows that overlap: memory stays bounded, and what stands across a border
//! is found once.

use std::io::Read;

use super::candidate::resolve;
use super::decoding::to_utf8;
use super::engine::Scanner;
use super::finding::{ScanResult, Skipped};
use super::position::Cursor;

/// Files up to this size are scanned in one piece, in bytes.
pub const WHOLE: usize = 4 * 1024 * 1024;
/// How a file is cut, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// New bytes of a window.
    pub step: usize,
    /// What a window repeats of the one before, and how far it reaches into the next one: more than the
    /// longest secret, 64 KiB of a private key, and what is looked at around it.
    pub margin: usize,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            step: 2 * 1024 * 1024,
            margin: 128 * 1024,
        }
    }
}

/// Findings of one file that are listed; a file made of tokens would fill the memory otherwise.
const MOST: usize = 50_000;

/// Bytes of a file that are used again for the next one.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            bytes: vec![0; 64 * 1024],
            filled: 0,
        }
    }
}

impl Buffer {
    /// What was read.
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Reads from the start, up to `limit` bytes; answers whether the file ended before.
    pub fn read(&mut self, file: &mut impl Read, limit: usize) -> std::io::Result<bool> {
        self.filled = 0;
        self.fill(file, limit)
    }

    fn fill(&mut self, file: &mut impl Read, limit: usize) -> std::io::Result<bool> {
        while self.filled < limit {
            if self.filled == self.bytes.len() {
                self.bytes.resize((self.bytes.len() * 2).min(limit), 0);
            }
            let end = self.bytes.len().min(limit);
            match file.read(&mut self.bytes[self.filled..end]) {
                Ok(0) => return Ok(true),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn forget(&mut self, count: usize) {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
    }
}

impl Scanner {
    /// Scans the rest of a file whose first bytes are in the buffer.
    pub(super) fn scan_stream(
        &self,
        file: &mut impl Read,
        name: &str,
        buffer: &mut Buffer,
        limit: u64,
        windows: Windows,
    ) -> std::io::Result<Option<ScanResult>> {
        let wide = match buffer.text() {
            [0xff, 0xfe, ..] => Some([0xff, 0xfe]),
            [0xfe, 0xff, ..] => Some([0xfe, 0xff]),
            _ => None,
        };
        let mut result = ScanResult {
            files_scanned: 1,
            ..ScanResult::default()
        };
        // Where the new bytes start in the buffer, and what line and column that is.
        let mut start = 0;
        let mut place = None;
        loop {
            let ended = buffer.fill(file, start + windows.step + windows.margin)?;
            let bytes = buffer.text();
            let stop = if ended {
                bytes.len()
            } else {
                border(bytes, start + windows.step, wide.is_some())
            };
            result.bytes_scanned += (stop - start) as u64;
            if result.bytes_scanned > limit {
                return Ok(None);
            }
            let parts = [&bytes[..start], &bytes[start..stop], &bytes[stop..]];
            let first = place.is_none();
            let (text, from, to) = match wide {
                Some(mark) => decoded(parts, mark, first),
                None => (std::borrow::Cow::Borrowed(bytes), start, stop),
            };
            let cursor = || match place {
                Some(place) => Cursor::resumed(&text, from, place),
                None => Cursor::new(&text),
            };
            let mut candidates = resolve(self.candidates(&text, Some(name)));
            candidates.retain(|one| (from..to).contains(&one.span.start));
            let room = MOST.saturating_sub(result.secrets.len());
            let mut found = self.findings(&text, Some(name), candidates, cursor());
            if found.len() > room {
                found.truncate(room);
                result.secrets.extend(found);
                result.skipped.push(Skipped {
                    file: name.to_owned(),
                    reason: format!("more than {MOST} findings: the rest of the file is not listed"),
                });
                break;
            }
            result.secrets.extend(found);
            if ended {
                break;
            }
            place = Some(cursor().locate(to));
            // The mark is no part of what later windows repeat.
            let kept = stop.saturating_sub(windows.margin).next_multiple_of(2);
            buffer.forget(kept);
            start = stop - kept;
        }
        result.found = !result.secrets.is_empty();
        Ok(Some(result))
    }
}

/// A place near `at` that lies between characters.
fn border(bytes: &[u8], at: usize, wide: bool) -> usize {
    if wide {
        return at - at % 2;
    }
    let inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at - 3..=at).rev().find(|at| !inside(*at)).unwrap_or(at)
}

/// UTF-16 as UTF-8, and where the middle part starts and ends in it.
fn decoded(parts: [&[u8]; 3], mark: [u8; 2], first: bool) -> (std::borrow::Cow<'static, [u8]>, usize, usize) {
    let mut text = Vec::new();
    let mut borders = [0; 3];
    for (index, part) in parts.iter().enumerate() {
        // The text's own mark stands before its first bytes.
        let marked = if first && index == 1 {
            part.to_vec()
        } else {
            [&mark, *part].concat()
        };
        text.extend_from_slice(&to_utf8(&marked));
        borders[index] = text.len();
    }
    (text.into(), borders[0], borders[1])
}
