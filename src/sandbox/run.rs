//! What runs in a box, how much it may use, and how it ended.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Code, Error, Result};

const MAX_STDIN: usize = 8 << 20;
const MAX_ARGUMENTS: usize = 1 << 20;

/// What a box may use. Every one is enforced by the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of memory of all processes together; swap never adds to it.
    pub memory: u64,
    /// Processors; may be a fraction.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes of `/tmp`.
    pub tmpfs: u64,
    /// Bytes of the working directory.
    pub work: u64,
    /// Bytes of output kept of each stream of one command.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            cpus: 1.0,
            pids: 100,
            tmpfs: 64 << 20,
            work: 128 << 20,
            output: 1 << 20,
        }
    }
}

/// A command of an isolated run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; there is no shell.
    pub argv: Vec<String>,
    /// Added to the box's small fixed environment.
    pub env: BTreeMap<String, String>,
    /// Given to its standard input.
    pub stdin: Vec<u8>,
    /// Milliseconds of wall-clock time.
    pub timeout_ms: u64,
    /// A second program that runs beside it as the keeper's user, out of the job's reach. Both have
    /// one end of a socket pair as descriptor 3. The judge's exit code and output are the outcome's
    /// `judge`; the command is killed when the judge ends.
    pub judge: Option<Vec<String>>,
}

impl Command {
    /// What is wrong with a command, before anything is sent.
    pub fn check(&self) -> Result<()> {
        let refuse = |why: String| Err(Error::new(Code::OptionInvalid, why));
        let judge = self.judge.as_deref();
        if self.argv.is_empty() || judge.is_some_and(<[String]>::is_empty) {
            return refuse("command: it needs at least the program".to_owned());
        }
        if self
            .argv
            .iter()
            .chain(judge.unwrap_or_default())
            .any(|text| text.contains('\0'))
        {
            return refuse("command: a zero byte cannot be passed to a program".to_owned());
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return refuse(format!("env: {name:?} cannot be a variable of a program"));
            }
        }
        let length: usize = self
            .argv
            .iter()
            .chain(judge.unwrap_or_default())
            .map(String::len)
            .sum::<usize>()
            + self
                .env
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>();
        if length > MAX_ARGUMENTS {
            return refuse(format!(
                "command: its arguments and environment have {length} bytes; {MAX_ARGUMENTS} are the most"
            ));
        }
        if self.stdin.len() > MAX_STDIN {
            return refuse(format!(
                "stdin: {} bytes; {MAX_STDIN} are the most, put a file instead",
                self.stdin.len()
            ));
        }
        if self.timeout_ms == 0 {
            return refuse("timeout: it must be at least 1 ms".to_owned());
        }
        Ok(())
    }
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// `None` where a signal ended it.
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: Output,
    pub stderr: Output,
    /// The wall clock ended it.
    pub timed_out: bool,
    /// The kernel killed a process of it for memory; told by the kernel's counter.
    pub oom_killed: bool,
    pub duration_ms: u64,
    /// The limit that ended it or held it back; `None` where it met none.
    pub stopped_by: Option<StoppedBy>,
    /// Bytes, the most so far in its box.
    pub peak_memory: Option<u64>,
    /// Processes and threads, the most at once so far in its box.
    pub peak_processes: Option<u64>,
    /// Milliseconds of processor time of all its processes.
    pub processor_ms: u64,
    /// How the judge ended, where there was one.
    pub judge: Option<Box<Outcome>>,
}

/// A limit that a command met, told by the kernel's counters and the keeper's clock, not by an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// The kernel killed a process of it because memory ran out.
    Memory,
    /// The wall clock ended it.
    Time,
    /// The kernel refused it processes or threads.
    Processes,
    /// It printed more than is kept.
    Output,
}

impl StoppedBy {
    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Time => "time",
            Self::Processes => "processes",
            Self::Output => "output",
        }
    }
}

/// What a command printed, up to the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub bytes: Vec<u8>,
    /// More was printed than was kept.
    pub truncated: bool,
}

impl Output {
    /// As text, with whatever is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// How well a box isolates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Every limit binds.
    Full,
    /// It names what is missing.
    Reduced(String),
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Reduced(missing) => write!(f, "reduced: {missing}"),
        }
    }
}
