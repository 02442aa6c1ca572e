//! The log beside the file. Its own reader takes the first frame that is wrong for the end of the
//! log, since a crash leaves such an end; a frame that is wrong with good ones after it is damage.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::store::sqlite::database::with_suffix;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Four bytes as a number; 0 where there are none.
pub fn word(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .map_or(0, |four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// The pages in the log, in their order: all frames of the newest round, good or not.
pub fn frames(wal: &[u8], size: usize) -> impl Iterator<Item = (u32, &[u8])> {
    let salts = wal.get(16..24).map(<[u8]>::to_vec).unwrap_or_default();
    let first = wal.get(HEADER + 8..HEADER + 16).map(<[u8]>::to_vec).unwrap_or_default();
    wal.get(HEADER..)
        .unwrap_or_default()
        .chunks_exact(FRAME_HEADER + size)
        // Where the log's own header is damaged, the first frame says the round.
        .filter(move |frame| frame[8..16] == salts || frame[8..16] == first)
        .map(|frame| (word(frame, 0), &frame[FRAME_HEADER..]))
        .filter(|(number, _)| *number > 0)
}

/// What is wrong with the log beside a file, where more is wrong than a crash explains.
pub fn damage_of_log(path: &Path) -> Option<String> {
    let wal = std::fs::read(with_suffix(path, "-wal")).ok()?;
    if wal.len() < HEADER + FRAME_HEADER {
        return lost_since(path, &wal, 0);
    }
    let size = word(&wal, 8) as usize;
    let big = match word(&wal, 0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Some("the header of its log is damaged".to_owned()),
    };
    let header = sum(big, (0, 0), &wal[..24]);
    if header != (word(&wal, 24), word(&wal, 28)) || !(512..=65_536).contains(&size) {
        return Some("the header of its log is damaged".to_owned());
    }
    let (mut before, mut good, mut wrong) = (header, 0, None);
    for (index, frame) in wal[HEADER..].chunks_exact(FRAME_HEADER + size).enumerate() {
        if frame[8..16] != wal[16..24] {
            break;
        }
        let told = (word(frame, 16), word(frame, 20));
        let found = sum(big, sum(big, before, &frame[..8]), &frame[FRAME_HEADER..]);
        match (found == told, wrong) {
            (true, None) => good = index as u32 + 1,
            (true, Some(wrong)) => return Some(format!("frame {wrong} of its log is damaged")),
            (false, None) => wrong = Some(index + 1),
            (false, Some(_)) => {}
        }
        before = told;
    }
    lost_since(path, &wal, good)
}

/// The index of the log, which outlives its process but not the machine's, says how far it went.
fn lost_since(path: &Path, wal: &[u8], good: u32) -> Option<String> {
    let path = with_suffix(path, "-shm");
    let index = std::fs::read(&path).ok()?;
    let native = |at: usize| {
        index
            .get(at..at + 4)
            .map(|four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
    };
    let written = std::fs::metadata(&path).ok()?.modified().ok()?;
    if written.duration_since(UNIX_EPOCH).ok()? < booted()? || index.get(..48)? != index.get(48..96)? {
        return None;
    }
    let same_round = wal.is_empty() || index.get(32..40)? == wal.get(16..24)?;
    let frames = native(16)?;
    (same_round && frames > good && native(0)? == 3_007_000)
        .then(|| format!("its log ends after frame {good} of {frames}"))
}

/// When this machine started, since 1970.
fn booted() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn sum(big: bool, seed: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let (mut one, mut two) = seed;
    for pair in bytes.chunks_exact(8) {
        let number = |at: usize| {
            let four = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
            if big {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            }
        };
        one = one.wrapping_add(number(0)).wrapping_add(two);
        two = two.wrapping_add(number(4)).wrapping_add(one);
    }
    (one, two)
}
