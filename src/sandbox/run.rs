//! What runs in a box, how much it may use, and how it ended.

use std::collections::BTreeMap;
use std::fmt;

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
    /// Bytes.
    pub peak_memory: Option<u64>,
    /// How the judge ended, where there was one.
    pub judge: Option<Box<Outcome>>,
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
