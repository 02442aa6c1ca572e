//! The launcher of a built-in box: namespaces, mounts, limits and filters, then the keeper.

use std::io::Read;

use crate::identity::{self, KEPT};
use crate::mounts::{self, Entry};
use crate::sys::{self, c_string, check};
use crate::wire::{self, Fields, from_engine};

/// The last capability that there may be; one that there is not is no fault.
const LAST_CAPABILITY: u32 = 63;

struct Plan {
    /// `cgroup.procs` of each group that the box belongs to.
    groups: Vec<String>,
    tmp: u64,
    work: u64,
    filters: Vec<Vec<u8>>,
    entries: Vec<(String, Entry)>,
}

impl Plan {
    fn read(body: &[u8]) -> Result<Self, String> {
        let mut fields = Fields::new(body);
        let groups = fields.texts()?;
        let (tmp, work) = (fields.u64()?, fields.u64()?);
        let filters = (0..fields.u32()?)
            .map(|_| fields.blob().map(<[u8]>::to_vec))
            .collect::<Result<_, _>>()?;
        let count = fields.u32()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let kind = fields.u8()?;
            let path = fields.text()?;
            let entry = match kind {
                0 => fields.blob().map(|_| Entry::Folder)?,
                1 => Entry::Text(fields.blob()?.to_vec()),
                2 => Entry::File(fields.text()?),
                3 => Entry::Tree(fields.text()?),
                _ => return Err(format!("an entry of kind {kind} is not known")),
            };
            entries.push((path, entry));
        }
        Ok(Self {
            groups,
            tmp,
            work,
            filters,
            entries,
        })
    }
}

/// Reads the one frame that says what the box is made of; what follows is for the keeper.
fn read_plan() -> Result<Plan, String> {
    let fault = |error: std::io::Error| format!("cannot read the plan: {error}");
    // Unbuffered, so that nothing of the keeper's frames is swallowed.
    let mut input = std::fs::File::from(
        std::os::fd::AsFd::as_fd(&std::io::stdin())
            .try_clone_to_owned()
            .map_err(fault)?,
    );
    let mut head = [0; 5];
    input.read_exact(&mut head).map_err(fault)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if length == 0 || length > wire::MAX_FRAME || head[4] != from_engine::LAUNCH {
        return Err("the plan is not one".to_owned());
    }
    let mut body = vec![0; length - 1];
    input.read_exact(&mut body).map_err(fault)?;
    Plan::read(&body)
}

/// Starts the box and waits for its end. It ends with the engine: its keeper sees the end of its
/// input, and the kernel ends all of a process namespace with its first process.
pub fn launch() -> Result<(), String> {
    let plan = read_plan()?;
    let spaces = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNET;
    // SAFETY: numbers only.
    check("new namespaces", unsafe { libc::unshare(spaces) })?;
    let child = sys::fork()?;
    if child == 0 {
        let Err(message) = become_box(&plan);
        sys::complain(&message);
        sys::leave(70);
    }
    // Only the keeper holds the stream, so that its end is seen.
    // SAFETY: nothing of ours uses these two any more.
    unsafe {
        libc::close(0);
        libc::close(1);
    }
    sys::wait_for(child);
    Ok(())
}

fn become_box(plan: &Plan) -> Result<std::convert::Infallible, String> {
    sys::prctl("parent death", libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    for group in &plan.groups {
        std::fs::write(group, "0").map_err(|error| format!("cannot join {group}: {error}"))?;
    }
    // SAFETY: numbers only.
    check("cgroup namespace", unsafe { libc::unshare(libc::CLONE_NEWCGROUP) })?;
    host_name()?;
    loopback()?;
    mounts::enter(&plan.entries, plan.tmp, plan.work)?;
    // SAFETY: numbers only. Whatever else was inherited closes.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
        libc::setsid();
        libc::umask(0o022);
    }
    sys::limit(libc::RLIMIT_CORE, 0);
    sys::limit(libc::RLIMIT_NOFILE, 1024);
    drop_capabilities()?;
    sys::prctl("no new privileges", libc::PR_SET_NO_NEW_PRIVS, 1)?;
    for filter in &plan.filters {
        install(filter)?;
    }
    let program = c_string("/sandbox/bin/keeper")?;
    let argument = c_string("serve")?;
    let argv = [program.as_ptr(), argument.as_ptr(), std::ptr::null()];
    let env = [std::ptr::null()];
    // SAFETY: both lists end with a null pointer, and their texts live until the call.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    Err(format!(
        "cannot run the keeper in the box: {}",
        std::io::Error::last_os_error()
    ))
}

fn host_name() -> Result<(), String> {
    // SAFETY: the lengths are those of the texts.
    check("host name", unsafe { libc::sethostname(c"box".as_ptr(), 3) })?;
    // SAFETY: as above.
    check("domain name", unsafe { libc::setdomainname(c"".as_ptr(), 0) }).map(|_| ())
}

/// The loopback of the box's own network, which has nothing else.
fn loopback() -> Result<(), String> {
    // SAFETY: numbers only.
    let socket = check("socket", unsafe {
        libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)
    })?;
    // SAFETY: a request of zeros is valid; the name fits; the socket is open.
    let answer = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let answer = libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request);
        libc::close(socket);
        answer
    };
    check("loopback", answer).map(|_| ())
}

/// All but the keeper's three go for good, from the bounding set as well.
fn drop_capabilities() -> Result<(), String> {
    for capability in 0..=LAST_CAPABILITY {
        if capability < 32 && KEPT & (1 << capability) != 0 {
            continue;
        }
        // SAFETY: numbers only. It fails for a number that the kernel does not know.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
    }
    identity::set_capabilities(KEPT, KEPT)
}

/// Installs a filter of system calls that the engine compiled.
pub fn install(filter: &[u8]) -> Result<(), String> {
    let program: Vec<libc::sock_filter> = filter
        .chunks_exact(8)
        .map(|line| libc::sock_filter {
            code: u16::from_le_bytes([line[0], line[1]]),
            jt: line[2],
            jf: line[3],
            k: u32::from_le_bytes([line[4], line[5], line[6], line[7]]),
        })
        .collect();
    if program.is_empty() {
        return Err("a filter is empty".to_owned());
    }
    let whole = libc::sock_fprog {
        len: program.len() as libc::c_ushort,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the program's length and lines are those of the list above, which lives until the end.
    let answer = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const whole, 0, 0) };
    check("seccomp filter", answer).map(|_| ())
}
