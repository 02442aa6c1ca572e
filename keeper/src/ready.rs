//! What binds in this box, read back from the kernel, and the working directory made ready.

use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use crate::cgroup::Cgroup;
use crate::identity::{self, JOB, KEEPER};
use crate::put::WORK;
use crate::{spawn, sys};

/// Gives the working directory to the keeper and makes the job's folder in it. Called as root, so
/// that an engine whose tmpfs cannot name an owner works too: the group then stands for the owner.
pub fn prepare_work() -> Result<(), String> {
    let fault = |error: std::io::Error| format!("cannot prepare {WORK}: {error}");
    let meta = fs::metadata(WORK).map_err(fault)?;
    let by_group = meta.uid() == 0;
    if by_group {
        let group = [KEEPER];
        // SAFETY: the list has the one entry that is counted.
        sys::check("setgroups", unsafe { libc::setgroups(1, group.as_ptr()) })?;
        chown(WORK, None, Some(KEEPER)).map_err(fault)?;
        make_out(0o775)?;
    }
    identity::become_keeper()?;
    if !by_group {
        make_out(0o755)?;
    }
    Ok(())
}

/// The job itself makes its folder, while the way is open and nobody else is here.
fn make_out(mode: u32) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("cannot prepare {WORK}: {error}");
    fs::set_permissions(WORK, Permissions::from_mode(0o777)).map_err(fault)?;
    let child = sys::fork()?;
    if child == 0 {
        let outcome = identity::become_plain(JOB)
            .and_then(|()| fs::create_dir(format!("{WORK}/out")).map_err(|error| error.to_string()));
        sys::leave(i32::from(outcome.is_err()));
    }
    let status = sys::wait_for(child);
    fs::set_permissions(WORK, Permissions::from_mode(mode)).map_err(fault)?;
    if status == 0 {
        Ok(())
    } else {
        Err(format!("cannot make {WORK}/out"))
    }
}

/// Lines of `name=value`.
pub fn report() -> Result<String, String> {
    let mut text = String::new();
    let cgroup = Cgroup::find();
    let mut tell = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}={value}");
    };
    tell("protocol", "1");
    tell("cgroup", &cgroup.version().to_string());
    tell("memory", &cgroup.memory().unwrap_or_default());
    tell("swap", &cgroup.swap().unwrap_or_default());
    tell("pids", &cgroup.pids().unwrap_or_default());
    tell("cpu", &cgroup.cpu().unwrap_or_default());
    tell("root", if is_read_only("/") { "read-only" } else { "writable" });
    tell("work", &size_of(WORK).to_string());
    tell("tmp", &size_of("/tmp").to_string());
    tell("interfaces", &interfaces());
    tell("cgroupns", if is_own_group() { "own" } else { "shared" });
    tell("userns", if is_own_user_space() { "own" } else { "shared" });
    tell(
        "shell",
        if fs::metadata("/bin/sh").is_ok() {
            "there"
        } else {
            "none"
        },
    );
    text.push_str(&job_status()?);
    Ok(text)
}

fn file_system(path: &str) -> Option<libc::statvfs> {
    let path = sys::c_string(path).ok()?;
    // SAFETY: `stat` is ours to be written, and the path ends with a zero byte.
    unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut stat) == 0).then_some(stat)
    }
}

fn is_read_only(path: &str) -> bool {
    file_system(path).is_some_and(|stat| stat.f_flag & libc::ST_RDONLY != 0)
}

fn size_of(path: &str) -> u64 {
    file_system(path).map_or(0, |stat| stat.f_blocks * stat.f_frsize)
}

/// The names of the network interfaces, joined by commas.
fn interfaces() -> String {
    let table = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names: Vec<&str> = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next())
        .map(str::trim)
        .collect();
    names.join(",")
}

/// In a namespace of its own a process sees its group as the root.
fn is_own_group() -> bool {
    fs::read_to_string("/proc/self/cgroup").is_ok_and(|text| text.lines().all(|line| line.ends_with(":/")))
}

/// The machine's own user namespace maps every number to itself.
fn is_own_user_space() -> bool {
    fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|text| text.split_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"])
}

/// What the kernel says of a process that became the job.
fn job_status() -> Result<String, String> {
    let (reader, writer) = sys::pipe()?;
    let child = sys::fork()?;
    if child == 0 {
        let told = identity::become_plain(JOB)
            .and_then(|()| fs::read_to_string("/proc/self/status").map_err(|error| error.to_string()))
            .is_ok_and(|status| {
                let wanted = [
                    "Uid",
                    "Gid",
                    "Groups",
                    "CapInh",
                    "CapPrm",
                    "CapEff",
                    "CapBnd",
                    "CapAmb",
                    "NoNewPrivs",
                    "Seccomp",
                ];
                let lines = status.lines().filter_map(|line| line.split_once(':'));
                let mut text = String::new();
                for (name, value) in lines.filter(|(name, _)| wanted.contains(name)) {
                    let _ = writeln!(
                        text,
                        "{name}={}",
                        value.split_whitespace().collect::<Vec<_>>().join(" ")
                    );
                }
                spawn::lower_limits();
                let _ = writeln!(text, "nofile={}", sys::limit_of(libc::RLIMIT_NOFILE));
                let _ = writeln!(text, "core={}", sys::limit_of(libc::RLIMIT_CORE));
                sys::write_some(std::os::fd::AsRawFd::as_raw_fd(&writer), text.as_bytes()).is_some()
            });
        sys::leave(i32::from(!told));
    }
    drop(writer);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut fs::File::from(reader), &mut text).map_err(|error| error.to_string())?;
    if sys::wait_for(child) == 0 {
        Ok(text)
    } else {
        Err("a process cannot become the job's user here".to_owned())
    }
}
