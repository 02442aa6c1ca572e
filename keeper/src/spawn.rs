//! Starting a program as the job's or the judge's user.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::identity;
use crate::sys::{self, c_string};

const PATH: &str = "/sandbox/bin";
const FIXED: [&str; 5] = [
    "PATH=/sandbox/bin",
    "HOME=/tmp",
    "TMPDIR=/tmp",
    "LANG=C.UTF-8",
    "NO_COLOR=1",
];
/// Where a program finds its end of the socket pair.
const PAIR: RawFd = 3;

/// A program to start.
pub struct Program<'a> {
    pub argv: &'a [String],
    pub env: &'a [String],
    pub directory: &'a str,
    pub user: u32,
    /// The longest file that it may write.
    pub file_size: u64,
    pub pair: Option<&'a OwnedFd>,
}

/// A started program and our ends of its pipes.
pub struct Started {
    pub pid: libc::pid_t,
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

/// Starts it. `Err` where it could not be started at all; a program that cannot be executed ends
/// with 127 and says why on its standard error.
pub fn start(program: &Program) -> Result<Started, String> {
    let (stdin, in_writer) = sys::pipe()?;
    let (out_reader, stdout) = sys::pipe()?;
    let (err_reader, stderr) = sys::pipe()?;
    let pid = sys::fork()?;
    if pid == 0 {
        let message = match child(program, &stdin, &stdout, &stderr) {
            Ok(never) => match never {},
            Err(message) => message,
        };
        let line = format!("{message}\n");
        sys::write_some(2, line.as_bytes());
        sys::leave(127);
    }
    for ours in [&in_writer, &out_reader, &err_reader] {
        sys::set_nonblocking(ours)?;
    }
    Ok(Started {
        pid,
        stdin: in_writer,
        stdout: out_reader,
        stderr: err_reader,
    })
}

fn child(
    program: &Program,
    stdin: &OwnedFd,
    stdout: &OwnedFd,
    stderr: &OwnedFd,
) -> Result<std::convert::Infallible, String> {
    sys::default_signals();
    // The pair first, on a number above all that `dup2` below overwrites.
    let pair = match program.pair {
        // SAFETY: the descriptor is open; the answer is a new one above 9.
        Some(end) => Some(sys::check("dup", unsafe {
            libc::fcntl(end.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 10)
        })?),
        None => None,
    };
    let sources = [stdin, stdout, stderr].map(AsRawFd::as_raw_fd);
    let mut high = [0; 3];
    for (place, source) in high.iter_mut().zip(sources) {
        // SAFETY: as above.
        *place = sys::check("dup", unsafe { libc::fcntl(source, libc::F_DUPFD_CLOEXEC, 10) })?;
    }
    for (target, source) in high.into_iter().enumerate() {
        // SAFETY: both are plain descriptor numbers; `dup2` closes what was there.
        sys::check("dup2", unsafe { libc::dup2(source, target as RawFd) })?;
    }
    let mut first_closed = PAIR;
    if let Some(pair) = pair {
        // SAFETY: as above.
        sys::check("dup2", unsafe { libc::dup2(pair, PAIR) })?;
        first_closed += 1;
    }
    // SAFETY: everything from here up belongs to the keeper and closes.
    unsafe { libc::syscall(libc::SYS_close_range, first_closed, libc::c_uint::MAX, 0) };
    // SAFETY: numbers only.
    unsafe {
        libc::setsid();
        libc::umask(0o022);
    }
    lower_limits();
    sys::limit(libc::RLIMIT_FSIZE, program.file_size);
    identity::become_plain(program.user)?;
    std::env::set_current_dir(program.directory)
        .map_err(|error| format!("cannot enter {}: {error}", program.directory))?;
    execute(program)
}

/// What every program of a box has.
pub fn lower_limits() {
    sys::limit(libc::RLIMIT_CORE, 0);
    sys::limit(libc::RLIMIT_NOFILE, 1024);
}

fn execute(program: &Program) -> Result<std::convert::Infallible, String> {
    let name = program.argv.first().ok_or("there is no program to run")?;
    let file = if name.contains('/') {
        name.clone()
    } else {
        format!("{PATH}/{name}")
    };
    let file_c = c_string(&file)?;
    let argv = program
        .argv
        .iter()
        .map(|text| c_string(text))
        .collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<&str> = program.env.iter().filter_map(|entry| entry.split('=').next()).collect();
    let fixed = FIXED
        .iter()
        .filter(|entry| !entry.split('=').next().is_some_and(|key| keys.contains(&key)));
    let env = fixed
        .map(|entry| c_string(entry))
        .chain(program.env.iter().map(|entry| c_string(entry)))
        .collect::<Result<Vec<_>, _>>()?;
    let pointers = |list: &[std::ffi::CString]| {
        let mut all: Vec<_> = list.iter().map(|text| text.as_ptr()).collect();
        all.push(std::ptr::null());
        all
    };
    let (argv_list, env_list) = (pointers(&argv), pointers(&env));
    // SAFETY: both lists end with a null pointer, and their texts live until the call.
    unsafe { libc::execve(file_c.as_ptr(), argv_list.as_ptr(), env_list.as_ptr()) };
    Err(format!("cannot run {file}: {}", std::io::Error::last_os_error()))
}
