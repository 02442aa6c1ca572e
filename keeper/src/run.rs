//! One command, and its judge where it has one, from start to end.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::cgroup::Cgroup;
use crate::identity::{self, JOB, KEEPER};
use crate::put::{WORK, is_plain};
use crate::serve::{Inbox, end_everything, forget_signals};
use crate::spawn::{self, Program, Started};
use crate::sys;
use crate::tap::Tap;
use crate::wire::{CHUNK, Fields, from_keeper, send};

struct Request {
    timeout_ms: u64,
    output: u64,
    file_size: u64,
    argv: Vec<String>,
    env: Vec<String>,
    directory: String,
    stdin: Vec<u8>,
    judge: Vec<String>,
}

impl Request {
    fn read(body: &[u8]) -> Result<Self, String> {
        let mut fields = Fields::new(body);
        Ok(Self {
            timeout_ms: fields.u64()?,
            output: fields.u64()?,
            file_size: fields.u64()?,
            argv: fields.texts()?,
            env: fields.texts()?,
            directory: fields.text()?,
            stdin: fields.blob()?.to_vec(),
            judge: fields.texts()?,
        })
    }
}

/// What the kernel counted of one command.
struct Counters {
    oom: bool,
    duration_ms: u64,
    peak_memory: u64,
    peak_processes: u64,
    processor_us: u64,
    refused_forks: u64,
}

struct Running {
    command: libc::pid_t,
    judge: Option<libc::pid_t>,
    command_status: Option<i32>,
    judge_status: Option<i32>,
    stdin: Option<(OwnedFd, Vec<u8>, usize)>,
    taps: Vec<Tap>,
    timed_out: bool,
    cancelled: bool,
}

/// Runs the command of a frame and answers with its output and `EXIT`. The outer error means that
/// the engine is gone, the inner one that the command could not be started.
pub fn run(body: &[u8], inbox: &mut Inbox, children: &OwnedFd) -> Result<Result<(), String>, String> {
    let request = match Request::read(body) {
        Ok(request) => request,
        Err(message) => return Ok(Err(message)),
    };
    end_everything();
    let cgroup = Cgroup::find();
    let (kills, refused, started) = (cgroup.oom_kills(), cgroup.refused_forks(), sys::now_ms());
    let processor = sys::processor_us(libc::RUSAGE_CHILDREN);
    let mut running = match start(&request) {
        Ok(running) => running,
        Err(message) => {
            end_everything();
            return Ok(Err(message));
        }
    };
    let watched = running.watch(started.saturating_add(request.timeout_ms), inbox, children);
    running.end();
    watched?;
    running.drain()?;
    let counters = Counters {
        oom: cgroup.oom_kills() > kills,
        duration_ms: sys::now_ms() - started,
        peak_memory: cgroup.peak(),
        peak_processes: cgroup.peak_processes(),
        // All that it started is dead and buried by us.
        processor_us: sys::processor_us(libc::RUSAGE_CHILDREN) - processor,
        refused_forks: cgroup.refused_forks() - refused,
    };
    running.tell(&counters)?;
    Ok(Ok(()))
}

fn start(request: &Request) -> Result<Running, String> {
    let directory = match request.directory.as_str() {
        "" | "." => WORK.to_owned(),
        below if is_plain(below) => format!("{WORK}/{below}"),
        other => {
            return Err(format!("{other:?} is not a folder below the working directory"));
        }
    };
    let pair = if request.judge.is_empty() {
        None
    } else {
        Some(sys::socket_pair()?)
    };
    let program = |argv, env, user, pair| Program {
        argv,
        env,
        directory: &directory,
        user,
        file_size: request.file_size,
        pair,
    };
    let judge = match &pair {
        Some((ours, _)) => Some(spawn::start(&program(&request.judge, &[], KEEPER, Some(ours)))?),
        None => None,
    };
    let command = spawn::start(&program(
        &request.argv,
        &request.env,
        JOB,
        pair.as_ref().map(|(_, theirs)| theirs),
    ))?;
    Ok(Running::new(command, judge, request))
}

impl Running {
    fn new(command: Started, judge: Option<Started>, request: &Request) -> Self {
        let mut taps = vec![
            Tap::new(1, command.stdout, request.output),
            Tap::new(2, command.stderr, request.output),
        ];
        let (judge_pid, stdin) = match judge {
            // The command's own standard input is empty: it closes here.
            Some(judge) => {
                taps.push(Tap::new(3, judge.stdout, request.output));
                taps.push(Tap::new(4, judge.stderr, request.output));
                (Some(judge.pid), judge.stdin)
            }
            None => (None, command.stdin),
        };
        let stdin = (!request.stdin.is_empty()).then(|| (stdin, request.stdin.clone(), 0));
        Self {
            command: command.pid,
            judge: judge_pid,
            command_status: None,
            judge_status: None,
            stdin,
            taps,
            timed_out: false,
            cancelled: false,
        }
    }

    /// Until the judge has ended, or the command where there is none, or time is over.
    fn watch(&mut self, deadline: u64, inbox: &mut Inbox, children: &OwnedFd) -> Result<(), String> {
        let mut buffer = vec![0; CHUNK];
        loop {
            self.bury()?;
            let last = if self.judge.is_some() {
                self.judge_status
            } else {
                self.command_status
            };
            if last.is_some() {
                return Ok(());
            }
            let now = sys::now_ms();
            if now >= deadline {
                self.timed_out = true;
                return Ok(());
            }
            self.wait(deadline - now, inbox, children);
            forget_signals(children);
            for tap in &mut self.taps {
                tap.pump(&mut buffer)?;
            }
            self.feed();
            if inbox.take_cancel()? {
                self.cancelled = true;
                return Ok(());
            }
        }
    }

    /// Sleeps until something happens. An engine that is gone ends the box.
    fn wait(&self, milliseconds: u64, inbox: &mut Inbox, children: &OwnedFd) {
        let entry = |fd: RawFd, events| libc::pollfd { fd, events, revents: 0 };
        let mut entries = vec![entry(children.as_raw_fd(), libc::POLLIN)];
        entries.push(entry(if inbox.has_room() { 0 } else { -1 }, libc::POLLIN));
        entries.extend(
            self.taps
                .iter()
                .filter_map(|tap| tap.fd.as_ref())
                .map(|fd| entry(fd.as_raw_fd(), libc::POLLIN)),
        );
        if let Some((fd, _, _)) = &self.stdin {
            entries.push(entry(fd.as_raw_fd(), libc::POLLOUT));
        }
        sys::poll(&mut entries, milliseconds.min(60_000) as i32);
        if entries[1].revents != 0 && !inbox.read().unwrap_or(false) {
            // With process 1 the kernel ends all of the box.
            sys::leave(0);
        }
    }

    fn feed(&mut self) {
        if let Some((fd, bytes, at)) = &mut self.stdin {
            match sys::write_some(fd.as_raw_fd(), &bytes[*at..]) {
                Some(count) => *at += count,
                None => *at = bytes.len(),
            }
            if *at == bytes.len() {
                self.stdin = None;
            }
        }
    }

    /// Takes the statuses of all that has ended; with the command ends all that it left behind.
    fn bury(&mut self) -> Result<(), String> {
        while let Ok(Some((pid, status))) = sys::reap(false) {
            if pid == self.command {
                self.command_status = Some(status);
                identity::kill_job()?;
            } else if Some(pid) == self.judge {
                self.judge_status = Some(status);
            }
        }
        Ok(())
    }

    /// Kills and buries all that is left. What had ended by itself a moment ago keeps its own status.
    fn end(&mut self) {
        loop {
            identity::kill_all();
            match sys::reap(true) {
                Ok(Some((pid, status))) if pid == self.command => self.command_status = Some(status),
                Ok(Some((pid, status))) if Some(pid) == self.judge => self.judge_status = Some(status),
                Ok(_) => {}
                Err(()) => return,
            }
        }
    }

    /// All writers are dead, so every stream has an end.
    fn drain(&mut self) -> Result<(), String> {
        let mut buffer = vec![0; CHUNK];
        for tap in &mut self.taps {
            while tap.pump(&mut buffer)? {}
        }
        Ok(())
    }

    fn tell(&self, counters: &Counters) -> Result<(), String> {
        let flags = [self.timed_out, self.cancelled, counters.oom];
        let mut bytes: Vec<u8> = flags.into_iter().map(u8::from).collect();
        for number in [
            counters.duration_ms,
            counters.peak_memory,
            counters.peak_processes,
            counters.processor_us,
            counters.refused_forks,
        ] {
            bytes.extend(number.to_le_bytes());
        }
        for stream in 0..4 {
            bytes.extend(self.taps.get(stream).map_or(0, |tap| tap.dropped).to_le_bytes());
        }
        bytes.extend(status(self.command_status));
        bytes.push(u8::from(self.judge.is_some()));
        bytes.extend(status(self.judge_status));
        send(from_keeper::EXIT, &[&bytes])
    }
}

/// How a process ended: 0 and its code, or 1 and its signal. One that we ended has no status taken.
fn status(raw: Option<i32>) -> [u8; 5] {
    let (kind, value) = match raw {
        Some(raw) if libc::WIFEXITED(raw) => (0, libc::WEXITSTATUS(raw)),
        Some(raw) => (1, libc::WTERMSIG(raw)),
        None => (1, libc::SIGKILL),
    };
    let mut bytes = [0; 5];
    bytes[0] = kind;
    bytes[1..].copy_from_slice(&value.to_le_bytes());
    bytes
}
