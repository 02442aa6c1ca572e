//! What the keeper answers: frames of a length of four bytes, a kind, and fields.
//!
//! The other half is `keeper/src/wire.rs`. Whatever the keeper sends is bounded here too: a box is
//! not trusted.

use super::run::{Outcome, Output, StoppedBy};
use crate::error::{Code, Error, Result};

/// The longest frame that is sent or taken.
pub const MAX_FRAME: usize = 16 << 20;

/// What the keeper answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// What binds in the box, as lines of `name=value`.
    Ready(String),
    /// A piece of output: 1 and 2 of the command, 3 and 4 of the judge.
    Out {
        stream: u8,
        bytes: Vec<u8>,
    },
    Exit(Box<Exit>),
    File {
        begin: bool,
        path: String,
        bytes: Vec<u8>,
    },
    Done,
    Fail(String),
}

/// How a command ended, without its output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exit {
    pub timed_out: bool,
    pub cancelled: bool,
    pub oom_killed: bool,
    pub duration_ms: u64,
    pub peak: u64,
    pub peak_processes: u64,
    pub processor_us: u64,
    /// Processes and threads that the kernel refused.
    pub refused_forks: u64,
    /// Bytes of each stream that were not kept.
    pub dropped: [u64; 4],
    pub command: Ended,
    pub judge: Option<Ended>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
}

fn broken(why: &str) -> Error {
    Error::new(
        Code::SandboxFailed,
        format!("the sandbox answered with something that is not its protocol: {why}"),
    )
}

/// Takes one frame from the front of `buffer` where a whole one is there.
pub fn take(buffer: &mut Vec<u8>) -> Result<Option<(u8, Vec<u8>)>> {
    let Some(head) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*head) as usize;
    if length == 0 || length > MAX_FRAME {
        return Err(broken("a frame has a length that is not allowed"));
    }
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    let rest = buffer.split_off(4 + length);
    let whole = std::mem::replace(buffer, rest);
    Ok(Some((whole[4], whole[5..].to_vec())))
}

/// Reads the body of a frame.
pub fn decode(kind: u8, body: &[u8]) -> Result<Reply> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut reader = Reader(body);
    Ok(match kind {
        128 => Reply::Ready(text(body)),
        129 => Reply::Out {
            stream: reader.bytes::<1>()?[0],
            bytes: reader.0.to_vec(),
        },
        130 => Reply::Exit(Box::new(exit(&mut reader)?)),
        131 => {
            let begin = reader.bytes::<1>()?[0] != 0;
            let count = u32::from_le_bytes(reader.bytes()?) as usize;
            let (path, bytes) = reader
                .0
                .split_at_checked(count)
                .ok_or_else(|| broken("a path is cut off"))?;
            Reply::File {
                begin,
                path: text(path),
                bytes: bytes.to_vec(),
            }
        }
        132 => Reply::Done,
        133 => Reply::Fail(text(body)),
        _ => return Err(broken("a frame of a kind that is not known")),
    })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| broken("a frame is cut off"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn flag(&mut self) -> Result<bool> {
        Ok(self.bytes::<1>()?[0] != 0)
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn ended(&mut self) -> Result<Ended> {
        let by_signal = self.flag()?;
        let value = i32::from_le_bytes(self.bytes()?);
        Ok(if by_signal {
            Ended {
                exit_code: None,
                signal: Some(value),
            }
        } else {
            Ended {
                exit_code: Some(value),
                signal: None,
            }
        })
    }
}

fn exit(reader: &mut Reader) -> Result<Exit> {
    let mut exit = Exit {
        timed_out: reader.flag()?,
        cancelled: reader.flag()?,
        oom_killed: reader.flag()?,
        duration_ms: reader.u64()?,
        peak: reader.u64()?,
        peak_processes: reader.u64()?,
        processor_us: reader.u64()?,
        refused_forks: reader.u64()?,
        ..Exit::default()
    };
    for dropped in &mut exit.dropped {
        *dropped = reader.u64()?;
    }
    exit.command = reader.ended()?;
    let judged = reader.flag()?;
    let judge = reader.ended()?;
    exit.judge = judged.then_some(judge);
    Ok(exit)
}

/// The limit that ended or held a command, by the kernel's own counters; the gravest first.
fn stopped_by(exit: &Exit) -> Option<StoppedBy> {
    [
        (exit.oom_killed, StoppedBy::Memory),
        (exit.timed_out, StoppedBy::Time),
        (exit.refused_forks > 0, StoppedBy::Processes),
        (exit.dropped.iter().any(|dropped| *dropped > 0), StoppedBy::Output),
    ]
    .into_iter()
    .find_map(|(reached, limit)| reached.then_some(limit))
}

/// Puts the ending and the output that came before it together.
pub fn outcome(exit: &Exit, streams: [Vec<u8>; 4]) -> Outcome {
    let [out, err, judge_out, judge_err] = streams;
    let output = |bytes, dropped: u64| Output {
        bytes,
        truncated: dropped > 0,
    };
    let of = |ended: Ended, stdout, stderr| Outcome {
        exit_code: ended.exit_code,
        signal: ended.signal,
        stdout,
        stderr,
        timed_out: exit.timed_out,
        oom_killed: exit.oom_killed,
        duration_ms: exit.duration_ms,
        peak_memory: (exit.peak > 0).then_some(exit.peak),
        peak_processes: (exit.peak_processes > 0).then_some(exit.peak_processes),
        processor_ms: exit.processor_us / 1000,
        stopped_by: None,
        judge: None,
    };
    let mut outcome = of(exit.command, output(out, exit.dropped[0]), output(err, exit.dropped[1]));
    outcome.stopped_by = stopped_by(exit);
    outcome.judge = exit.judge.map(|judge| {
        Box::new(of(
            judge,
            output(judge_out, exit.dropped[2]),
            output(judge_err, exit.dropped[3]),
        ))
    });
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_lie_about_themselves_are_refused() {
        assert!(take(&mut vec![0, 0, 0, 0]).is_err());
        assert!(take(&mut vec![255, 255, 255, 255, 1]).is_err());
        assert!(decode(131, &[1, 9, 0, 0, 0, b'x']).is_err());
        assert!(decode(130, &[1, 0]).is_err());
        assert!(decode(7, &[]).is_err());
    }

    #[test]
    fn the_gravest_limit_is_named() {
        let exit = |oom_killed, timed_out, refused_forks, dropped| Exit {
            oom_killed,
            timed_out,
            refused_forks,
            dropped: [0, dropped, 0, 0],
            ..Exit::default()
        };
        assert_eq!(stopped_by(&exit(true, true, 1, 1)), Some(StoppedBy::Memory));
        assert_eq!(stopped_by(&exit(false, true, 1, 1)), Some(StoppedBy::Time));
        assert_eq!(stopped_by(&exit(false, false, 1, 1)), Some(StoppedBy::Processes));
        assert_eq!(stopped_by(&exit(false, false, 0, 1)), Some(StoppedBy::Output));
        assert_eq!(stopped_by(&exit(false, false, 0, 0)), None);
    }

    #[test]
    fn an_exit_tells_of_the_command_and_its_judge() {
        let mut body = vec![1, 0, 1];
        for number in [5_u64, 9, 7, 2_500, 1] {
            body.extend(number.to_le_bytes());
        }
        for dropped in [0_u64, 3, 0, 0] {
            body.extend(dropped.to_le_bytes());
        }
        body.extend([1, 9, 0, 0, 0, 1, 0, 4, 0, 0, 0]);
        let Reply::Exit(exit) = decode(130, &body).unwrap() else {
            panic!("not an exit")
        };
        let outcome = outcome(&exit, [vec![1], vec![], vec![2], vec![]]);
        assert_eq!((outcome.exit_code, outcome.signal), (None, Some(9)));
        assert!(outcome.timed_out && outcome.oom_killed && outcome.stderr.truncated && !outcome.stdout.truncated);
        assert_eq!((outcome.peak_memory, outcome.peak_processes), (Some(9), Some(7)));
        assert_eq!((outcome.processor_ms, outcome.stopped_by), (2, Some(StoppedBy::Memory)));
        let judge = outcome.judge.unwrap();
        assert_eq!((judge.exit_code, judge.stdout.bytes), (Some(4), vec![2]));
    }
}
