//! The system calls that std does not offer, each with its errors as text.

use std::ffi::CString;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Turns the answer of a system call into a result that names the call.
pub fn check(what: &str, answer: libc::c_int) -> Result<libc::c_int, String> {
    if answer < 0 {
        Err(format!("{what}: {}", std::io::Error::last_os_error()))
    } else {
        Ok(answer)
    }
}

/// A line on standard error; there is nobody to tell where that fails.
pub fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "keeper: {message}");
}

pub fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| "a text holds a zero byte".to_owned())
}

/// Forks. The keeper has one thread, so the child may do what it likes.
pub fn fork() -> Result<libc::pid_t, String> {
    // SAFETY: the process has a single thread, so no lock can be held by another one.
    check("fork", unsafe { libc::fork() })
}

/// Ends the process without running what std registered.
pub fn leave(code: i32) -> ! {
    // SAFETY: `_exit` takes any number and does not return.
    unsafe { libc::_exit(code) }
}

/// A pipe whose ends close on exec: read end, write end.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), String> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors.
    check("pipe2", unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok((own(ends[0]), own(ends[1])))
}

/// A pair of connected stream sockets that close on exec.
pub fn socket_pair() -> Result<(OwnedFd, OwnedFd), String> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors.
    check("socketpair", unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            libc::SOCK_STREAM | libc::SOCK_CLOEXEC,
            0,
            ends.as_mut_ptr(),
        )
    })?;
    Ok((own(ends[0]), own(ends[1])))
}

fn own(descriptor: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just given this descriptor to us, and nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

pub fn set_nonblocking(descriptor: &OwnedFd) -> Result<(), String> {
    // SAFETY: the descriptor is open and the flags are plain numbers.
    let flags = check("fcntl", unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL) })?;
    // SAFETY: as above.
    check("fcntl", unsafe {
        libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)
    })?;
    Ok(())
}

/// A descriptor that becomes readable when a child ends.
pub fn child_signals() -> Result<OwnedFd, String> {
    let set = child_set();
    // SAFETY: `set` is a valid signal set.
    check("sigprocmask", unsafe {
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut())
    })?;
    // SAFETY: `set` is a valid signal set; -1 asks for a new descriptor.
    let answer = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    check("signalfd", answer).map(own)
}

fn child_set() -> libc::sigset_t {
    // SAFETY: a signal set is plain data, made valid by `sigemptyset` and `sigaddset`.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        set
    }
}

/// Gives a child the signals as a fresh program expects them.
pub fn default_signals() {
    // SAFETY: an empty set and the default action are valid for these calls.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Reads what is there: `None` where nothing is yet, an empty slice at the end.
pub fn read_some(descriptor: RawFd, buffer: &mut [u8]) -> Result<Option<&[u8]>, String> {
    // SAFETY: the pointer and the length are those of `buffer`.
    let count = unsafe { libc::read(descriptor, buffer.as_mut_ptr().cast(), buffer.len()) };
    if count >= 0 {
        return Ok(Some(&buffer[..count as usize]));
    }
    let error = std::io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EINTR) => Ok(None),
        // The end of a socket pair whose peer was killed.
        Some(libc::ECONNRESET) => Ok(Some(&[])),
        _ => Err(format!("read: {error}")),
    }
}

/// Writes what fits; `None` where the reader is gone.
pub fn write_some(descriptor: RawFd, bytes: &[u8]) -> Option<usize> {
    // SAFETY: the pointer and the length are those of `bytes`.
    let count = unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
    if count >= 0 {
        return Some(count as usize);
    }
    matches!(
        std::io::Error::last_os_error().raw_os_error(),
        Some(libc::EAGAIN | libc::EINTR)
    )
    .then_some(0)
}

/// Waits until one of the descriptors has news, or the milliseconds are over.
pub fn poll(entries: &mut [libc::pollfd], milliseconds: i32) {
    // SAFETY: the pointer and the count are those of `entries`. An interrupted wait is looked at again.
    unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds) };
}

/// A child that has ended, and its raw status. `Err` where there are no children.
pub fn reap(block: bool) -> Result<Option<(libc::pid_t, i32)>, ()> {
    let mut status = 0;
    // SAFETY: `status` is ours to be written.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, if block { 0 } else { libc::WNOHANG }) };
    match pid {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some((pid, status))),
        _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => Ok(None),
        _ => Err(()),
    }
}

/// Waits for one child of ours.
pub fn wait_for(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is ours to be written.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return -1;
        }
    }
    status
}

/// Milliseconds that never go back.
pub fn now_ms() -> u64 {
    // SAFETY: `time` is ours to be written.
    unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time);
        time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
    }
}

/// Microseconds of processor time: our own, or those of the children that we have buried.
pub fn processor_us(whose: libc::c_int) -> u64 {
    // SAFETY: `usage` is ours to be written.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(whose, &raw mut usage);
        usage
    };
    let of = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    of(usage.ru_utime) + of(usage.ru_stime)
}

pub fn prctl(what: &str, option: libc::c_int, value: libc::c_ulong) -> Result<(), String> {
    // SAFETY: the options used here take numbers only.
    check(what, unsafe { libc::prctl(option, value, 0, 0, 0) }).map(|_| ())
}

/// Lowers a limit; a limit that is lower already stays.
pub fn limit(resource: libc::__rlimit_resource_t, value: u64) {
    // SAFETY: `old` and `new` are valid for the calls.
    unsafe {
        let mut old: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(resource, &raw mut old) == 0 && old.rlim_max > value {
            let new = libc::rlimit {
                rlim_cur: value,
                rlim_max: value,
            };
            libc::setrlimit(resource, &raw const new);
        }
    }
}

/// The most that a limit can be raised to; the largest number where the kernel does not tell.
pub fn limit_of(resource: libc::__rlimit_resource_t) -> u64 {
    // SAFETY: `found` is ours to be written.
    unsafe {
        let mut found: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(resource, &raw mut found) == 0 {
            found.rlim_max
        } else {
            u64::MAX
        }
    }
}
