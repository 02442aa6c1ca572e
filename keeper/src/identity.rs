//! Who is who: the keeper and the judge are one user, the job another, and neither can climb.

use crate::sys::{check, prctl};

/// The keeper, the sources and the judge.
pub const KEEPER: u32 = 65533;
/// The job.
pub const JOB: u32 = 65534;

const CAP_KILL: u32 = 5;
const CAP_SETGID: u32 = 6;
const CAP_SETUID: u32 = 7;
/// All that process 1 of a box may do beyond a plain user.
pub const KEPT: u32 = 1 << CAP_KILL | 1 << CAP_SETGID | 1 << CAP_SETUID;

#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
struct CapData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Sets the process's capabilities; those above 31 are always given up.
pub fn set_capabilities(effective: u32, permitted: u32) -> Result<(), String> {
    let header = CapHeader {
        version: 0x2008_0522,
        pid: 0,
    };
    let data = [
        CapData {
            effective,
            permitted,
            inheritable: 0,
        },
        CapData {
            effective: 0,
            permitted: 0,
            inheritable: 0,
        },
    ];
    // SAFETY: version 3 of the call reads one header and two data records, which these are.
    let answer = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    check("capset", answer as libc::c_int).map(|_| ())
}

fn set_users(real: u32, effective: u32, saved: u32) -> Result<(), String> {
    // SAFETY: numbers only.
    check("setresuid", unsafe { libc::setresuid(real, effective, saved) }).map(|_| ())
}

fn set_groups(group: u32) -> Result<(), String> {
    // SAFETY: a count of zero reads no list.
    check("setgroups", unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: numbers only.
    check("setresgid", unsafe { libc::setresgid(group, group, group) }).map(|_| ())
}

/// From root to the keeper's user, with the three capabilities that it needs and nothing else.
pub fn become_keeper() -> Result<(), String> {
    prctl("keep capabilities", libc::PR_SET_KEEPCAPS, 1)?;
    set_groups(KEEPER)?;
    set_users(KEEPER, KEEPER, KEEPER)?;
    set_capabilities(KEPT, KEPT)?;
    prctl("no new privileges", libc::PR_SET_NO_NEW_PRIVS, 1)?;
    hide()
}

/// Out of reach of `ptrace` and `/proc/1/mem`, and gone with the launcher where there is one.
fn hide() -> Result<(), String> {
    prctl("dumpable", libc::PR_SET_DUMPABLE, 0)?;
    prctl("parent death", libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
}

/// In a child: becomes `user` with no capability at all.
pub fn become_plain(user: u32) -> Result<(), String> {
    set_groups(user)?;
    set_users(user, user, user)?;
    set_capabilities(0, 0)?;
    prctl("no new privileges", libc::PR_SET_NO_NEW_PRIVS, 1)?;
    prctl("parent death", libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    // The kernel picks the job, not the keeper, when memory runs out.
    prctl("dumpable", libc::PR_SET_DUMPABLE, 1)?;
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

/// Kills every process of the box but the keeper. A fork bomb cannot outrun it: the kernel signals
/// all processes in one go, and a process with a signal pending cannot fork.
pub fn kill_all() {
    // SAFETY: numbers only.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

/// Kills every process of the job and leaves the judge alone. It needs no process of its own, which
/// a fork bomb could deny: the keeper takes on the job's user for one call. Process 1 itself cannot
/// be signalled from inside.
pub fn kill_job() -> Result<(), String> {
    set_capabilities(KEPT & !(1 << CAP_KILL), KEPT)?;
    set_users(JOB, JOB, KEEPER)?;
    kill_all();
    set_users(KEEPER, KEEPER, KEEPER)?;
    set_capabilities(KEPT, KEPT)?;
    hide()
}
